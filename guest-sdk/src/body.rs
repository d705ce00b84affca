//! [`Body`]: the body of a request, as it arrives.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::mem::ManuallyDrop;

use crate::gateway::Input;
pub use crate::gateway::InputError;

/// The most octets that one call to the server asks for, where the caller does
/// not say: large enough that the call costs little beside the copying, small
/// enough that an upload echoed block by block stays small.
const BLOCK: u32 = 64 * 1024;

/// The body of a request, read as it arrives: `wsgi.input` (PEP 3333, "Input
/// and Error Streams").
///
/// Take it as an argument, and read it in one of these ways: in blocks
/// ([`read`](Body::read), [`chunks`](Body::chunks)), by lines
/// ([`lines`](Body::lines)), whole ([`read_to_vec`](Body::read_to_vec)), or
/// through [`io::Read`] and [`io::BufRead`]. At most one block is held.
///
/// The first read sends `100 Continue` to a client that waits for it (RFC
/// 9110, section 10.1.1); a handler that refuses an upload need not read it.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[post("/count")]
/// fn count(mut body: Body) -> Result<String> {
///     let mut octets = 0;
///     for block in body.chunks() {
///         octets += block?.len();
///     }
///     Ok(format!("{octets}\n"))
/// }
///
/// app!(count);
///
/// let answer = rhost_sdk::testing::post(&APP, "/count").blocks(["milk", "bread"]).send();
/// assert_eq!(answer.text(), "9\n");
/// ```
pub struct Body {
    source: Source,
    /// The block that is being read through [`BufRead`].
    block: Vec<u8>,
    /// How much of it has been read.
    read: usize,
    announced: Option<u64>,
}

/// Where a body comes from.
pub(crate) enum Source {
    /// The server. The handle is never given back: the server releases what an
    /// application holds, and the function that does it would be one more to
    /// import.
    Gateway(ManuallyDrop<Input>),
    /// A test: blocks and errors, in order.
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "tests are run natively")
    )]
    Script(VecDeque<Result<Vec<u8>, InputError>>),
}

impl Source {
    /// As `input.read` of the gateway.
    fn read(&mut self, max: u32) -> Result<Vec<u8>, InputError> {
        match self {
            Source::Gateway(input) => input.read(max),
            Source::Script(blocks) => {
                let mut block = loop {
                    match blocks.pop_front() {
                        None => return Ok(Vec::new()),
                        Some(Ok(block)) if block.is_empty() => {}
                        Some(block) => break block?,
                    }
                };
                if block.len() > max as usize {
                    blocks.push_front(Ok(block.split_off(max as usize)));
                }
                Ok(block)
            }
        }
    }
}

impl Body {
    pub(crate) fn new(source: Source, announced: Option<u64>) -> Body {
        Body {
            source,
            block: Vec::new(),
            read: 0,
            announced,
        }
    }

    /// The length in octets that the client announced. A chunked body has none
    /// (RFC 9112, section 7.1).
    #[must_use]
    pub fn announced_length(&self) -> Option<u64> {
        self.announced
    }

    /// Waits for octets and returns at least 1 and at most `max` of them; an
    /// empty vector is the end.
    ///
    /// # Errors
    ///
    /// The body did not arrive whole, is larger than the server takes, or the
    /// client stopped sending.
    pub fn read(&mut self, max: usize) -> Result<Vec<u8>, InputError> {
        if self.read < self.block.len() {
            let end = self.block.len().min(self.read.saturating_add(max));
            let part = self.block[self.read..end].to_vec();
            self.read = end;
            return Ok(part);
        }
        self.source.read(u32::try_from(max).unwrap_or(u32::MAX))
    }

