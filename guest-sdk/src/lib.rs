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
//! `request`; `extract`, `respond`; `json`; `events`,
//! `conditional`; `files`; `problem`; `routing`; `serve`; `app`; `testing`.
//!
//! # Features
//!
//! - `json`: [`Json`] and [`Problem`]. On by default.
//! - `form`: [`Query`] and [`Form`]. On by default.
//! - `conditional`: [`Conditions`] and [`ETag`]: 304, 412, and ranges.
//! - `serve-files`: [`File`] and [`Files`]: files of lent directories as answers.
//! - `files`: files in lent directories can be written, not only read. Without
//!   it a component imports a third of the functions, which makes each of its
//!   requests cheaper.

// The macros name this crate as its users do.
extern crate self as rhost_sdk;

mod app;
mod body;
#[cfg(feature = "conditional")]
pub mod conditional;
mod environ;
mod error;
pub mod events;
pub mod extract;
#[cfg(feature = "serve-files")]
pub mod files;
pub mod gateway;
mod headers;
#[cfg(feature = "json")]
mod json;
mod log;
mod method;
pub mod prelude;
#[cfg(feature = "json")]
mod problem;
mod rejection;
mod request;
pub mod respond;
pub mod routing;
mod serve;
mod status;
#[cfg(all(target_os = "wasi", not(feature = "files")))]
mod stdio;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use app::App;
pub use body::{Body, Chunks, InputError};
#[cfg(feature = "conditional")]
pub use conditional::{Conditions, ETag, Validators};
pub use environ::{Environ, Variable};
pub use error::{Error, Result};
pub use events::{Event, Events, LastEventId};
#[cfg(feature = "form")]
pub use extract::{Form, Query};
pub use extract::{FromParam, FromRequest, Limited};
#[cfg(feature = "serve-files")]
pub use files::{File, Files};
pub use gateway::OutputError;
pub use headers::Headers;
#[cfg(feature = "json")]
pub use json::Json;
pub use method::Method;
#[cfg(feature = "json")]
pub use problem::Problem;
pub use rejection::Rejection;
pub use request::Request;
pub use respond::{Attachment, Html, Redirect, Responder, Response, Stream, Writer};
pub use rhost_sdk_macros::{app, delete, get, head, options, patch, post, put};
pub use status::Status;
