//! [`Html`]: a page.

use crate::respond::responder::Responder;
use crate::respond::response::{IntoBody, Response};
use crate::status::Status;

/// Text that is HTML: `Html("<p>Hello")`, or `Html(format!(...))`. Nothing is
/// escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: IntoBody> Responder for Html<T> {
    fn respond(self) -> Response {
        Response::new(Status::OK)
            .header("content-type", "text/html; charset=utf-8")
            .body(self.0)
    }
}
