//! A harness that starts the host in this process, on a port of the system's
//! choice, with a guest by its name:
//!
//! ```no_run
//! # async fn example() {
//! use rhost_tests::Test;
//!
//! let answer = Test::serving("spin-forever").cpu("50ms").get("/").await;
//! assert_eq!(answer.status, 504);
//! assert!(answer.log.contains("CPU limit of 50ms reached"));
//! # }
//! ```
//!
//! Guests are the files in `tests/guests/examples`, the crates in `tests/guests`
//! and the crates in `examples`.
//! They are built when a test first asks for one. So are WSGI programs: the
//! directories beside them that have a pyproject.toml, see [`python`].

mod binary;
mod client;
mod command;
mod deploys;
mod fleet;
pub mod frames;
mod guests;
mod here;
pub mod python;
mod server;
mod settings;
mod start;
mod test;
mod tls;

pub use client::{Answer, Client, Received};
pub use fleet::Fleet;
pub use guests::{engines, file, imported_functions, load_in, size_class};
pub use server::{Server, Stopped};
pub use start::Start;
pub use test::Test;
pub use tls::{Authority, Identity};
