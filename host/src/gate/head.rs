//! The head of a request, line by line as it comes: is it one that everybody on
//! its way reads alike?

use super::octets::{is_authority, is_expected, is_printable, number, token_length, trimmed};
use super::refusal::Refusal;
use super::request_line::{self, Version};
use crate::settings::HeadLimits;
use memchr::memchr;
use std::ops::Range;

/// Where a request's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many octets; none without Content-Length.
    Length(u64),
    /// With the last chunk.
    Chunked,
}

/// A head of which some lines may have come. What it was shown before is shown to
/// it again, from the head's first octet, and not looked at twice.
#[derive(Debug, Default)]
pub struct Head {
    /// Where the first line that is not whole begins.
    line: usize,
    /// Up to where no end of that line was found.
    searched: usize,
    /// None before the first line.
    version: Option<Version>,
    skipped_empty_line: bool,
    fields: usize,
    has_host: bool,
    has_content_type: bool,
    length: Option<u64>,
    coding: Coding,
    /// Where its target is, if hyper does not take that as it is.
    target: Option<Range<usize>>,
}

/// What Transfer-Encoding said so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Coding {
    #[default]
    None,
    /// `chunked` came last.
    Chunked,
    /// The same, after codings that are not known here.
    UnknownChunked,
    /// Another came last.
    Unknown,
}

impl Head {
    /// Looks at what has come of it since. When it is whole: how long it is, and
    /// where the body after it ends.
    #[inline]
    pub fn read(
        &mut self,
        octets: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<(usize, Framing)>, Refusal> {
        while let Some(found) = memchr(b'\n', &octets[self.searched..]) {
            let end = self.searched + found;
            let line = octets[self.line..end]
                .strip_suffix(b"\r")
                .ok_or(Refusal::BareLineFeed)?;
            (self.line, self.searched) = (end + 1, end + 1);
            let Some(version) = self.version else {
                self.first_line(line, limits)?;
                continue;
            };
            if end > limits.octets {
                return Err(Refusal::FieldsTooLarge);
            }
            if line.is_empty() {
                return self.end(version).map(|framing| Some((end + 1, framing)));
            }
            self.field(line, limits)?;
        }
        self.searched = octets.len();
        match self.version {
            // One more may be the CR of its end.
            None if octets.len() - self.line > limits.request_line + 1 => Err(Refusal::LineTooLong),
            Some(_) if octets.len() > limits.octets => Err(Refusal::FieldsTooLarge),
            _ => Ok(None),
        }
    }

    /// Whether anything of it has come, an empty line aside.
    pub fn has_begun(&self) -> bool {
        self.searched > 2 * usize::from(self.skipped_empty_line)
    }

    fn first_line(&mut self, line: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        if line.is_empty() {
            // Some clients end a body with a line that they do not count (RFC
            // 9112, section 2.2).
            return match std::mem::replace(&mut self.skipped_empty_line, true) {
                false => Ok(()),
                true => Err(Refusal::EmptyLines),
            };
        }
        if line.len() > limits.request_line {
            return Err(Refusal::LineTooLong);
        }
        let read = request_line::read(line)?;
        self.version = Some(read.version);
        let start = self.line - line.len() - "\r\n".len();
        self.target = read
            .target
            .map(|target| start + target.start..start + target.end);
        Ok(())
    }

    /// Where its target is, if hyper does not take that as it is.
    pub fn odd_target(&self) -> Option<Range<usize>> {
        self.target.clone()
    }

    fn field(&mut self, line: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > limits.fields {
            return Err(Refusal::TooManyFields);
        }
        let colon = token_length(line);
        if colon == 0 || line.get(colon) != Some(&b':') {
            return Err(match line[0] {
                b' ' | b'\t' => Refusal::Folding,
                _ => Refusal::FieldName,
            });
        }
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if !is_printable(value) {
            return Err(Refusal::FieldValue);
        }
        // Few names have one of these lengths, and fewer are compared.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(trimmed(value)),
            6 if name.eq_ignore_ascii_case(b"expect") => expect(trimmed(value)),
            12 if name.eq_ignore_ascii_case(b"content-type") => self.content_type(),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length(trimmed(value)),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.coding(value),
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.has_host, true) {
            return Err(Refusal::HostRepeated);
        }
        match is_authority(value) {
            true => Ok(()),
            false => Err(Refusal::HostInvalid),
        }
    }

    /// A CGI view has one CONTENT_TYPE, and which of two it is would be a guess.
    fn content_type(&mut self) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.has_content_type, true) {
            true => Err(Refusal::ContentTypeRepeated),
            false => Ok(()),
        }
    }

    /// Two that agree might be let pass (RFC 9110, section 8.6), but whoever
    /// stands before us may have read them in another way.
    fn length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let length = number(value).ok_or(Refusal::Length)?;
        match self.length.replace(length) {
            Some(_) => Err(Refusal::LengthRepeated),
            None => Ok(()),
        }
    }

    fn coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        for coding in value.split(|&octet| octet == b',') {
            let is_chunked = trimmed(coding).eq_ignore_ascii_case(b"chunked");
            self.coding = match (self.coding, is_chunked) {
                (Coding::None, true) => Coding::Chunked,
                (Coding::Unknown, true) => Coding::UnknownChunked,
                // Nothing comes after chunked (RFC 9112, section 6.1).
                (Coding::Chunked | Coding::UnknownChunked, _) => {
                    return Err(Refusal::CodingUnfinished);
                }
                (_, false) => Coding::Unknown,
            };
        }
        Ok(())
    }

    fn end(&self, version: Version) -> Result<Framing, Refusal> {
        if version == Version::Http11 && !self.has_host {
            return Err(Refusal::HostMissing);
        }
        if self.coding == Coding::None {
            return Ok(Framing::Length(self.length.unwrap_or(0)));
        }
        if version == Version::Http10 {
            return Err(Refusal::CodingInHttp10);
        }
        if self.length.is_some() {
            return Err(Refusal::LengthAndCoding);
        }
        match self.coding {
            Coding::Chunked => Ok(Framing::Chunked),
            Coding::UnknownChunked => Err(Refusal::CodingUnknown),
            Coding::None | Coding::Unknown => Err(Refusal::CodingUnfinished),
        }
    }
}

/// Whatever else a client expects is not met here (RFC 9110, section 10.1.1).
fn expect(value: &[u8]) -> Result<(), Refusal> {
    match is_expected(value) {
        true => Ok(()),
        false => Err(Refusal::Expectation),
    }
}
