//! [`Error`] and [`Result`]: what a handler fails with.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::gateway::InputError;
use crate::rejection::{Rejection, input_problem};
use crate::status::Status;

/// What a handler returns when it can fail; `?` takes any error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a handler failed.
///
/// `?` makes one of any error: the client gets 500 and a fixed text, and the
/// log gets the error with its sources. An error of the request's body is the
/// client's: it gets the 4xx that a [`Rejection`] would. For an answer of your
/// own, [`Error::new`] has a status and a text for the client.
///
/// ```
/// use rhost_sdk::{Error, Result, Status};
///
/// fn price(text: &str) -> Result<u32> {
///     let price = text.parse()?;
///     if price == 0 {
///         return Err(Error::new(Status::UNPROCESSABLE_CONTENT, "A price is not zero"));
///     }
///     Ok(price)
/// }
/// # assert_eq!(price("0").unwrap_err().status(), 422);
/// # assert_eq!(price("x").unwrap_err().status(), 500);
/// ```
pub struct Error {
    status: Status,
    text: Cow<'static, str>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error that the client sees as this status and this line.
    #[must_use]
    pub fn new(status: Status, text: impl Into<Cow<'static, str>>) -> Error {
        Error {
            status,
            text: text.into(),
            cause: None,
        }
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error {
            cause: Some(cause.into()),
            ..self
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The line that the client sees.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the log says.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync)> {
        self.cause.as_deref()
    }

    fn from_cause(cause: Box<dyn StdError + Send + Sync>) -> Error {
        let input = match cause.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(inner) => inner.and_then(|inner| inner.downcast_ref()),
            None => cause.downcast_ref(),
        };
        let (status, text) = match input {
            Some(input) => input_problem(input),
            None => (
                Status::INTERNAL_SERVER_ERROR,
                Status::INTERNAL_SERVER_ERROR.reason(),
            ),
        };
        Error {
            status,
            text: text.into(),
            cause: Some(cause),
        }
    }

    pub(crate) fn into_parts(
        self,
    ) -> (
        Status,
        Cow<'static, str>,
        Option<Box<dyn StdError + Send + Sync>>,
    ) {
        (self.status, self.text, self.cause)
    }
}

/// Finds the gateway's error in one that went through [`io::Error`].
pub(crate) fn input_error(error: &io::Error) -> Option<InputError> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref())
        .copied()
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Error {
        Error::from_cause(Box::new(cause))
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Error {
        let (status, text, cause) = rejection.into_parts();
        Error {
            status,
            text,
            cause,
        }
    }
}

// Neither `std::error::Error` nor a source: that would make `From` above take
// an `Error` as the cause of an `Error`.
impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Error")
            .field("status", &self.status)
            .field("text", &self.text)
            .field("cause", &self.cause)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::Error;
    use crate::gateway::InputError;

    #[test]
    fn the_body_is_the_clients_fault_however_it_was_read() {
        assert_eq!(Error::from(InputError::TooLarge(1)).status(), 413);
        assert_eq!(
            Error::from(io::Error::from(InputError::TimedOut)).status(),
            408
        );
        assert_eq!(Error::from(io::Error::other("disk")).status(), 500);
        assert_eq!(
            Error::from(io::Error::other("disk")).text(),
            "Internal Server Error"
        );
    }
}
