//! [`Responder`]: the answers of a handler.

use crate::respond::response::Response;

/// What a handler can answer with.
///
/// ```
/// use rhost_sdk::{Responder, Response, Status};
///
/// enum Sold {
///     Receipt(String),
///     Out,
/// }
///
/// impl Responder for Sold {
///     fn respond(self) -> Response {
///         match self {
///             Sold::Receipt(text) => text.respond(),
///             Sold::Out => (Status::CONFLICT, "Sold out\n").respond(),
///         }
///     }
/// }
/// # assert_eq!(Sold::Out.respond().status(), 409);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of a handler",
    label = "does not implement `Responder`"
)]
pub trait Responder {
    /// The response.
    fn respond(self) -> Response;
}
