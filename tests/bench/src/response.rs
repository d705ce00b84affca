//! What comes back: a reader of HTTP/1.1 responses that keeps nothing but
//! lengths, unless it is asked to.

use anyhow::{Context, Result, bail, ensure};

/// The most that a head may take.
const LARGEST_HEAD: usize = 64 * 1024;

/// A response that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Octets of its body.
    pub length: u64,
    /// Whether the connection takes another request.
    pub keep_alive: bool,
}

/// Reads one response after another from what a connection brings.
pub struct Reader {
    state: State,
    /// A head of which the end has not come yet; mostly empty.
    partial: Vec<u8>,
    /// What is known so far of the response that is being read.
    answer: Answer,
    /// The bodies that were read; none when nobody wants to see them.
    body: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum State {
    Head,
    /// So many octets are left.
    Fixed(u64),
    /// The size of a chunk, as far as it was read.
    ChunkSize {
        size: u64,
        digits: u8,
        extension: bool,
    },
    /// So many octets of the chunk are left.
    ChunkData(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// A line of the trailers, of which so many octets were read.
    Trailer(u32),
    /// All that comes until the server closes.
    UntilClose,
}

const CHUNK_SIZE: State = State::ChunkSize {
    size: 0,
    digits: 0,
    extension: false,
};

const NONE_YET: Answer = Answer {
    status: 0,
    length: 0,
    keep_alive: true,
};

impl Reader {
    /// A reader that counts.
    pub fn new() -> Self {
        Reader {
            state: State::Head,
            partial: Vec::new(),
            answer: NONE_YET,
            body: None,
        }
    }

    /// A reader that keeps bodies as well.
    pub fn keeping_bodies() -> Self {
        Reader {
            body: Some(Vec::new()),
            ..Reader::new()
        }
    }

    /// The bodies read so far.
    pub fn into_body(self) -> Vec<u8> {
        self.body.unwrap_or_default()
    }

    /// Takes what was received, and returns the response if that was its end.
    /// More than one response cannot be there: nothing is pipelined.
    pub fn feed(&mut self, mut input: &[u8]) -> Result<Option<Answer>> {
        while !input.is_empty() {
            let ended = match &mut self.state {
                State::Head => self.head(&mut input)?,
                State::Fixed(left) => {
                    let octets = (*left).min(input.len() as u64);
                    *left -= octets;
                    let ended = *left == 0;
                    self.take(&mut input, octets);
                    ended
                }
                State::UntilClose => {
                    let octets = input.len() as u64;
                    self.take(&mut input, octets);
                    false
                }
                _ => self.chunked(&mut input)?,
            };
            if ended {
                ensure!(input.is_empty(), "octets after the end of the response");
                self.state = State::Head;
                return Ok(Some(std::mem::replace(&mut self.answer, NONE_YET)));
            }
        }
        Ok(None)
    }

    /// The connection was closed: the end of a body that has no other.
    pub fn closed(&mut self) -> Option<Answer> {
        let whole = matches!(self.state, State::UntilClose);
        self.state = State::Head;
        self.partial.clear();
        let answer = std::mem::replace(&mut self.answer, NONE_YET);
        whole.then_some(answer)
    }

    /// Takes so many octets for body.
    fn take(&mut self, input: &mut &[u8], octets: u64) {
        let (body, rest) = input.split_at(octets as usize);
        if let Some(kept) = &mut self.body {
            kept.extend_from_slice(body);
        }
        self.answer.length += octets;
        *input = rest;
    }

    /// Reads a head. Returns whether that is all of the response.
    fn head(&mut self, input: &mut &[u8]) -> Result<bool> {
        let before = self.partial.len();
        let head = if before == 0 {
            Head::parse(input)?
        } else {
            self.partial.extend_from_slice(input);
            Head::parse(&self.partial)?
        };
        let Some(head) = head else {
            if before == 0 {
                self.partial.extend_from_slice(input);
            }
            ensure!(
                self.partial.len() <= LARGEST_HEAD,
                "the head has no end in sight"
            );
            *input = &[];
            return Ok(false);
        };
        self.partial.clear();
        *input = &input[head.octets - before..];
        if head.status < 200 {
            return Ok(false);
        }
        self.answer.status = head.status;
        self.answer.keep_alive = head.keep_alive;
        self.state = match head.length {
            _ if matches!(head.status, 204 | 304) => return Ok(true),
            _ if head.chunked => CHUNK_SIZE,
            Some(0) => return Ok(true),
            Some(octets) => State::Fixed(octets),
            None => {
                self.answer.keep_alive = false;
                State::UntilClose
            }
        };
        Ok(false)
    }

    /// Reads on in a chunked body. Returns whether that was its end.
    fn chunked(&mut self, input: &mut &[u8]) -> Result<bool> {
        if let State::ChunkData(left) = &mut self.state {
            let octets = (*left).min(input.len() as u64);
            *left -= octets;
            if *left == 0 {
                self.state = State::ChunkEnd;
            }
            self.take(input, octets);
            return Ok(false);
        }
        let octet = input[0];
        *input = &input[1..];
        match (&mut self.state, octet) {
            (State::ChunkSize { digits: 0, .. }, b'\n') => bail!("a chunk without a size"),
            (State::ChunkSize { size: 0, .. }, b'\n') => self.state = State::Trailer(0),
            (State::ChunkSize { size, .. }, b'\n') => self.state = State::ChunkData(*size),
            (
                State::ChunkSize {
                    extension: true, ..
                },
                _,
            )
            | (State::ChunkSize { .. } | State::ChunkEnd | State::Trailer(_), b'\r') => {}
            (State::ChunkSize { extension, .. }, b';' | b' ' | b'\t') => *extension = true,
            (State::ChunkSize { size, digits, .. }, _) => {
                let digit = char::from(octet)
                    .to_digit(16)
                    .context("a chunk size that is no number")?;
                *digits += 1;
                ensure!(*digits <= 16, "a chunk size that is too large");
                *size = *size << 4 | u64::from(digit);
            }
            (State::ChunkEnd, b'\n') => self.state = CHUNK_SIZE,
            (State::Trailer(0), b'\n') => return Ok(true),
            (State::Trailer(octets), b'\n') => *octets = 0,
            (State::Trailer(octets), _) => *octets += 1,
            _ => bail!("no line end after a chunk"),
        }
        Ok(false)
    }
}

/// What matters of a head.
struct Head {
    /// Its own length.
    octets: usize,
    status: u16,
    keep_alive: bool,
    chunked: bool,
    length: Option<u64>,
}

impl Head {
    /// None when it goes on.
    fn parse(input: &[u8]) -> Result<Option<Head>> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(octets) = response.parse(input)? else {
            return Ok(None);
        };
        let mut head = Head {
            octets,
            status: response.code.context("a head without a status")?,
            keep_alive: response.version == Some(1),
            chunked: false,
            length: None,
        };
        for field in response.headers {
            if field.name.eq_ignore_ascii_case("content-length") {
                head.length = Some(std::str::from_utf8(field.value)?.trim().parse()?);
            } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = field.value.eq_ignore_ascii_case(b"chunked");
            } else if field.name.eq_ignore_ascii_case("connection") {
                head.keep_alive = !field.value.eq_ignore_ascii_case(b"close");
            }
        }
        Ok(Some(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to cut the response in pieces of one size gives the same.
    fn read(response: &str) -> (Answer, String) {
        let mut outcomes = (1..=response.len()).map(|size| {
            let mut reader = Reader::keeping_bodies();
            let mut answer = None;
            for piece in response.as_bytes().chunks(size) {
                assert!(answer.is_none());
                answer = reader.feed(piece).unwrap();
            }
            let answer = answer.or_else(|| reader.closed()).unwrap();
            (answer, String::from_utf8(reader.into_body()).unwrap())
        });
        let first = outcomes.next().unwrap();
        assert!(outcomes.all(|outcome| outcome == first));
        first
    }

    fn answer(status: u16, length: u64, keep_alive: bool) -> Answer {
        Answer {
            status,
            length,
            keep_alive,
        }
    }

    #[test]
    fn bodies_of_a_known_length() {
        let (got, body) = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!((got, body.as_str()), (answer(200, 3, true), "abc"));
        let (got, _) = read("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(got, answer(404, 0, true));
        let (got, _) = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(got, answer(204, 0, true));
    }

    #[test]
    fn chunked_bodies() {
        let (got, body) = read(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3;x=y\r\nabc\r\nB\r\n0123456789a\r\n0\r\nTrailer: x\r\n\r\n",
        );
        assert_eq!(
            (got, body.as_str()),
            (answer(200, 14, true), "abc0123456789a")
        );
    }

    #[test]
    fn bodies_that_end_with_the_connection() {
        let (got, body) = read("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
        assert_eq!((got, body.as_str()), (answer(200, 3, false), "abc"));
    }

    #[test]
    fn a_body_that_is_cut_is_not_an_answer() {
        let mut reader = Reader::new();
        let cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
        assert_eq!(reader.feed(cut).unwrap(), None);
        assert_eq!(reader.closed(), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        ] {
            assert!(
                Reader::new().feed(nonsense.as_bytes()).is_err(),
                "{nonsense:?}"
            );
        }
    }
}
