//! Routes: which function answers which path.
//!
//! A route is an attribute on a function, and a site is a list of them:
//!
//! ```
//! use rhost_sdk::prelude::*;
//!
//! #[get("/")]
//! fn index() -> &'static str {
//!     "Hello, world!\n"
//! }
//!
//! #[get("/users/{id}")]
//! fn show(id: u32) -> String {
//!     format!("user {id}\n")
//! }
//!
//! app!(index, show);
//!
//! # assert_eq!(rhost_sdk::testing::get(&APP, "/users/7").send().text(), "user 7\n");
//! ```
//!
//! # Patterns
//!
//! A pattern is a path: segments between slashes, and a segment `{name}` takes
//! whatever stands there, except nothing. The argument of that name gets it, so
//! a `{name}` without an argument does not compile. A trailing slash counts:
//! `/notes` and `/notes/` are two paths. A pattern has at most 32 segments.
//!
//! A last segment `{name..}` is a tail: it takes the rest of the path, slashes
//! and all, and at least one octet. `/files/{path..}` answers `/files/a/b.txt`,
//! with `a/b.txt` as the argument `path`, but not `/files/`. The path is as the
//! client sent it, decoded once: a tail may hold `..` and `//`, so look before
//! opening a file by that name.
//!
//! ```
//! use rhost_sdk::prelude::*;
//!
//! #[get("/files/{path..}")]
//! fn file(path: &str) -> String {
//!     format!("file {path}\n")
//! }
//!
//! app!(file);
//!
//! let answer = rhost_sdk::testing::get(&APP, "/files/a/b.txt").send();
//! assert_eq!(answer.text(), "file a/b.txt\n");
//! assert_eq!(rhost_sdk::testing::get(&APP, "/files/").send().status(), 404);
//! ```
//!
//! A pattern is compared with `PATH_INFO` (PEP 3333), which the server has
//! percent-decoded once: write `/été`, and know that `%2F` in a request is a
//! slash like any other. Where the application is mounted at `/shop`, its `/`
//! answers `/shop` as well as `/shop/`.
//!
//! A literal segment wins over a parameter, and a parameter over a tail, at the
//! first segment where two patterns differ; where the one leads nowhere, the
//! next is tried. A parameter that does not parse is a 404, and ends the search.
//!
//! # Methods
//!
//! There is an attribute for each of [`Method`](crate::Method)'s. A function
//! that answers several lists them, and may ask which it was:
//!
//! ```
//! use rhost_sdk::prelude::*;
//!
//! #[route("/note", methods = [GET, POST])]
//! fn note(method: Method) -> &'static str {
//!     match method {
//!         Method::Post => "kept\n",
//!         _ => "milk\n",
//!     }
//! }
//!
//! app!(note);
//!
//! let answer = rhost_sdk::testing::post(&APP, "/note").send();
//! assert_eq!(answer.text(), "kept\n");
//! ```
//!
//! # Prefixes
//!
//! `"/admin" => [...]` in the list puts a prefix before the patterns of the
//! routes below it, as a blueprint of Flask does, so a module can be listed
//! where the site wants it. There can be prefixes below a prefix.
//!
//! ```
//! use rhost_sdk::prelude::*;
//!
//! mod admin {
//!     use rhost_sdk::prelude::*;
//!
//!     #[get("/")]
//!     pub fn index() -> &'static str {
//!         "admin\n"
//!     }
//!
//!     #[get("/users/{id}")]
//!     pub fn user(id: u32) -> String {
//!         format!("user {id}\n")
//!     }
//! }
//!
//! #[get("/")]
//! fn index() -> &'static str {
//!     "Hello, world!\n"
//! }
//!
//! app!(index, "/admin" => [admin::index, admin::user]);
//!
//! let get = |target| rhost_sdk::testing::get(&APP, target).send();
//! assert_eq!(get("/admin/users/7").text(), "user 7\n");
//! assert_eq!(get("/admin/").text(), "admin\n");
//! assert_eq!(get("/admin").status(), 404);
//! ```
//!
//! The pattern is the prefix with the function's own after it, and nothing
//! more: `/` below `/admin` is `/admin/`. A prefix is text alone. A parameter
//! is an argument of the function, which only its own pattern can check. A
//! function can be listed at several places.
//!
//! # What a site answers by itself
//!
//! - 404 where no pattern fits;
//! - 405 with Allow, where one fits and has not this method (RFC 9110, section
//!   15.5.6);
//! - HEAD, with the route for GET, unless there is one for HEAD;
//! - OPTIONS, with 204 and Allow, unless there is a route for it; and
//!   `OPTIONS *`, with the methods of the whole site (RFC 9110, section 9.3.7).
//!
//! Error pages of the site's own, and functions that run before and after each
//! request, stand beside the routes: see [`Hooks`](crate::Hooks).
//!
//! # How it works
//!
//! A fresh sandbox runs each request, so a router that is built at start-up
//! would be built on every request, and one that is data would be copied for
//! every request, with the memory that it lies in. Here it is code. The
//! attribute leaves the function as it was, to be called and tested, and adds an
//! empty type of the same name, which implements [`Handler`]: types and
//! functions have namespaces of their own, and `use users::show` imports both.
//! Every pattern has a [`Shape`], which says where it has parameters, and a key,
//! which is a hash of its texts. [`Index`] finds both while the crate compiles,
//! and two equal routes fail the build; `app!` writes a `match` over the keys,
//! which is the [`Table`]. A request is looked up once for each shape that has as
//! many segments as it has, the best first, and what is found is compared with the
//! pattern by a [`Cursor`]. One that is not listed is an unused function, and
//! rustc says so unless it is public.

mod cursor;
mod index;
mod message;
mod nest;
mod param;
mod route;
mod shape;
mod table;

pub use cursor::Cursor;
pub use index::{Index, methods};
pub use nest::join;
pub use param::{Params, param, text};
pub use route::{Handler, Route, Segment};
pub use shape::Shape;
pub use table::{Row, Table};
