//! Clients that speak something else where TLS is spoken. One that speaks HTTP is told
//! what to do; all are closed.

use crate::gate::octets::is_authority;
use crate::socket::Socket;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// The first byte of what a client says under TLS (RFC 8446, section 5.1).
pub const HANDSHAKE: u8 = 22;

/// The most that is read to find out what is spoken, and to whom.
const HEAD: usize = 4 << 10;

/// How long what a client still sends is read and forgotten, so that what it was told is
/// not taken back by a reset; and how much of it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1 << 20;

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// An empty SETTINGS, and the head of a GOAWAY with a text of so many bytes: no stream
/// counts, INADEQUATE_SECURITY.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY_CODE: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 12];

/// What a client speaks that does not speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTls {
    /// HTTP, by `http://`.
    Http,
    /// Nothing that is known here.
    Unknown,
}

impl fmt::Display for NotTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotTls::Http => "it speaks HTTP without TLS",
            NotTls::Unknown => "it speaks neither TLS nor HTTP",
        })
    }
}

impl std::error::Error for NotTls {}

/// Tells the client at `socket`, which began with `said`, what to do, if it can be told.
/// Returns what it speaks.
pub async fn turn_away(mut socket: Socket, mut said: Vec<u8>) -> NotTls {
    let gather = async {
        while said.len() < HEAD && !is_whole(&said) {
            match socket.read_buf(&mut said).await {
                Ok(length) if length > 0 => {}
                _ => break,
            }
        }
    };
    // What has come by then is all there is to go by.
    let _ = timeout(LINGER, gather).await;
    let answer = answer(&said, socket.local().as_deref());
    let Some(answer) = answer else {
        return NotTls::Unknown;
    };
    let tell = async {
        socket.write_all(&answer).await?;
        socket.shutdown().await?;
        let mut forgotten = vec![0; HEAD];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match socket.read(&mut forgotten).await? {
                0 => break,
                length => left = left.saturating_sub(length),
            }
        }
        std::io::Result::Ok(())
    };
    let _ = timeout(LINGER, tell).await;
    NotTls::Http
}

/// Whether enough has come: the head of a request, or what is none.
fn is_whole(said: &[u8]) -> bool {
    let line = said.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let has_line = line.len() < said.len();
    let is_text = line.iter().all(|byte| matches!(byte, b'\r' | b' '..=b'~'));
    let has_head = said.windows(4).any(|end| end == b"\r\n\r\n");
    !is_text || has_head || (has_line && !is_http(line))
}

/// Whether it is a first line of HTTP/1.
fn is_http(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let version = line.rsplit(|&byte| byte == b' ').next();
    version.is_some_and(|version| version.starts_with(b"HTTP/1."))
}

/// What is answered to a client that said this at the address `local`, if it will
/// understand it.
fn answer(said: &[u8], local: Option<&str>) -> Option<Vec<u8>> {
    let line = said.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let asked = host(said).or(local).unwrap_or("...");
    let text = format!("This port speaks TLS; use https://{asked}/\n");
    if said.starts_with(PREFACE) {
        let mut frames = SETTINGS.to_vec();
        let length = u32::try_from(GOAWAY_CODE.len() + text.len()).ok()?;
        frames.extend(&length.to_be_bytes()[1..]);
        frames.extend([7, 0, 0, 0, 0, 0]);
        frames.extend(GOAWAY_CODE);
        frames.extend(text.bytes());
        return Some(frames);
    }
    is_http(line).then(|| {
        let length = text.len();
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let is_head = said.starts_with(b"HEAD ");
        let body = if is_head { "" } else { &text };
        [head.as_bytes(), body.as_bytes()].concat()
    })
}

/// The field Host of a head, if it has one that is right.
fn host(said: &[u8]) -> Option<&str> {
    let lines = said.split(|&byte| byte == b'\n').skip(1);
    let mut values = lines.filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let is_host = line[..colon].eq_ignore_ascii_case(b"host");
        is_host.then(|| line[colon + 1..].trim_ascii())
    });
    let host = values.next().filter(|host| is_authority(host))?;
    std::str::from_utf8(host)
        .ok()
        .filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_http_is_told() {
        let told = |said: &[u8]| {
            let answer = answer(said, Some("192.0.2.1:8443"))?;
            Some(String::from_utf8_lossy(&answer).into_owned())
        };
        let get = told(b"GET / HTTP/1.1\r\nHost: a.test:8443\r\n\r\n").unwrap();
        assert!(get.starts_with("HTTP/1.1 400 "), "{get}");
        assert!(get.ends_with("use https://a.test:8443/\n"), "{get}");
        let none = told(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        assert!(none.ends_with("use https://192.0.2.1:8443/\n"), "{none}");
        let forged = told(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n").unwrap();
        assert!(
            forged.ends_with("use https://192.0.2.1:8443/\n"),
            "{forged}"
        );
        let head = told(b"HEAD / HTTP/1.0\r\n\r\n").unwrap();
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        let http2 = told(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        assert!(http2.contains("use https://"), "{http2}");
        for other in [
            &b"SSH-2.0-x\r\n"[..],
            b"\0\x01",
            b"GET /",
            b"EHLO a\r\n",
            b"",
        ] {
            assert_eq!(told(other), None);
        }
    }

    #[test]
    fn no_more_is_waited_for_than_tells() {
        for whole in [
            &b"\x80\x01"[..],
            b"SSH-2.0-x\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
        ] {
            assert!(is_whole(whole));
        }
        for part in [&b""[..], b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n"] {
            assert!(!is_whole(part));
        }
    }
}
