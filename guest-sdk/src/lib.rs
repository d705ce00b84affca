//! Write web applications for rhost.
//!
//! An application is a WebAssembly component; the server runs each request in a
//! fresh sandbox of it. Between them stands the gateway, which is PEP 3333
//! (WSGI) carried over. This crate is to the gateway what Flask is to WSGI:
//!
//! ```
//! use rhost_sdk::prelude::*;
//!
//! #[get("/")]
//! fn index() -> &'static str {
//!     "Hello, world!\n"
//! }
//!
//! #[get("/hello/{name}")]
//! fn hello(name: String) -> String {
//!     format!("Hello, {name}!\n")
//! }
//!
//! app!(index, hello);
//!
//! // In a test, natively:
//! let answer = rhost_sdk::testing::get(&APP, "/hello/Ada").send();
//! assert_eq!(answer.status(), 200);
//! assert_eq!(answer.text(), "Hello, Ada!\n");
//! ```
//!
//! The crate is a `cdylib`, and `cargo build --release --target wasm32-wasip2`
//! makes the component.
//!
//! # Layout
//!
//! In the order in which a request meets them:
//!
//! - [`gateway`]: the contract as it is, for who wants nothing else;
//! - [`App`]: makes a [`Request`] of what the gateway hands over: an
//!   [`Environ`] with its [`Headers`], and a [`Body`] that nobody has read;
//! - [`routing`]: finds the function in a table that was sorted while the
//!   application compiled;
//! - [`extract`]: makes the function's arguments from the request, or answers
//!   with a [`Rejection`];
//! - [`respond`]: makes a [`Response`] of what the function returns, or of its
//!   [`Error`];
//! - `serve`: begins the response, and writes its blocks;
//! - `testing`: does without the server, natively: requests from a test, with
//!   the same code from [`App`] on.
//!
//! Files import only from those that come before them: `gateway`, `status`,
//! `method`, `log`; `headers`, `environ`, `body`; `rejection`, `error`,
//! `request`; `extract`, `respond`; `json`, `session`; `routing`; `serve`; `app`;
//! `testing`.
//!
//! # Features
//!
//! - `json`: [`Json`]. On by default.
//! - `form`: [`Query`] and [`Form`]. On by default.
//! - `cookies`: `Cookies` are read, and a `Cookie` is set.
//! - `session`: a `Session` in a signed cookie, and a `Signer` for others.
//! - `multipart`: `Multipart`, for forms with files.
//! - `files`: files in lent directories can be written, not only read. Without
//!   it a component imports a third of the functions, which makes each of its
//!   requests cheaper.

// The macros name this crate as its users do.
extern crate self as rhost_sdk;

mod app;
mod body;
mod environ;
mod error;
pub mod extract;
pub mod gateway;
mod headers;
#[cfg(feature = "json")]
mod json;
mod log;
mod method;
pub mod prelude;
mod rejection;
mod request;
pub mod respond;
pub mod routing;
mod serve;
#[cfg(feature = "session")]
pub mod session;
mod status;
#[cfg(all(target_os = "wasi", not(feature = "files")))]
mod stdio;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use app::App;
pub use body::{Body, Chunks, InputError};
pub use environ::{Environ, Variable};
pub use error::{Error, Result};
#[cfg(feature = "cookies")]
pub use extract::Cookies;
pub use extract::{Accept, FromParam, FromRequest, Limited, Valid, Validate};
#[cfg(feature = "form")]
pub use extract::{Form, Query};
#[cfg(feature = "multipart")]
pub use extract::{Multipart, Part};
pub use gateway::OutputError;
pub use headers::Headers;
#[cfg(feature = "json")]
pub use json::Json;
pub use method::Method;
pub use rejection::Rejection;
pub use request::Request;
#[cfg(feature = "cookies")]
pub use respond::{Cookie, SameSite};
pub use respond::{Html, Redirect, Responder, Response, Stream, Writer};
pub use rhost_sdk_macros::{app, delete, get, head, options, patch, post, put};
#[cfg(feature = "session")]
pub use session::{Session, Signer};
pub use status::Status;
