//! What is sent: a head and a body that is made of one block, again and again.

/// Octets of the block. Also the most of a body that leaves with its head.
const BLOCK: usize = 64 * 1024;

/// A prepared request. It is made once and sent many times.
pub struct Request {
    /// The head, and as much of the body as fits in a block.
    first: Vec<u8>,
    /// The rest of the body, as often as it takes.
    block: Vec<u8>,
    /// Octets of the head and the body.
    length: u64,
}

impl Request {
    /// `GET target`.
    pub fn get(target: &str) -> Self {
        Request::get_from("localhost", target)
    }

    /// `GET target` of `host`.
    pub fn get_from(host: &str, target: &str) -> Self {
        Request {
            first: format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
            block: Vec::new(),
            length: 0,
        }
        .measured(0)
    }

    /// `POST target` with a body of so many octets.
    pub fn post(target: &str, octets: u64) -> Self {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {octets}\r\n\r\n"
        );
        let mut first = head.into_bytes();
        let head = first.len() as u64;
        first.resize(first.len() + octets.min(BLOCK as u64) as usize, b'.');
        let rest = head + octets - first.len() as u64;
        Request {
            first,
            block: vec![b'.'; rest.min(BLOCK as u64) as usize],
            length: 0,
        }
        .measured(rest)
    }

    fn measured(mut self, rest: u64) -> Self {
        self.length = self.first.len() as u64 + rest;
        self
    }

    /// What comes after the first `sent` octets; empty when that was all.
    pub fn piece(&self, sent: u64) -> &[u8] {
        match self.first.get(sent as usize..) {
            Some(piece) if !piece.is_empty() => piece,
            _ => &self.block[..(self.length - sent).min(self.block.len() as u64) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(request: &Request) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            let piece = request.piece(sent.len() as u64);
            if piece.is_empty() {
                return sent;
            }
            sent.extend_from_slice(piece);
        }
    }

    #[test]
    fn pieces_make_the_request() {
        assert_eq!(
            whole(&Request::get("/x")),
            b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        for octets in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let sent = whole(&Request::post("/x", octets as u64));
            let end = sent
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
                .unwrap()
                + 4;
            assert_eq!(sent.len() - end, octets);
            assert!(sent[end..].iter().all(|&octet| octet == b'.'));
        }
    }
}
