//! A chunked body (RFC 9112, section 7.1), octet by octet but for what is in its
//! chunks.

use super::octets::{is_printable, is_token, token_length};

/// Octets of one chunk's extensions, and of all trailers. hyper has bounds of the
/// same kind, over the whole body.
const MAX_LINE: usize = 16 << 10;

/// Fields that say where a message ends or whom it is for: after the message they
/// come too late, or from someone else (RFC 9110, section 6.5.1).
const FORBIDDEN_TRAILERS: [&str; 6] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "transfer-encoding",
];

/// A body of which some may have come.
#[derive(Debug)]
pub struct Chunked {
    at: At,
    /// Octets of the chunk that are still to come; while its size is read, the
    /// size so far.
    left: u64,
    /// The line of extensions or trailers so far.
    line: Vec<u8>,
    /// Octets of trailers in lines before that.
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FirstDigit,
    Digits,
    Extensions,
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    Trailer,
    TrailerLineFeed,
}

/// The chunks are not chunks. Where the body ends, and what comes after it, nobody
/// can say.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunked body is not what RFC 9112, section 7.1, says")]
pub struct Broken;

impl Chunked {
    /// Before the first chunk.
    pub fn new() -> Self {
        Chunked {
            at: At::FirstDigit,
            left: 0,
            line: Vec::new(),
            trailers: 0,
        }
    }

