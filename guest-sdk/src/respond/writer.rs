//! [`Writer`]: the `write` callable of PEP 3333.

use std::fmt;
use std::io;

use crate::gateway::OutputError;

/// Where a [`Stream`](crate::Stream) writes: the callable that `start_response`
/// returns in PEP 3333.
///
/// Each `write` sends one block at once, and waits while the client reads
/// slower; nothing is held back. So write what belongs together in one call:
/// `write!` and `writeln!` do so, with whatever they format. For many small
/// pieces, put a [`BufWriter`](io::BufWriter) around it.
///
/// An empty block sends nothing.
///
/// ```
/// use std::io::Write;
///
/// use rhost_sdk::prelude::*;
///
/// #[get("/count/{to}")]
/// fn count(to: u32) -> Stream {
///     Stream::new("text/plain", move |out| {
///         for number in 1..=to {
///             writeln!(out, "{number}")?;
///         }
///         Ok(())
///     })
/// }
///
/// app!(count);
///
/// let answer = rhost_sdk::testing::get(&APP, "/count/3").send();
/// assert_eq!(answer.blocks(), [b"1\n", b"2\n", b"3\n"]);
/// ```
pub struct Writer<'s> {
    send: &'s mut dyn FnMut(&[u8]) -> Result<(), OutputError>,
    failure: Option<OutputError>,
    /// What is being formatted, kept for the next time.
    text: String,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(send: &'s mut dyn FnMut(&[u8]) -> Result<(), OutputError>) -> Writer<'s> {
        Writer {
            send,
            failure: None,
            text: String::new(),
        }
    }

    /// Sends a block.
    ///
    /// # Errors
    ///
    /// Nobody reads the response any more, or it is larger than the server
    /// sends. Every later call fails alike.
    pub fn send(&mut self, block: &[u8]) -> Result<(), OutputError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        if block.is_empty() {
            return Ok(());
        }
        (self.send)(block).inspect_err(|error| self.failure = Some(*error))
    }

    /// The error that ended the response, if one did.
    pub(crate) fn failure(&self) -> Option<OutputError> {
        self.failure
    }
}

impl io::Write for Writer<'_> {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        self.send(block)?;
        Ok(block.len())
    }

    /// Nothing is held back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    // The provided method would send each piece of the format by itself.
    fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        fmt::write(&mut text, arguments).map_err(io::Error::other)?;
        let sent = self.send(text.as_bytes());
        self.text = text;
        Ok(sent?)
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Writer")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl From<OutputError> for io::Error {
    /// An error whose [`get_ref`](io::Error::get_ref) is the [`OutputError`].
    fn from(error: OutputError) -> io::Error {
        let kind = match error {
            OutputError::Closed => io::ErrorKind::BrokenPipe,
            OutputError::TooLarge(_) => io::ErrorKind::FileTooLarge,
            OutputError::Superseded => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
