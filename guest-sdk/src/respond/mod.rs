//! What a handler can answer with.
//!
//! | value | answer |
//! |---|---|
//! | `&'static str`, `String`, `Cow<'static, str>` | 200, text/plain; charset=utf-8 |
//! | [`Html<T>`] | 200, text/html; charset=utf-8 |
//! | [`Json<T>`](crate::Json) | 200, application/json |
//! | `Vec<u8>`, `&'static [u8]` | 200, application/octet-stream |
//! | [`Stream`] | 200, block by block, as it is made |
//! | [`Events`](crate::Events) | 200, text/event-stream: server-sent events |
//! | `()` | 204 |
//! | [`Status`](crate::Status) | that status, no body |
//! | `(Status, R)` | `R` with that status |
//! | `(headers, R)`, `(Status, headers, R)` | `R` with fields besides, see [`Fields`] |
//! | [`Attachment<R>`] | `R`, to be saved under a name |
//! | `File` | a file of a lent directory: feature `serve-files` |
//! | `(Cookie, R)`, `([Cookie; N], R)` | `R`, which sets cookies besides, with the feature `cookies` |
//! | `(Session, R)` | `R`, which keeps the session besides, with the feature `session` |
//! | [`Redirect`] | 303, 307 or 308 |
//! | `Option<R>` | `R`, or 404 |
//! | `Result<R, E>` | `R`, or what `E` answers: [`Error`](crate::Error), [`Rejection`](crate::Rejection), your own |
//! | [`Problem`](crate::Problem) | an error as application/problem+json |
//! | [`Response`] | itself |

mod answers;
mod attachment;
#[cfg(feature = "cookies")]
mod cookie;
mod fields;
mod html;
mod redirect;
mod responder;
mod response;
#[cfg(feature = "cookies")]
mod set_cookie;
mod stream;
mod writer;

pub use attachment::Attachment;
#[cfg(feature = "serve-files")]
pub(crate) use attachment::disposition;
#[cfg(feature = "cookies")]
pub use cookie::{Cookie, SameSite};
pub use fields::{Fields, HeaderValue};
pub use html::Html;
pub use redirect::Redirect;
pub use responder::Responder;
pub(crate) use response::Payload;
pub use response::{IntoBody, Response};
pub use stream::Stream;
pub use writer::Writer;
