//! Where one part ends and the next begins (RFC 2046, section 5.1.1).

use memchr::memmem::{self, Finder};

use crate::body::Body;
use crate::extract::multipart::malformed;
use crate::gateway::InputError;
use crate::rejection::Rejection;

/// The most octets that are asked for at once.
const BLOCK: usize = 64 * 1024;

/// The most octets of a part's head, with the line of the boundary.
const MOST_HEAD: usize = 8 * 1024;

/// The end of a head.
const BLANK: &[u8] = b"\r\n\r\n";

/// Splits a body at its boundary.
pub(super) struct Reader {
    body: Body,
    /// A line's end and the boundary's line: what ends the data of a part.
    delimiter: Finder<'static>,
    /// What has arrived and was not consumed stands behind `start`.
    held: Vec<u8>,
    start: usize,
    /// So many octets from `start` on are data: no delimiter begins in them.
    data: usize,
    /// How much more may arrive.
    left: usize,
    limit: usize,
    /// Whether the last delimiter was met.
    ended: bool,
}

impl Reader {
    pub(super) fn new(body: Body, boundary: &str, limit: usize) -> Reader {
        let delimiter = format!("\r\n--{boundary}");
        Reader {
            body,
            delimiter: Finder::new(delimiter.as_bytes()).into_owned(),
            // The first boundary may stand at the very beginning.
            held: b"\r\n".to_vec(),
            start: 0,
            data: 0,
            left: limit,
            limit,
            ended: false,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.held[self.start..]
    }

    /// The data at hand of the part that is read, or of what stands before the
    /// first one; empty where it ends.
    pub(super) fn data(&mut self) -> Result<&[u8], InputError> {
        while self.data == 0 && !self.ended {
            let delimiter = self.delimiter.needle().len();
            match self.delimiter.find(self.rest()) {
                Some(0) => break,
                Some(place) => self.data = place,
                // One may have begun in the last octets.
                None if self.rest().len() >= delimiter => {
                    self.data = self.rest().len() - (delimiter - 1);
                }
                None => self.fill()?,
            }
        }
        Ok(&self.rest()[..self.data])
    }

    /// Passes over data.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.data);
        self.start += count;
        self.data -= count;
    }

    /// Passes over the delimiter at which the data ended, and says whether a
    /// part follows.
    pub(super) fn is_part_next(&mut self) -> Result<bool, InputError> {
        if self.ended {
            return Ok(false);
        }
        let delimiter = self.delimiter.needle().len();
        while self.rest().len() < delimiter + 2 {
            self.fill()?;
        }
        self.start += delimiter;
        self.ended = self.rest().starts_with(b"--");
        Ok(!self.ended)
    }

    /// The fields of the part that follows, with the blank line after them.
    pub(super) fn head(&mut self) -> Result<&[u8], Rejection> {
        let mut searched = 0;
        let length = loop {
            let rest = self.rest();
            let most = rest.len().min(MOST_HEAD);
            if let Some(place) = memmem::find(&rest[searched..most], BLANK) {
                break searched + place + BLANK.len();
            }
            if most == MOST_HEAD {
                return Err(malformed("the head of a part is too large"));
            }
            searched = most.saturating_sub(BLANK.len() - 1);
            self.fill()?;
        };
        let head = self.start..self.start + length;
        self.start = head.end;
        let head = &self.held[head];
        // What is left of the boundary's line is padding at most.
        let padding = head
            .iter()
            .take_while(|octet| matches!(octet, b' ' | b'\t'))
            .count();
        head[padding..]
            .strip_prefix(b"\r\n")
            .ok_or_else(|| malformed("a line begins like the boundary and goes on"))
    }

    /// Waits for more.
    fn fill(&mut self) -> Result<(), InputError> {
        self.held.drain(..self.start);
        self.start = 0;
        let block = self.body.read(BLOCK)?;
        if block.is_empty() {
            return Err(InputError::Incomplete);
        }
        self.left = self
            .left
            .checked_sub(block.len())
            .ok_or(InputError::TooLarge(self.limit as u64))?;
        self.held.extend_from_slice(&block);
        Ok(())
    }
}
