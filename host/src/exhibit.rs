//! What a developer is shown of a failed request, in place of the short page:
//! everything that the logs have, and the environ. Made only for an app that is
//! being developed (`--dev`), and only for whoever sits at the same machine.

use crate::app_log::Recent;
use crate::environ::{Gathered, MountedPath, Peer, server};
use crate::failure::Cause;
use crate::gateway::Environ;
use crate::request_id::RequestId;
use html_escape::encode_text;
use http::StatusCode;
use http::header::{FORWARDED, VIA};
use http::request::Parts;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

/// A request, kept for the case that it fails. Until then it costs a copy of its
/// head.
pub struct Exhibit {
    head: Parts,
    peer: Arc<Peer>,
    mount: String,
    lines: Recent,
}

impl Exhibit {
    /// Keeps what a page would show: of an app that is mounted at `mount`, and
    /// whose guests printed `lines` last.
    pub fn of(head: &Parts, peer: &Arc<Peer>, mount: &str, lines: &Recent) -> Self {
        Exhibit {
            head: head.clone(),
            peer: peer.clone(),
            mount: mount.to_owned(),
            lines: lines.clone(),
        }
    }

    fn environ(&self, request: RequestId) -> String {
        let Exhibit {
            head, peer, mount, ..
        } = self;
        MountedPath::split(&head.uri, mount).map_or_else(String::new, |path| {
            let gathered = Gathered::from(head, peer);
            text_of(&gathered.environ(head, peer, &path, request.as_str()))
        })
    }

    /// The page.
    pub fn page(&self, status: StatusCode, request: RequestId, cause: &Cause) -> String {
        let title = format!(
            "{} {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or("Error")
        );
        let cause = cause.to_string();
        // The first line says what; the rest is where.
        let (what, whereabouts) = cause.split_once('\n').unwrap_or((&cause, ""));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n<p class=\"what\">{}</p>\n\
             <p class=\"note\">Request {request}. This page is for development (--dev): \
             nobody but this machine sees it.</p>\n",
            encode_text(what)
        );
        section(&mut page, "Backtrace", whereabouts);
        section(&mut page, "What the guest printed", &self.lines.of(request));
        section(&mut page, "Environ", &self.environ(request));
        page.push_str("</body>\n</html>\n");
        page
    }
}

/// A variable a line, by the contract's names.
fn text_of(environ: &Environ<'_>) -> String {
    let octets = |octets| String::from_utf8_lossy(octets).into_owned();
    let length = environ.content_length.map(|length| length.to_string());
    let (server_port, remote_port) = (environ.server_port, environ.remote_port);
    let variables = [
        ("request-method", environ.request_method),
        ("script-name", environ.script_name),
        ("path-info", &octets(environ.path_info)),
        ("query-string", environ.query_string),
        ("request-uri", environ.request_uri),
        ("content-type", environ.content_type.unwrap_or_default()),
        ("content-length", &length.unwrap_or_default()),
        ("server-name", environ.server_name),
        ("server-port", &server_port.to_string()),
        ("server-protocol", environ.server_protocol),
        ("server-software", environ.server_software),
        ("url-scheme", environ.url_scheme),
        ("remote-addr", environ.remote_addr),
        ("remote-port", &remote_port.to_string()),
        ("request-id", environ.request_id),
    ];
    let mut text = String::new();
    for (name, value) in variables {
        let _ = writeln!(text, "{name:<16} {value}");
    }
    text.push_str("headers\n");
    for (name, value) in environ.headers {
        let _ = writeln!(text, "  {name}: {}", octets(value));
    }
    text
}

/// Whether a client sits at this machine, and not behind a proxy on it, and asks
/// for this machine: a page of somebody's whose name has come to mean this address
/// (DNS rebinding) asks by that name.
pub fn is_local(peer: &Peer, head: &Parts) -> bool {
    let headers = &head.headers;
    let (host, _) = server(head, peer);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let asks_here = match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    let forwarded = headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("x-forwarded-"))
        || headers.contains_key("x-real-ip");
    peer.is_loopback && asks_here && !forwarded
}

fn section(page: &mut String, heading: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(
            page,
            "<h2>{heading}</h2>\n<pre>{}</pre>",
            encode_text(text.trim_end())
        );
    }
}

const STYLE: &str = "\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #1c2127; background: #fff }\n\
h1 { font-size: 1.4em; margin: 0 } h2 { font-size: 1em; margin: 1.6em 0 .4em }\n\
.what { font-size: 1.15em; margin: .4em 0; color: #a3262a; overflow-wrap: anywhere }\n\
.note { color: #5f6b7c; margin: 0; font-size: .9em }\n\
pre { background: #f4f5f7; border: 1px solid #dce0e5; border-radius: 4px; padding: .8em 1em; margin: 0; overflow-x: auto; font-size: .85em }\n\
@media (prefers-color-scheme: dark) { body { color: #e5e8eb; background: #1c2127 } .what { color: #fa999c } .note { color: #abb3bf } pre { background: #252a31; border-color: #383e47 } }";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_is_not_a_developer() {
        let peer =
            |address: &str| Peer::new(address.parse().unwrap(), "127.0.0.1:80".parse().unwrap());
        let asking = |name: &str, value: &str| {
            let request = http::Request::get("/").header(name, value);
            request.body(()).unwrap().into_parts().0
        };
        for local in ["127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            assert!(is_local(&peer(local), &asking("accept", "x")), "{local}");
            for name in ["forwarded", "via", "x-forwarded-for", "x-real-ip"] {
                assert!(!is_local(&peer(local), &asking(name, "x")), "{name}");
            }
            for host in [
                "localhost:8000",
                "127.0.0.1",
                "[::1]:8000",
                "shop.localhost",
            ] {
                assert!(is_local(&peer(local), &asking("host", host)), "{host}");
            }
            for host in ["evil.test:8000", "localhost.evil.test", "192.0.2.1"] {
                assert!(!is_local(&peer(local), &asking("host", host)), "{host}");
            }
        }
        let far = peer("192.0.2.1:9");
        assert!(!is_local(&far, &asking("host", "localhost")));
    }
}
