//! Lines for the log: stderr, which is `wsgi.errors` (PEP 3333, "Input and
//! Error Streams"). The server knows which app and which request a line is
//! from.

use std::error::Error;
use std::io::Write;

use crate::status::Status;

/// Writes a line, in one piece: stderr has no buffer, and each piece would be a
/// call to the server.
pub(crate) fn line(mut text: String) {
    text.push('\n');
    if cfg!(target_family = "wasm") {
        // A log that is gone is no reason to fail the request.
        let _ = std::io::stderr().write_all(text.as_bytes());
    } else {
        // The macro's output belongs to the test that runs.
        eprint!("{text}");
    }
}

/// Writes why an answer is not the one that was hoped for: the status, what the
/// client sees, and the cause.
pub(crate) fn cause(status: Status, text: &str, cause: &(dyn Error + Send + Sync)) {
    line(format!("{}: {text}: {}", status.code(), chain(cause)));
}

/// An error and its sources, each after a colon.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
