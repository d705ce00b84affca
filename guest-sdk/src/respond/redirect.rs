//! [`Redirect`]: look elsewhere.

use crate::respond::fields::HeaderValue;
use crate::respond::responder::Responder;
use crate::respond::response::Response;
use crate::status::Status;

/// Sends the client to another place (RFC 9110, section 15.4).
///
/// The location is a URI reference, as `/notes/7` (RFC 9110, section 10.2.2).
/// It is sent as it is: percent-encode what comes from a user.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[post("/notes")]
/// fn create(text: String) -> Redirect {
///     let id = text.len();
///     Redirect::see_other(format!("/notes/{id}"))
/// }
///
/// app!(create);
///
/// let answer = rhost_sdk::testing::post(&APP, "/notes").body("milk").send();
/// assert_eq!(answer.status(), 303);
/// assert_eq!(answer.header("location"), Some("/notes/4"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    status: Status,
    location: HeaderValue,
}

impl Redirect {
    /// 303: get the result there. The answer to a form that was posted.
    #[must_use]
    pub fn see_other(location: impl Into<HeaderValue>) -> Redirect {
        Redirect {
            status: Status::SEE_OTHER,
            location: location.into(),
        }
    }

    /// 307: send the same request there, this time.
    #[must_use]
    pub fn temporary(location: impl Into<HeaderValue>) -> Redirect {
        Redirect {
            status: Status::TEMPORARY_REDIRECT,
            location: location.into(),
        }
    }

    /// 308: send the same request there, from now on.
    #[must_use]
    pub fn permanent(location: impl Into<HeaderValue>) -> Redirect {
        Redirect {
            status: Status::PERMANENT_REDIRECT,
            location: location.into(),
        }
    }
}

impl Responder for Redirect {
    fn respond(self) -> Response {
        Response::new(self.status).header("location", self.location)
    }
}
