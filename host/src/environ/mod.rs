//! From a request's head to the `environ` of PEP 3333.

mod authority;
mod peer;

pub use authority::{asked_host, server};
pub use peer::Peer;

use crate::gate::target::SentTarget;
use crate::gateway::Environ;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, Uri, Version};
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;
use std::borrow::Cow;

/// What `server-software` says, and what error pages are signed with.
pub const SOFTWARE: &str = concat!("rhost/", env!("CARGO_PKG_VERSION"));

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
    query_string: &'a str,
    content_type: Option<Cow<'a, str>>,
    content_length: Option<u64>,
    server_name: &'a str,
    server_port: u16,
    headers: Vec<(&'a str, &'a [u8])>,
    extensions: SmallVec<[(&'a str, &'a str); 2]>,
}

impl<'a> Gathered<'a> {
    /// Reads the head of a request that came over `peer`.
    pub fn from(head: &'a Parts, peer: &'a Peer) -> Self {
        let (server_name, server_port) = server(head, peer);
        let sent = head.extensions.get::<SentTarget>();
        let mut gathered = Gathered {
            request_uri: match sent {
                Some(sent) => Cow::Borrowed(sent.as_str()),
                None => request_uri(&head.uri, head.version),
            },
            query_string: match sent {
                Some(sent) => sent.query(),
                None => head.uri.query().unwrap_or(""),
            },
            content_type: None,
            content_length: None,
            server_name,
            server_port,
            headers: Vec::with_capacity(head.headers.len() + 1),
            extensions: peer
                .facts()
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
        };
        let host = host(head, peer);
        // A target may name the host without a field that does.
        if let Some(host) = host
            && !head.headers.contains_key(HOST)
        {
            gathered.headers.push((HOST.as_str(), host.as_bytes()));
        }
        for (name, value) in &head.headers {
            if name == CONTENT_TYPE {
                gathered
                    .content_type
                    .get_or_insert_with(|| text(value.as_bytes()));
            } else if name == CONTENT_LENGTH {
                gathered.content_length = value.to_str().ok().and_then(|value| value.parse().ok());
            } else if !is_forged(name, peer) {
                // A URL that is rebuilt from it, as PEP 3333 says, is the one that
                // the client asked for.
                let value = match host {
                    Some(host) if name == HOST => host.as_bytes(),
                    _ => value.as_bytes(),
                };
                gathered.headers.push((name.as_str(), value));
            }
        }
        gathered
    }

    /// The same in a trace: the fields that a request of the app's own would have, by
    /// the names under which it finds them among its extensions.
    pub fn in_trace(mut self, traceparent: &'a str, tracestate: Option<&'a str>) -> Self {
        self.extensions.push(("w3c.traceparent", traceparent));
        let state = tracestate.map(|state| ("w3c.tracestate", state));
        self.extensions.extend(state);
        self
    }

    /// The record, with what is not in the request's head. `run_once` says that its
    /// instance serves no other.
    pub fn environ<'b>(
        &'b self,
        head: &'b Parts,
        peer: &'b Peer,
        path: &'b MountedPath<'b>,
        request_id: &'b str,
        run_once: bool,
    ) -> Environ<'b> {
        Environ {
            request_method: head.method.as_str(),
            script_name: path.script_name,
            path_info: &path.path_info,
            query_string: self.query_string,
            request_uri: &self.request_uri,
            content_type: self.content_type.as_deref(),
            content_length: self.content_length,
            server_name: self.server_name,
            server_port: self.server_port,
            server_protocol: protocol(head.version),
            server_software: SOFTWARE,
            url_scheme: peer.scheme(),
            remote_addr: &peer.remote_addr,
            remote_port: peer.remote_port,
            headers: &self.headers,
            // An instance has one request at a time, so no thread shares it, and
            // others like it run beside it.
            multithread: false,
            multiprocess: true,
            run_once,
            request_id,
            extensions: &self.extensions,
        }
    }
}

/// What stands in the place of the field Host: the host that a trusted proxy was asked
/// for, or else the target's authority (RFC 9112, section 3.2.2; RFC 9113, section
/// 8.3.1). None where the field itself is the only word on it.
fn host<'a>(head: &'a Parts, peer: &'a Peer) -> Option<&'a str> {
    let authority = || head.uri.authority().map(|authority| authority.as_str());
    peer.asked_host().or_else(authority)
}

/// The protocol as `server-protocol` writes it.
pub fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
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
pub fn text(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(octets.iter().map(|&octet| char::from(octet)).collect()),
    }
}

/// Fields that could pass for something they are not: a name with an underscore
/// aliases one with a hyphen in a CGI view; `Proxy` would become `HTTP_PROXY`;
/// and what a proxy says of a client is not to be believed of the client itself.
fn is_forged(name: &HeaderName, peer: &Peer) -> bool {
    let text = name.as_str();
    match text.as_bytes()[0] {
        b'p' if text == "proxy" => true,
        b'f' if text == "forwarded" => true,
        b'x' if text.starts_with("x-forwarded-") => !peer.passes(name),
        _ => text.contains('_'),
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
