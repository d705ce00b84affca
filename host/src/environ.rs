//! From a request's head to the `environ` of PEP 3333.

use crate::gateway::Environ;
use crate::tls::Facts;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, Uri, Version};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::net::SocketAddr;

/// What `server-software` says, and what error pages are signed with.
pub const SOFTWARE: &str = concat!("rhost/", env!("CARGO_PKG_VERSION"));

/// The two ends of a connection, as text made once for all its requests.
#[derive(Debug)]
pub struct Peer {
    /// The client's address, without a port.
    pub remote_addr: String,
    /// The client's port.
    pub remote_port: u16,
    /// Whether the client sits at this machine.
    pub is_loopback: bool,
    /// `http`, or `https` under TLS.
    scheme: &'static str,
    /// What TLS says of the connection; nothing in the clear.
    facts: Facts,
    /// The address that the connection came in at: the server's name for a
    /// client that gives none.
    local_addr: String,
    local_port: u16,
}

impl Peer {
    /// A connection from `remote` to `local`.
    pub fn new(remote: SocketAddr, local: SocketAddr) -> Self {
        Peer {
            // A client of IPv4 is called by its IPv4 address on a socket that
            // takes both.
            remote_addr: remote.ip().to_canonical().to_string(),
            remote_port: remote.port(),
            is_loopback: remote.ip().to_canonical().is_loopback(),
            scheme: "http",
            facts: Facts::default(),
            local_addr: local.ip().to_canonical().to_string(),
            local_port: local.port(),
        }
    }

    /// A connection over a Unix socket, which has no address: most likely that of
    /// a proxy, and so of anyone.
    pub fn unix() -> Self {
        Peer {
            remote_addr: String::new(),
            remote_port: 0,
            is_loopback: false,
            scheme: "http",
            facts: Facts::default(),
            local_addr: "localhost".into(),
            local_port: 80,
        }
    }

    /// The same under TLS.
    pub fn under_tls(self, facts: Facts) -> Self {
        Peer {
            scheme: "https",
            facts,
            ..self
        }
    }

    /// The port that a host is asked for at when none is named (RFC 9110, section
    /// 4.2).
    fn default_port(&self) -> u16 {
        match self.scheme {
            "https" => 443,
            _ => 80,
        }
    }
}

/// A path that is split where its app is mounted.
#[derive(Debug)]
pub struct MountedPath<'a> {
    /// `script-name`: the mount.
    pub script_name: &'a str,
    /// `path-info`: the rest, percent-decoded once.
    pub path_info: Cow<'a, [u8]>,
}

impl<'a> MountedPath<'a> {
    /// Splits the path of `uri` after `mount` (which is empty, or `/x`); none when
    /// the path lies elsewhere.
    pub fn split(uri: &'a Uri, mount: &'a str) -> Option<Self> {
        // The target of CONNECT is an authority and has no path at all.
        let path = uri.path_and_query().map_or("", |target| target.path());
        let decoded: Cow<'a, [u8]> = percent_decode_str(path).into();
        if mount.is_empty() {
            return Some(MountedPath {
                script_name: mount,
                path_info: decoded,
            });
        }
        let below = decoded.strip_prefix(mount.as_bytes())?;
        if !(below.is_empty() || below.starts_with(b"/")) {
            return None;
        }
        let path_info = match decoded {
            Cow::Borrowed(path) => Cow::Borrowed(&path[mount.len()..]),
            Cow::Owned(mut path) => Cow::Owned(path.split_off(mount.len())),
        };
        Some(MountedPath {
            script_name: mount,
            path_info,
        })
    }
}

/// What has to be worked out before a request can be shown as a record that
/// borrows from it.
pub struct Gathered<'a> {
    request_uri: Cow<'a, str>,
    content_type: Option<Cow<'a, str>>,
    content_length: Option<u64>,
    server_name: &'a str,
    server_port: u16,
    headers: Vec<(&'a str, &'a [u8])>,
    extensions: Vec<(&'a str, &'a str)>,
}

impl<'a> Gathered<'a> {
    /// Reads the head of a request that came over `peer`.
    pub fn from(head: &'a Parts, peer: &'a Peer) -> Self {
        let (server_name, server_port) = server(head, peer);
        let mut gathered = Gathered {
            request_uri: request_uri(&head.uri, head.version),
            content_type: None,
            content_length: None,
            server_name,
            server_port,
            headers: Vec::with_capacity(head.headers.len()),
            // None in the clear, and then no memory either.
            extensions: peer
                .facts
                .0
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
        };
        for (name, value) in &head.headers {
            if name == CONTENT_TYPE {
                gathered
                    .content_type
                    .get_or_insert_with(|| text(value.as_bytes()));
            } else if name == CONTENT_LENGTH {
                gathered.content_length = value.to_str().ok().and_then(|value| value.parse().ok());
            } else if !is_forged(name) {
                gathered.headers.push((name.as_str(), value.as_bytes()));
            }
        }
        gathered
    }

