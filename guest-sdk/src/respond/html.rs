//! [`Html`]: a page.

use crate::respond::responder::Responder;
use crate::respond::response::{IntoBody, Response};
use crate::status::Status;

/// Text that is HTML: `Html("<p>Hello")`, or `Html(format!(...))`. Nothing is
/// escaped.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/{name}")]
/// fn greet(name: &str) -> Html<String> {
///     let name = name.replace('&', "&amp;").replace('<', "&lt;");
///     Html(format!("<h1>Hello, {name}!</h1>"))
/// }
///
/// app!(greet);
///
/// let answer = rhost_sdk::testing::get(&APP, "/%3Cb%3E").send();
/// assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
/// assert_eq!(answer.text(), "<h1>Hello, &lt;b>!</h1>");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: IntoBody> Responder for Html<T> {
    fn respond(self) -> Response {
        Response::new(Status::OK)
            .header("content-type", "text/html; charset=utf-8")
            .body(self.0)
    }
}
