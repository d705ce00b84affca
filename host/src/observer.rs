//! What an app does against the rules, told as it happens to whoever asked for
//! it: `rhost check` does, a server does not. Everything here is told where a
//! request already leaves its usual way, so that one that keeps the rules pays
//! nothing for it.

use crate::failure::Cause;
use crate::gateway::{InputError, OutputError, StartError};
use http::StatusCode;

/// Somebody who is told. It is called on the threads that serve, so it should be
/// quick.
pub trait Observer: Send + Sync {
    /// One of the app's requests did this.
    fn observe(&self, event: Event<'_>);
}

/// What happened in a request.
#[derive(Debug)]
pub enum Event<'a> {
    /// It failed.
    Failed(&'a Cause),
    /// `start-response` refused; with the name of the field that it refused, if it
    /// was one.
    NotStarted(StartError, Option<&'a str>),
    /// `input.read` gave an error.
    NotRead(InputError),
    /// `output.write` took nothing.
    NotWritten(OutputError),
    /// So many octets lay beyond an announced Content-Length, and were cut off.
    Beyond(u64),
    /// So many octets were written, or more, under a status that has no body.
    NoBody(StatusCode, u64),
    /// The guest printed a line.
    Printed(&'a [u8]),
    /// A line was dropped, as the app has no more of the log.
    LineDropped,
}
