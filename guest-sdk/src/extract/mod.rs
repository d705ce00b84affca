//! What a handler can take from a request.
//!
//! Each argument of a handler is a parameter of its path, or implements
//! [`FromRequest`]:
//!
//! | argument | what it is | when it is not there |
//! |---|---|---|
//! | `id: u32`, with `{id}` in the path | any [`FromStr`](std::str::FromStr) type, see [`FromParam`] | 404 |
//! | `id: &str`, with `{id}` in the path | the text, borrowed from the request; it has to be spelled `&str` | 404 |
//! | `path: String`, with a last `{path..}` in the path | the rest of the path, as any such type | 404 |
//! | [`Query<T>`] | the query, deserialized | 400 |
//! | [`Json<T>`](crate::Json) | the body, deserialized | 415, 413, 400 |
//! | [`Form<T>`] | the body of a form, deserialized | 415, 413, 400 |
//! | `Multipart` | the parts of a form with files, as they arrive, with the feature `multipart` | 415, 413, 400 |
//! | [`Valid<E>`] | `E`, whose value has checked itself, see [`Validate`] | as `E`, 422 |
//! | [`Accept`] | what the client would rather have | |
//! | `Cookies` | the cookies, with the feature `cookies` | |
//! | `Session` | what the client keeps, signed, with the feature `session` | 500 without a key |
//! | `Signer` | signs cookies of your own, with the feature `session` | 500 without a key |
//! | `Vec<u8>`, `String` | the body, up to 2 MiB | 413, 400 |
//! | [`Limited<N, T>`] | [`Json`](crate::Json), [`Form`], `Multipart`, `Vec<u8>` or `String`, with a bound of its own | as `T` |
//! | [`Body`](crate::Body) | the body, as it arrives | |
//! | `Conditions` | what the client has already, and which part it wants: feature `conditional` | |
//! | [`LastEventId`](crate::LastEventId) | where a client of server-sent events left off | 400 |
//! | `&`[`Headers`](crate::Headers) | the fields | |
//! | `&`[`Environ`](crate::Environ) | all that the server knows | |
//! | [`Method`](crate::Method) | GET or HEAD, and so on | |
//! | `&`[`Request`](crate::Request) | everything | |
//! | `Option<E>` | `None` where the request has none: [`Query`], [`Json`](crate::Json), [`Form`], [`LastEventId`](crate::LastEventId) | as `E` |
//! | `Result<E, Rejection>` | the rejection, to answer it yourself | |
//!
//! The body can be taken once. A rejected argument ends the request before the
//! handler runs, with a fixed status and text; the cause goes to the log.

mod accept;
#[cfg(feature = "cookies")]
mod cookies;
#[cfg(any(feature = "json", feature = "form"))]
pub(crate) mod field;
#[cfg(feature = "form")]
mod form;
mod from_param;
mod from_request;
#[cfg(any(feature = "json", feature = "form", feature = "multipart"))]
pub(crate) mod media_type;
#[cfg(feature = "multipart")]
mod multipart;
mod parts;
mod pieces;
mod valid;
mod whole;

pub use accept::Accept;
#[cfg(feature = "cookies")]
pub use cookies::Cookies;
#[cfg(feature = "form")]
pub use form::{Form, Query};
pub use from_param::FromParam;
pub use from_request::{FromRequest, Optional};
#[cfg(feature = "multipart")]
pub use multipart::{Multipart, Part};
pub use valid::{Problems, Valid, Validate};
pub use whole::{DEFAULT_LIMIT, FromBody, Limited};
