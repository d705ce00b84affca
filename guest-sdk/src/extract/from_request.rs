//! [`FromRequest`]: the arguments of a handler.

use crate::rejection::Rejection;
use crate::request::Request;

/// What can be an argument of a handler.
///
/// ```
/// use rhost_sdk::{FromRequest, Rejection, Request, Status};
///
/// struct ApiKey<'r>(&'r str);
///
/// impl<'r> FromRequest<'r> for ApiKey<'r> {
///     fn from_request(request: &'r Request) -> Result<Self, Rejection> {
///         match request.headers().get("x-api-key") {
///             Some(key) => Ok(ApiKey(key)),
///             None => Err(Rejection::new(Status::UNAUTHORIZED, "An API key is needed")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "not a parameter of the path, and does not implement `FromRequest`",
    note = "an argument is named like a `{{parameter}}` of its path, or implements `FromRequest`"
)]
pub trait FromRequest<'r>: Sized {
    /// Takes the value from the request.
    ///
    /// # Errors
    ///
    /// The answer to a request that does not have it.
    fn from_request(request: &'r Request) -> Result<Self, Rejection>;
}

/// What a request may do without: an argument `Option<Self>` is `None` then.
/// A value that is there and is malformed is still rejected.
#[diagnostic::on_unimplemented(
    message = "nothing says when a request has no `{Self}`",
    note = "take `Result<{Self}, Rejection>` to decide in the handler"
)]
pub trait Optional<'r>: FromRequest<'r> {
    /// Whether the request has none.
    fn is_absent(request: &'r Request) -> bool;
}

impl<'r, E: Optional<'r>> FromRequest<'r> for Option<E> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        if E::is_absent(request) {
            Ok(None)
        } else {
            E::from_request(request).map(Some)
        }
    }
}

impl<'r, E: FromRequest<'r>> FromRequest<'r> for Result<E, Rejection> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(E::from_request(request))
    }
}