    /// The blocks, each of at most 64 KiB, as they arrive.
    pub fn chunks(&mut self) -> Chunks<'_> {
        Chunks(Some(self))
    }

    /// The lines, as [`BufRead::lines`] gives them: without their ends, and
    /// with an error for one that is not UTF-8.
    pub fn lines(self) -> io::Lines<Body> {
        BufRead::lines(self)
    }

    /// The whole body, of at most `limit` octets.
    ///
    /// # Errors
    ///
    /// As [`read`](Body::read); and [`InputError::TooLarge`] for a longer body:
    /// before anything is read, where its length was announced.
    pub fn read_to_vec(&mut self, limit: usize) -> Result<Vec<u8>, InputError> {
        let too_large = InputError::TooLarge(limit as u64);
        // The server has held the client to an announced length, so that many
        // octets are all, and the call that would find the end is spared.
        let announced = match self.announced.map(usize::try_from) {
            None => None,
            Some(Ok(length)) if length <= limit => Some(length),
            Some(_) => return Err(too_large),
        };
        let max = announced.map_or(BLOCK as usize, |length| length.max(1));
        let mut whole = self.read(max)?;
        while !whole.is_empty() && Some(whole.len()) != announced {
            let block = self.read(max)?;
            if block.is_empty() {
                break;
            }
            if whole.len() + block.len() > limit {
                return Err(too_large);
            }
            // An announced length is a promise: memory is taken as octets come.
            whole.extend_from_slice(&block);
        }
        if whole.len() > limit {
            Err(too_large)
        } else {
            Ok(whole)
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let count = block.len().min(buffer.len());
        buffer[..count].copy_from_slice(&block[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.block.len() {
            // The old block goes before the new one comes: one at a time.
            self.block = Vec::new();
            self.read = 0;
            self.block = self.source.read(BLOCK)?;
        }
        Ok(&self.block[self.read..])
    }

    fn consume(&mut self, count: usize) {
        self.read = self.block.len().min(self.read + count);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Body")
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}

/// The blocks of a [`Body`]; it ends after the last one, or after an error.
#[derive(Debug)]
pub struct Chunks<'b>(Option<&'b mut Body>);

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<u8>, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.0.as_deref_mut()?.read(BLOCK as usize);
        if !matches!(&block, Ok(block) if !block.is_empty()) {
            self.0 = None;
        }
        Some(block).filter(|block| !matches!(block, Ok(block) if block.is_empty()))
    }
}

impl From<InputError> for io::Error {
    /// An error whose [`get_ref`](io::Error::get_ref) is the [`InputError`].
    fn from(error: InputError) -> io::Error {
        let kind = match error {
            InputError::Incomplete => io::ErrorKind::UnexpectedEof,
            InputError::TimedOut => io::ErrorKind::TimedOut,
            InputError::TooLarge(_) => io::ErrorKind::FileTooLarge,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Body, InputError, Source};

    fn body(blocks: &[&str]) -> Body {
        let blocks = blocks
            .iter()
            .map(|block| Ok(block.as_bytes().to_vec()))
            .collect();
        Body::new(Source::Script(blocks), None)
    }

    #[test]
    fn reads_blocks_as_they_come() {
        let mut body = body(&["abc", "", "de"]);
        assert_eq!(body.read(2), Ok(b"ab".to_vec()));
        assert_eq!(body.read(9), Ok(b"c".to_vec()));
        assert_eq!(body.chunks().collect::<Vec<_>>(), [Ok(b"de".to_vec())]);
        assert_eq!(body.read(9), Ok(Vec::new()));
    }

    #[test]
    fn lines_cross_blocks() {
        let lines: Result<Vec<_>, _> = body(&["one\ntw", "o", "\r\nthree"]).lines().collect();
        assert_eq!(lines.unwrap(), ["one", "two", "three"]);
    }

    #[test]
    fn reading_goes_on_where_a_buffer_ended() {
        let mut body = body(&["abcdef", "gh"]);
        let mut start = [0; 2];
        body.read_exact(&mut start).unwrap();
        assert_eq!(body.read(3), Ok(b"cde".to_vec()));
        let mut rest = String::new();
        body.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "fgh");
    }

    #[test]
    fn the_whole_is_bounded() {
        assert_eq!(body(&["abc", "de"]).read_to_vec(5), Ok(b"abcde".to_vec()));
        assert_eq!(
            body(&["abc", "de"]).read_to_vec(4),
            Err(InputError::TooLarge(4))
        );
        assert_eq!(body(&["abc"]).read_to_vec(2), Err(InputError::TooLarge(2)));
        let mut announced = Body::new(Source::Script([].into()), Some(3));
        assert_eq!(announced.read_to_vec(2), Err(InputError::TooLarge(2)));
        assert_eq!(body(&[]).read_to_vec(0), Ok(Vec::new()));
    }

    #[test]
    fn an_error_ends_it() {
        let script = [Ok(b"a".to_vec()), Err(InputError::TimedOut)].into();
        let mut body = Body::new(Source::Script(script), None);
        let blocks: Vec<_> = body.chunks().collect();
        assert_eq!(blocks, [Ok(b"a".to_vec()), Err(InputError::TimedOut)]);
    }
}
