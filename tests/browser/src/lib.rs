//! Drives a headless Chromium from a test, over the DevTools protocol:
//!
//! ```no_run
//! let Some(browser) = rhost_browser::start() else { return };
//! let mut page = browser.page();
//! page.open("http://127.0.0.1:8000/");
//! page.fill("input[name=name]", "Ada");
//! page.click_through("button");
//! assert_eq!(page.text("h1"), "Ada's notes");
//! assert!(page.take_errors().is_empty());
//! ```
//!
//! Everything waits for an event of the browser's, and never for a time. What
//! does not come within [`PATIENCE`] is a panic at the test's own line, as an
//! assertion is.
//!
//! # Layout
//!
//! [`find`] looks for the program, and `process` starts and ends it. `protocol` is
//! one socket of DevTools. A [`Browser`] has pages, and a [`Page`] can be opened and
//! asked; `input` is what a user does there, `wait` is patience, `picture` is what
//! can be seen, `cookies` what is kept, and `errors` what the console says.

mod browser;
mod cookies;
mod errors;
pub mod find;
mod input;
mod page;
mod picture;
mod process;
mod protocol;
mod wait;

use std::time::Duration;

pub use browser::{Browser, start};
pub use page::Page;

/// How long the browser may take for one thing. It is only ever waited out where
/// something is broken, so it is long enough for a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(45);
