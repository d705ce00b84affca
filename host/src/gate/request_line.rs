//! The first line of a request (RFC 9112, section 3).

use super::octets::{is_authority, is_path_and_query, is_plain, is_token};
use super::refusal::Refusal;
use std::ops::Range;

/// What of the first line matters later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: Host and keep-alive are optional, and there is no chunking.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// A first line that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its version.
    pub version: Version,
    /// Where its target is, if hyper does not take that as it is.
    pub target: Option<Range<usize>>,
}

/// Reads the line, without its end.
pub fn read(line: &[u8]) -> Result<Line, Refusal> {
    // From the end, since a target that has a blank is the commonest fault.
    let blanks = (memchr::memchr(b' ', line), memchr::memrchr(b' ', line));
    let (Some(first), Some(last)) = blanks else {
        return Err(Refusal::RequestLine);
    };
    if first == last {
        return Err(Refusal::RequestLine);
    }
    let (method, target) = (&line[..first], &line[first + 1..last]);
    if !is_token(method) {
        return Err(Refusal::Method);
    }
    let version = version(&line[last + 1..])?;
    let is_plain = check_target(method, target)?;
    let target = (!is_plain).then_some(first + 1..last);
    Ok(Line { version, target })
}

/// A version of the right form that is not spoken here is no fault of form.
fn version(octets: &[u8]) -> Result<Version, Refusal> {
    match octets {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::RequestLine),
    }
}

/// The four forms of RFC 9112, section 3.2. True if hyper takes the target as it is.
fn check_target(method: &[u8], target: &[u8]) -> Result<bool, Refusal> {
    let is_connect = method == b"CONNECT";
    match target {
        [] => Err(Refusal::RequestLine),
        [b'/', ..] if !is_connect => path(target),
        b"*" if method == b"OPTIONS" => Ok(true),
        b"*" => Err(Refusal::Asterisk),
        _ if is_connect => {
            // A tunnel has no port of its own to fall back on.
            let has_port = target.last().is_some_and(u8::is_ascii_digit);
            let has_host = target[0] != b':' && target.contains(&b':');
            match is_authority(target) && has_port && has_host {
                true => Ok(true),
                false => Err(Refusal::Authority),
            }
        }
        _ => absolute(target),
    }
}

/// `http://host:port/path?query`, which a client of a proxy sends.
fn absolute(target: &[u8]) -> Result<bool, Refusal> {
    let scheme = memchr::memchr(b':', target).ok_or(Refusal::AuthorityForm)?;
    let rest = target[scheme..]
        .strip_prefix(b"://")
        .ok_or(Refusal::AuthorityForm)?;
    let scheme = &target[..scheme];
    if !(scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https")) {
        return Err(Refusal::AuthorityForm);
    }
    let end = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    let authority = &rest[..end];
    // Without a host such a target names nothing (RFC 9110, section 4.2.1).
    if matches!(authority, [] | [b':', ..]) || !is_authority(authority) {
        return Err(Refusal::Authority);
    }
    path(&rest[end..])
}

fn path(octets: &[u8]) -> Result<bool, Refusal> {
    let is_plain = is_plain(octets);
    match is_plain || is_path_and_query(octets) {
        true => Ok(is_plain),
        false => Err(Refusal::Target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right() {
        for line in [
            "GET / HTTP/1.1",
            "pUrGe /a%20b?q=%41&{} HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT a.test:443 HTTP/1.1",
            "CONNECT [::1]:443 HTTP/1.1",
            "GET http://a.test HTTP/1.1",
            "GET HTTP://a.test?x HTTP/1.1",
            "GET https://[::1]:81/x HTTP/1.1",
        ] {
            let target = None;
            let version = Version::Http11;
            assert_eq!(
                read(line.as_bytes()),
                Ok(Line { version, target }),
                "{line}"
            );
        }
        assert_eq!(read(b"GET /x HTTP/1.0").unwrap().version, Version::Http10);
        for target in ["/é", "/?q=\"x\"", "/?<b>", "/`", "http://a.test/?\""] {
            let read = read(format!("GET {target} HTTP/1.1").as_bytes()).unwrap();
            assert_eq!(read.target, Some(4..4 + target.len()), "{target}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for (line, refusal) in [
            ("GET", Refusal::RequestLine),
            ("GET /", Refusal::RequestLine),
            ("GET / HTTP/1", Refusal::RequestLine),
            ("GET / HTTP/1.1 ", Refusal::RequestLine),
            ("GET  HTTP/1.1", Refusal::RequestLine),
            ("GET / http/1.1", Refusal::RequestLine),
            ("GET / HTTP/1.10", Refusal::RequestLine),
            (" GET / HTTP/1.1", Refusal::Method),
            ("G(T / HTTP/1.1", Refusal::Method),
            ("GET / HTTP/1.2", Refusal::Version),
            ("GET / HTTP/0.9", Refusal::Version),
            ("GET / HTTP/2.0", Refusal::Version),
            ("GET /a b HTTP/1.1", Refusal::Target),
            ("GET /a#b HTTP/1.1", Refusal::Target),
            ("GET /?a#b HTTP/1.1", Refusal::Target),
            ("GET /\u{7f} HTTP/1.1", Refusal::Target),
            ("GET http://é.test/ HTTP/1.1", Refusal::Authority),
            ("GET /\t HTTP/1.1", Refusal::Target),
            ("GET * HTTP/1.1", Refusal::Asterisk),
            ("GET a.test:80 HTTP/1.1", Refusal::AuthorityForm),
            ("GET x/y HTTP/1.1", Refusal::AuthorityForm),
            ("GET ftp://a.test/ HTTP/1.1", Refusal::AuthorityForm),
            ("GET http:///x HTTP/1.1", Refusal::Authority),
            ("GET http://u@a.test/ HTTP/1.1", Refusal::Authority),
            ("GET http://a.test:x/ HTTP/1.1", Refusal::Authority),
            ("CONNECT / HTTP/1.1", Refusal::Authority),
            ("CONNECT a.test HTTP/1.1", Refusal::Authority),
            ("CONNECT :443 HTTP/1.1", Refusal::Authority),
        ] {
            assert_eq!(read(line.as_bytes()), Err(refusal), "{line}");
        }
    }
}
