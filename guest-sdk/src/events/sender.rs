//! [`Sender`]: where events go.

use std::io;

use crate::events::event::{Event, field, lines};
use crate::respond::Writer;

/// Where the closure of [`Events`](crate::Events) sends: each call is one block,
/// and waits while the client reads slower.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/ticks")]
/// fn ticks() -> Events {
///     Events::new(|events| {
///         events.comment("one a minute")?;
///         events.data("tick")?;
///         events.keep_alive()
///     })
/// }
///
/// app!(ticks);
/// # let answer = rhost_sdk::testing::get(&APP, "/ticks").send();
/// # assert_eq!(answer.blocks(), [&b": one a minute\n\n"[..], b"data: tick\n\n", b":\n\n"]);
/// ```
///
/// Its errors are the [`Writer`]'s: nobody reads any more, or the answer is
/// larger than the server sends. `?` ends the answer.
#[derive(Debug)]
pub struct Sender<'w, 's> {
    out: &'w mut Writer<'s>,
    /// What is being written, kept for the next time.
    text: String,
}

impl<'w, 's> Sender<'w, 's> {
    pub(super) fn new(out: &'w mut Writer<'s>) -> Sender<'w, 's> {
        Sender {
            out,
            text: String::new(),
        }
    }

    /// Sends an event.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput), and nothing is sent, for a
    /// name with a line end, or an ID with one or with NUL: what a user wrote
    /// there cannot become a field of its own.
    pub fn send(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.text.clear();
        event.write_to(&mut self.text)?;
        self.flush()
    }

    /// Sends an event that is nothing but its data.
    ///
    /// # Errors
    ///
    /// Only the [`Writer`]'s.
    pub fn data(&mut self, data: &str) -> io::Result<()> {
        self.send(&Event::new(data))
    }

    /// Sends a comment, of any lines, which the client ignores.
    ///
    /// # Errors
    ///
    /// Only the [`Writer`]'s.
    pub fn comment(&mut self, comment: &str) -> io::Result<()> {
        self.text.clear();
        lines(comment).for_each(|line| field(&mut self.text, "", line));
        self.text.push('\n');
        self.flush()
    }

    /// Sends an empty comment, so that nothing between the two closes an idle
    /// connection. The standard recommends one every 15 seconds or so.
    ///
    /// # Errors
    ///
    /// Only the [`Writer`]'s: it is also how a closure that waits learns that the
    /// client has left.
    pub fn keep_alive(&mut self) -> io::Result<()> {
        Ok(self.out.send(b":\n\n")?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.out.send(self.text.as_bytes())?)
    }
}