    /// Follows what comes next of it: how many octets, once it ends among them.
    pub fn read(&mut self, octets: &[u8]) -> Result<Option<usize>, Broken> {
        let mut at = 0;
        while let Some(&octet) = octets.get(at) {
            if self.at == At::Data {
                let rest = (octets.len() - at) as u64;
                let come = self.left.min(rest);
                self.left -= come;
                at += come as usize;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
                continue;
            }
            at += 1;
            if self.step(octet)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// One octet outside of data; true at the end of the body.
    fn step(&mut self, octet: u8) -> Result<bool, Broken> {
        self.at = match (self.at, octet) {
            (At::FirstDigit | At::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (octet as char).to_digit(16).map_or(0, u64::from);
                let size = self.left.checked_mul(16).ok_or(Broken)?;
                self.left = size | digit;
                At::Digits
            }
            (At::Digits, b'\r') => At::SizeLineFeed,
            (At::Digits, b';' | b' ' | b'\t') | (At::Extensions, _) if octet != b'\r' => {
                self.push(octet)?;
                At::Extensions
            }
            (At::Extensions, _) => {
                match are_extensions(&self.line) {
                    true => self.line.clear(),
                    false => return Err(Broken),
                }
                At::SizeLineFeed
            }
            (At::SizeLineFeed, b'\n') if self.left == 0 => At::Trailer,
            (At::SizeLineFeed, b'\n') => At::Data,
            (At::DataReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::FirstDigit,
            (At::Trailer, b'\r') => At::TrailerLineFeed,
            (At::Trailer, _) => {
                self.push(octet)?;
                At::Trailer
            }
            (At::TrailerLineFeed, b'\n') if self.line.is_empty() => return Ok(true),
            (At::TrailerLineFeed, b'\n') if is_trailer(&self.line) => {
                self.trailers += self.line.len();
                self.line.clear();
                At::Trailer
            }
            _ => return Err(Broken),
        };
        Ok(false)
    }

    fn push(&mut self, octet: u8) -> Result<(), Broken> {
        if self.trailers + self.line.len() >= MAX_LINE {
            return Err(Broken);
        }
        self.line.push(octet);
        Ok(())
    }
}

/// `;name` and `;name=value`, with blanks around `;` and `=` but not at the end
/// (RFC 9112, section 7.1.1).
fn are_extensions(mut line: &[u8]) -> bool {
    while !line.is_empty() {
        let Some(rest) = after_blanks(line).strip_prefix(b";") else {
            return false;
        };
        let rest = after_blanks(rest);
        let name = token_length(rest);
        if name == 0 {
            return false;
        }
        line = &rest[name..];
        if let Some(value) = after_blanks(line).strip_prefix(b"=") {
            match after_value(after_blanks(value)) {
                Some(rest) => line = rest,
                None => return false,
            }
        }
    }
    true
}

/// What follows a token or a quoted string.
fn after_value(value: &[u8]) -> Option<&[u8]> {
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let length = token_length(value);
        return (length > 0).then(|| &value[length..]);
    };
    let mut at = 0;
    loop {
        match quoted.get(at)? {
            b'"' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    let text = &quoted[..at];
    is_printable(text).then(|| &quoted[at + 1..])
}

fn after_blanks(line: &[u8]) -> &[u8] {
    let blanks = line
        .iter()
        .take_while(|octet| matches!(octet, b' ' | b'\t'));
    &line[blanks.count()..]
}

fn is_trailer(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
    is_token(name) && is_printable(value) && !FORBIDDEN_TRAILERS.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of it in one piece, and that pieces make no difference.
    fn read(body: &str) -> Result<Option<usize>, Broken> {
        let whole = Chunked::new().read(body.as_bytes());
        let mut chunked = Chunked::new();
        let mut piecemeal = Ok(None);
        for (at, octet) in body.bytes().enumerate() {
            match chunked.read(&[octet]) {
                Ok(None) => {}
                Ok(Some(_)) => piecemeal = Ok(Some(at + 1)),
                Err(broken) => piecemeal = Err(broken),
            }
            if piecemeal != Ok(None) {
                break;
            }
        }
        assert_eq!(whole, piecemeal, "{body:?}");
        whole
    }

    #[test]
    fn what_is_right() {
        for body in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "A\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n",
            "3;a\r\nabc\r\n0;b=c\r\n\r\n",
            "3 ; a = \"q\\\" ;\" ; b\r\nabc\r\n0\r\n\r\n",
            "3\r\nabc\r\n0\r\nVary: *\r\nX:\r\n\r\n",
        ] {
            assert_eq!(read(body), Ok(Some(body.len())), "{body:?}");
            let more = format!("{body}GET /");
            assert_eq!(read(&more), Ok(Some(body.len())), "{body:?}");
        }
    }

    #[test]
    fn what_is_not_there_yet() {
        for body in [
            "",
            "3",
            "3\r\nab",
            "3\r\nabc\r\n",
            "0\r\n",
            "0\r\n\r",
            "0\r\na: b\r\n",
        ] {
            assert_eq!(read(body), Ok(None), "{body:?}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for body in [
            "\r\n",
            " 3\r\n",
            "3 \r\nabc",
            "+3\r\n",
            "-3\r\n",
            "0x3\r\n",
            "3_0\r\n",
            "3\nabc",
            "3\rabc",
            "3\r\nabcd",
            "3\r\nabc\n",
            "3;\r\n",
            "3;a=\r\n",
            "3;a b\r\n",
            "3;a \r\n",
            "3;a=\"b\r\n",
            "3;a\rb\r\n",
            "3;a\n\r\n",
            "3;a=\"\0\"\r\n",
            ";a\r\n",
            "10000000000000000\r\n",
            "0\r\nContent-Length: 3\r\n",
            "0\r\nHost: a\r\n",
            "0\r\n a: b\r\n",
            "0\r\na : b\r\n",
            "0\r\na\r\n",
            "0\r\na: b\n",
            "0\r\n\n",
        ] {
            let more = format!("{body}\r\n");
            assert_eq!(read(&more), Err(Broken), "{body:?}");
        }
        assert_eq!(read(&format!("3;{}", "a".repeat(MAX_LINE))), Err(Broken));
        let line = "a: b\r\n".repeat(MAX_LINE);
        assert_eq!(read(&format!("0\r\n{line}")), Err(Broken));
    }
}
