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
//! - [`routing`]: finds the function with code that was written while the
//!   application compiled;
//! - [`extract`]: makes the function's arguments from the request, or answers
//!   with a [`Rejection`];
//! - [`respond`]: makes a [`Response`] of what the function returns, or of its
//!   [`Error`];
//! - [`Hooks`]: what runs before and after, and the site's own error pages;
//! - `serve`: begins the response, and writes its blocks;
//! - `testing`: does without the server, natively: requests from a test, with
//!   the same code from [`App`] on.
//!
//! Files import only from those that come before them: `gateway`, `status`,
//! `method`, `log`; `headers`, `environ`, `body`; `rejection`, `error`,
//! `request`; `extract`, `respond`; `json`, `session`; `events`, `conditional`,
//! `problem`; `files`; `routing`; `outcome`, `hooks`; `serve`, `logger`; `app`;
//! `testing`.
//!
//! # Features
//!
//! - `json`: [`Json`] and [`Problem`]. On by default.
//! - `form`: [`Query`] and [`Form`]. On by default.
//! - `conditional`: `Conditions` and `ETag`: 304, 412, and ranges.
//! - `serve-files`: `File` and `Files`: files of lent directories as answers.
//! - `log`: what the macros of the crate `log` are given becomes lines of the log,
//!   see [Logging](#logging).
//! - `cookies`: `Cookies` are read, and a `Cookie` is set.
//! - `session`: a `Session` in a signed cookie, and a `Signer` for others.
//! - `multipart`: `Multipart`, for forms with files.
//! - `files`: files in lent directories can be written, not only read. Without
//!   it a component imports a third of the functions, which makes each of its
//!   requests cheaper.
//!
//! # Logging
//!
//! Standard error is the log: `eprintln!` writes to it, and the server says which
//! app and request a line is of. With the feature `log`, so does the crate `log`,
//! with its levels: `log::warn!("two left")` in the module `shop::cart` writes
//!
//! ```text
//! WARN shop::cart: two left
//! ```
//!
//! A record is one line, whatever it holds: ends of lines and other control
//! characters are written as `\n` and the like, and what is beyond 4096 octets is
//! cut off, with `…` in its place. The environment variable `RUST_LOG` says what is
//! written, as `warn,shop=debug`, in the syntax of `env_logger`; without it that is
//! what is `info` or worse. It is read by the first record, so that a request that
//! logs nothing does not pay for it. An application with a logger of its own
//! does without the feature: this one is there before the handler.
//!
//! The crate `tracing` needs no subscriber for this: its feature `log` hands its
//! events to the crate `log`.

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
mod hooks;
#[cfg(feature = "json")]
mod json;
mod log;
#[cfg(feature = "log")]
mod logger;
mod method;
mod outcome;
pub mod prelude;
#[cfg(feature = "json")]
mod problem;
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
#[cfg(feature = "conditional")]
pub use conditional::{Conditions, ETag, Validators};
pub use environ::{Environ, Variable};
pub use error::{Error, Result};
pub use events::{Event, Events, LastEventId};
#[cfg(feature = "cookies")]
pub use extract::Cookies;
pub use extract::{Accept, FromParam, FromRequest, Limited, Valid, Validate};
#[cfg(feature = "form")]
pub use extract::{Form, Query};
#[cfg(feature = "multipart")]
pub use extract::{Multipart, Part};
#[cfg(feature = "serve-files")]
pub use files::{File, Files};
pub use gateway::OutputError;
pub use headers::Headers;
pub use hooks::Hooks;
#[cfg(feature = "json")]
pub use json::Json;
pub use method::{Method, Methods};
pub use outcome::Outcome;
#[cfg(feature = "json")]
pub use problem::Problem;
pub use rejection::Rejection;
pub use request::Request;
pub use respond::{Attachment, Html, Redirect, Responder, Response, Stream, Writer};
#[cfg(feature = "cookies")]
pub use respond::{Cookie, SameSite};
pub use rhost_sdk_macros::{app, delete, get, head, options, patch, post, put, route};
#[cfg(feature = "session")]
pub use session::{Session, Signer};
pub use status::Status;

/// What the book shows of the SDK, tested as it stands there.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/sdk.md")]
    mod sdk {}
    #[doc = include_str!("../../docs/from-flask.md")]
    mod from_flask {}
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../../README.md")]
    mod project {}
}
