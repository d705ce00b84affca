//! [`Part`]: a field of a form, or a file.

use std::fmt;
use std::io::{self, BufRead, Read};

use crate::extract::multipart::disposition::Disposition;
use crate::extract::multipart::reader::Reader;
use crate::gateway::InputError;
use crate::rejection::Rejection;
use crate::status::Status;

/// A part of a [`Multipart`](crate::Multipart): a field, or a file.
///
/// Its data is read as it arrives, through [`io::Read`] and [`io::BufRead`], or
/// taken whole up to a bound.
pub struct Part<'m> {
    reader: &'m mut Reader,
    disposition: Disposition,
}

impl<'m> Part<'m> {
    pub(super) fn new(reader: &'m mut Reader, disposition: Disposition) -> Part<'m> {
        Part {
            reader,
            disposition,
        }
    }

    /// The name of the form's field (RFC 7578, section 4.2). Several parts can
    /// have one name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.disposition.name
    }

    /// What the client calls the file; `None` for a part that is none. It is
    /// the client's text, which may name a path: see
    /// [`safe_filename`](Part::safe_filename).
    #[must_use]
    pub fn client_filename(&self) -> Option<&str> {
        self.disposition.filename.as_deref()
    }

    /// What the client calls the file, without directories and without control
    /// characters: what follows the last `/` or `\`. `None` where nothing is
    /// left, or `.` or `..` is. Two files can have one name.
    #[must_use]
    pub fn safe_filename(&self) -> Option<String> {
        let name = self.client_filename()?.rsplit(['/', '\\']).next()?;
        let name: String = name.chars().filter(|mark| !mark.is_control()).collect();
        let name = name.trim();
        (!matches!(name, "" | "." | "..")).then(|| name.into())
    }

    /// The Content-Type that the client gives it (RFC 7578, section 4.4). It is
    /// a claim.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.disposition.content_type.as_deref()
    }

    /// What is left of it, of at most `limit` octets.
    ///
    /// # Errors
    ///
    /// It is larger ([`InputError::TooLarge`]), or did not arrive.
    pub fn read_to_vec(&mut self, limit: usize) -> Result<Vec<u8>, InputError> {
        let mut whole = Vec::new();
        loop {
            let block = self.reader.data()?;
            let length = block.len();
            if length == 0 {
                return Ok(whole);
            }
            if length > limit - whole.len() {
                return Err(InputError::TooLarge(limit as u64));
            }
            whole.extend_from_slice(block);
            self.reader.consume(length);
        }
    }

    /// What is left of it as text, of at most `limit` octets.
    ///
    /// # Errors
    ///
    /// 413 if it is larger, 400 if it is not UTF-8 (RFC 7578, section 5.1), 400
    /// or 408 if it did not arrive.
    pub fn text(&mut self, limit: usize) -> Result<String, Rejection> {
        String::from_utf8(self.read_to_vec(limit)?).map_err(|error| {
            Rejection::new(Status::BAD_REQUEST, "The form is malformed").because(error)
        })
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let count = block.len().min(buffer.len());
        buffer[..count].copy_from_slice(&block[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Part<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.reader.data()?)
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Part")
            .field("name", &self.name())
            .field("client_filename", &self.client_filename())
            .field("content_type", &self.content_type())
            .finish_non_exhaustive()
    }
}
