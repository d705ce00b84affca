//! [`Rejection`]: why an argument of a handler could not be had.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::gateway::InputError;
use crate::status::Status;

/// Why an argument of a handler could not be had from the request.
///
/// The client sees the status and a fixed text, and below it a line for each
/// field that is to blame, as `age: is missing`. The cause, which may quote what
/// the client sent, goes to the log.
///
/// ```
/// use rhost_sdk::FromRequest;
/// use rhost_sdk::prelude::*;
///
/// /// A language that this site speaks.
/// struct Language(&'static str);
///
/// impl FromRequest<'_> for Language {
///     fn from_request(request: &Request) -> Result<Self, Rejection> {
///         match request.headers().get("accept-language") {
///             None | Some("en") => Ok(Language("en")),
///             Some("fr") => Ok(Language("fr")),
///             Some(other) => Err(Rejection::new(Status::NOT_ACCEPTABLE, "English or French")
///                 .because(format!("asked for {other:?}"))),
///         }
///     }
/// }
///
/// #[get("/")]
/// fn index(language: Language) -> &'static str {
///     language.0
/// }
///
/// app!(index);
///
/// let get = |language| rhost_sdk::testing::get(&APP, "/").header("accept-language", language).send();
/// assert_eq!(get("fr").text(), "fr");
/// assert_eq!(get("tlh").status(), 406);
/// assert_eq!(get("tlh").text(), "English or French\n");
/// ```
pub struct Rejection {
    status: Status,
    text: &'static str,
    problems: Vec<Problem>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// A field, and what is wrong with it.
type Problem = (Cow<'static, str>, &'static str);

impl Rejection {
    /// The most fields that one names. Further ones are left out.
    const MOST: usize = 32;

    /// A rejection with this status, and this line for the client.
    #[must_use]
    pub const fn new(status: Status, text: &'static str) -> Rejection {
        Rejection {
            status,
            text,
            problems: Vec::new(),
            cause: None,
        }
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Rejection {
        Rejection {
            cause: Some(cause.into()),
            ..self
        }
    }

    /// Adds a field that is to blame, and what is wrong with it, which the
    /// client sees as `field: message`. It has room for 32.
    #[must_use]
    pub fn problem(
        mut self,
        field: impl Into<Cow<'static, str>>,
        message: &'static str,
    ) -> Rejection {
        if self.problems.len() < Rejection::MOST {
            self.problems.push((field.into(), message));
        }
        self
    }

    /// The fields that are to blame, and what is wrong with each, in order.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.problems
            .iter()
            .map(|(field, message)| (&**field, *message))
    }

    /// The page that every absent path gets.
    pub(crate) const fn not_found() -> Rejection {
        Rejection::new(Status::NOT_FOUND, Status::NOT_FOUND.reason())
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The first line that the client sees.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// What the log says, if there is more to say than the client sees.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.cause.as_deref()
    }

    /// The status, all that the client sees, and the cause.
    pub(crate) fn into_parts(
        self,
    ) -> (
        Status,
        Cow<'static, str>,
        Option<Box<dyn Error + Send + Sync>>,
    ) {
        let mut text = Cow::Borrowed(self.text);
        for (field, message) in self.problems() {
            let text = text.to_mut();
            // A name that came from the client stays on its line.
            text.extend(["\n", &field.escape_debug().to_string(), ": ", message]);
        }
        (self.status, text, self.cause)
    }
}

/// The status and the line for a body that did not arrive.
pub(crate) const fn input_problem(error: &InputError) -> (Status, &'static str) {
    match error {
        InputError::Incomplete => (Status::BAD_REQUEST, "The request's body is incomplete"),
        InputError::TooLarge(_) => (Status::CONTENT_TOO_LARGE, "The request's body is too large"),
        InputError::TimedOut => (
            Status::REQUEST_TIMEOUT,
            "The request's body did not arrive in time",
        ),
    }
}

impl From<InputError> for Rejection {
    /// 400 for a body that broke off, 413 for one that is too large, 408 for
    /// one that did not arrive in time (RFC 9110, section 15.5).
    fn from(error: InputError) -> Rejection {
        let (status, text) = input_problem(&error);
        Rejection::new(status, text).because(error)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text)
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rejection")
            .field("status", &self.status)
            .field("text", &self.text)
            .field("problems", &self.problems)
            .field("cause", &self.cause)
            .finish()
    }
}
