//! The host that a request asks for.

use super::Peer;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Uri};

/// The host that was asked for, and its port. What a trusted proxy was asked for
/// beats what it asks for, the target's authority beats Host (RFC 9112, section
/// 3.2.2), and the listening address stands in for all.
pub fn server<'a>(head: &'a Parts, peer: &'a Peer) -> (&'a str, u16) {
    asked(head, peer).unwrap_or_else(|| peer.local())
}

/// The same host, without a port, if the client has named one.
pub fn asked_host<'a>(head: &'a Parts, peer: &'a Peer) -> Option<&'a str> {
    asked(head, peer).map(|(host, _)| host)
}

fn asked<'a>(head: &'a Parts, peer: &'a Peer) -> Option<(&'a str, u16)> {
    let asked = peer
        .asked_host()
        .or_else(|| authority(&head.uri, &head.headers))?;
    // Without a port the scheme's own is meant (RFC 9110, section 4.2.1).
    host_and_port(asked, peer.default_port())
}

/// The target's authority, or else Host.
pub fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST)?.to_str().ok(),
    }
}

/// A host, and its port; the default one if none is named.
pub fn host_and_port(authority: &str, default_port: u16) -> Option<(&str, u16)> {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let colon = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], &authority[colon + 1..]),
        None => (authority, ""),
    };
    let port = if port.is_empty() {
        default_port
    } else {
        port.parse().ok()?
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_beats_host() {
        let peer = Peer::new(
            "127.0.0.1:50000".parse().unwrap(),
            "127.0.0.1:8000".parse().unwrap(),
        );
        let server_of = |request| {
            let head = http::request::Builder::body(request, ())
                .unwrap()
                .into_parts()
                .0;
            let (name, port) = server(&head, &peer);
            (name.to_owned(), port)
        };
        let request = || http::Request::builder().uri("/");
        assert_eq!(
            server_of(request().header("host", "a.test:81")),
            ("a.test".into(), 81)
        );
        assert_eq!(
            server_of(request().header("host", "[::1]:81")),
            ("[::1]".into(), 81)
        );
        assert_eq!(
            server_of(request().header("host", "[::1]")),
            ("[::1]".into(), 80)
        );
        assert_eq!(server_of(request()), ("127.0.0.1".into(), 8000));
        assert_eq!(
            server_of(request().header("host", "")),
            ("127.0.0.1".into(), 8000)
        );
        let absolute = http::Request::builder()
            .uri("http://b.test/x")
            .header("host", "a.test");
        assert_eq!(server_of(absolute), ("b.test".into(), 80));
    }
}