    /// The record, with what is not in the request's head.
    pub fn environ(
        &'a self,
        head: &'a Parts,
        peer: &'a Peer,
        path: &'a MountedPath<'a>,
        request_id: &'a str,
    ) -> Environ<'a> {
        Environ {
            request_method: head.method.as_str(),
            script_name: path.script_name,
            path_info: &path.path_info,
            query_string: head.uri.query().unwrap_or(""),
            request_uri: &self.request_uri,
            content_type: self.content_type.as_deref(),
            content_length: self.content_length,
            server_name: self.server_name,
            server_port: self.server_port,
            server_protocol: protocol(head.version),
            server_software: SOFTWARE,
            url_scheme: peer.scheme,
            remote_addr: &peer.remote_addr,
            remote_port: peer.remote_port,
            headers: &self.headers,
            // A fresh instance for each request: no thread shares it, others like
            // it run beside it, and it will serve nothing else.
            multithread: false,
            multiprocess: true,
            run_once: true,
            request_id,
            extensions: &self.extensions,
        }
    }
}

/// The protocol as `server-protocol` writes it.
pub fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

/// The host that was asked for, and its port: the target's authority beats Host
/// (RFC 9112, section 3.2.2), and the listening address stands in for both.
pub fn server<'a>(head: &'a Parts, peer: &'a Peer) -> (&'a str, u16) {
    let asked = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head.headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    // Without a port the scheme's own is meant (RFC 9110, section 4.2.1).
    asked
        .and_then(|asked| host_and_port(asked, peer.default_port()))
        .unwrap_or((&peer.local_addr, peer.local_port))
}

fn host_and_port(authority: &str, default_port: u16) -> Option<(&str, u16)> {
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

/// The target as it was sent. HTTP/2 sends its parts apart, of which `:path` is
/// the one that HTTP/1.1 would have sent (RFC 9113, section 8.3.1).
pub fn request_uri(uri: &Uri, version: Version) -> Cow<'_, str> {
    match uri.path_and_query() {
        Some(target) if version == Version::HTTP_2 || uri.scheme().is_none() => {
            Cow::Borrowed(target.as_str())
        }
        _ => Cow::Owned(uri.to_string()),
    }
}

/// Octets as PEP 3333 has them in strings: UTF-8 where they are, else each octet
/// as the character of that number (ISO 8859-1).
fn text(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(octets.iter().map(|&octet| char::from(octet)).collect()),
    }
}

/// Fields that could pass for something they are not: a name with an underscore
/// aliases one with a hyphen in a CGI view; `Proxy` would become `HTTP_PROXY`;
/// and what a proxy says of a client is not to be believed of the client itself.
fn is_forged(name: &HeaderName) -> bool {
    let name = name.as_str();
    match name.as_bytes()[0] {
        b'p' if name == "proxy" => true,
        b'f' if name == "forwarded" => true,
        b'x' if name.starts_with("x-forwarded-") => true,
        _ => name.contains('_'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(request: http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    fn peer() -> Peer {
        Peer::new(
            "127.0.0.1:50000".parse().unwrap(),
            "127.0.0.1:8000".parse().unwrap(),
        )
    }

    #[test]
    fn a_path_is_decoded_once_and_split_at_the_mount() {
        let split = |path: &str, mount: &'static str| {
            let uri: Uri = path.parse().unwrap();
            MountedPath::split(&uri, mount).map(|path| path.path_info.into_owned())
        };
        assert_eq!(split("/a%2520b%2Fc%00", ""), Some(b"/a%20b/c\0".to_vec()));
        assert_eq!(split("//x/../y", ""), Some(b"//x/../y".to_vec()));
        assert_eq!(split("/blog/x%20y?z", "/blog"), Some(b"/x y".to_vec()));
        assert_eq!(split("/blog", "/blog"), Some(b"".to_vec()));
        assert_eq!(split("/%62log/x", "/blog"), Some(b"/x".to_vec()));
        assert_eq!(split("/blogs", "/blog"), None);
        assert_eq!(split("/", "/blog"), None);
        assert_eq!(split("*", ""), Some(b"*".to_vec()));
    }

    #[test]
    fn the_authority_beats_host() {
        let peer = peer();
        let server_of = |request| {
            let head = head(request);
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

    #[test]
    fn fields_that_alias_or_forge_are_dropped() {
        let head = head(
            http::Request::builder()
                .uri("/")
                .header("accept", "a")
                .header("accept", "b")
                .header("proxy", "http://evil")
                .header("x_real_ip", "1.2.3.4")
                .header("x-forwarded-for", "1.2.3.4")
                .header("forwarded", "for=1.2.3.4")
                .header("content-type", "text/plain")
                .header("content-length", "3"),
        );
        let peer = peer();
        let gathered = Gathered::from(&head, &peer);
        assert_eq!(gathered.headers, [("accept", &b"a"[..]), ("accept", b"b")]);
        assert_eq!(gathered.content_type.as_deref(), Some("text/plain"));
        assert_eq!(gathered.content_length, Some(3));
    }

    #[test]
    fn the_target_is_kept_as_it_was_sent() {
        let sent = |uri: &str| request_uri(&uri.parse().unwrap(), Version::HTTP_11).into_owned();
        assert_eq!(sent("/a%20b?q=%41"), "/a%20b?q=%41");
        assert_eq!(sent("http://a.test/x?y"), "http://a.test/x?y");
    }
}
