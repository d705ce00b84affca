//! The first line of a request (RFC 9112, section 3).

use super::octets::{is_authority, is_path_and_query, is_token};
use super::refusal::Refusal;

/// What of the first line matters later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: Host and keep-alive are optional, and there is no chunking.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// Reads the line, without its end.
pub fn read(line: &[u8]) -> Result<Version, Refusal> {
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
    check_target(method, target)?;
    Ok(version)
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

/// The four forms of RFC 9112, section 3.2.
fn check_target(method: &[u8], target: &[u8]) -> Result<(), Refusal> {
    let is_connect = method == b"CONNECT";
    match target {
        [] => Err(Refusal::RequestLine),
        [b'/', ..] if !is_connect => path(target),
        b"*" if method == b"OPTIONS" => Ok(()),
        b"*" => Err(Refusal::Asterisk),
        _ if is_connect => {
            // A tunnel has no port of its own to fall back on.
            let has_port = target.last().is_some_and(u8::is_ascii_digit);
            let has_host = target[0] != b':' && target.contains(&b':');
            match is_authority(target) && has_port && has_host {
                true => Ok(()),
                false => Err(Refusal::Authority),
            }
        }
        _ => absolute(target),
    }
}

/// `http://host:port/path?query`, which a client of a proxy sends.
fn absolute(target: &[u8]) -> Result<(), Refusal> {
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

fn path(octets: &[u8]) -> Result<(), Refusal> {
    match is_path_and_query(octets) {
        true => Ok(()),
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
            assert_eq!(read(line.as_bytes()), Ok(Version::Http11), "{line}");
        }
        assert_eq!(read(b"GET /x HTTP/1.0"), Ok(Version::Http10));
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
            ("GET /é HTTP/1.1", Refusal::Target),
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
