//! What a developer is shown of a failed request, in place of the short page:
//! everything that the logs have, and the environ. Made only for an app that is
//! being developed (`--dev`), and only for whoever sits at the same machine.

use super::{excerpt, page};
use crate::app_log::Recent;
use crate::environ::{Gathered, MountedPath, Peer};
use crate::failure::Cause;
use crate::gateway::Environ;
use crate::request_id::RequestId;
use crate::trace_context::TraceContext;
use html_escape::encode_text;
use http::StatusCode;
use http::request::Parts;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// What is shown of an app, whatever the request.
pub struct Subject {
    /// Where it is mounted.
    pub mount: String,
    /// What its guests printed last.
    pub lines: Recent,
    /// The directory of the crate that it was built from.
    pub source: Option<PathBuf>,
    /// Whether each of its instances serves one request.
    pub run_once: bool,
}

/// A request, kept for the case that it fails. Until then it costs a copy of its
/// head.
pub struct Exhibit {
    head: Parts,
    peer: Arc<Peer>,
    subject: Arc<Subject>,
}

impl Exhibit {
    /// Keeps what a page would show.
    pub fn of(head: &Parts, peer: &Arc<Peer>, subject: &Arc<Subject>) -> Self {
        Exhibit {
            head: head.clone(),
            peer: peer.clone(),
            subject: subject.clone(),
        }
    }

    fn environ(&self, request: RequestId, trace: &TraceContext) -> String {
        let Exhibit {
            head,
            peer,
            subject,
        } = self;
        MountedPath::split(&head.uri, &subject.mount).map_or_else(String::new, |path| {
            let parent = trace.parent();
            let gathered = Gathered::from(head, peer).in_trace(parent.as_str(), trace.state());
            let once = subject.run_once;
            text_of(&gathered.environ(head, peer, &path, request.as_str(), once))
        })
    }

    /// The page.
    pub fn page(
        &self,
        status: StatusCode,
        request: RequestId,
        trace: &TraceContext,
        cause: &Cause,
    ) -> String {
        let title = format!(
            "{} {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or("Error")
        );
        let printed = self.subject.lines.of(request);
        let text = cause.to_string();
        // The first line says what; the rest is where.
        let (what, whereabouts) = text.split_once('\n').unwrap_or((&text, ""));
        let mut page = match panic(&printed).filter(|_| matches!(cause, Cause::Trap { .. })) {
            Some(message) => page::begin(&title, message, &format!("Request {request} {what}.")),
            None => page::begin(&title, what, &format!("Request {request}.")),
        };
        if let (Some(backtrace), Some(source)) = (cause.backtrace(), &self.subject.source)
            && let Some((place, lines)) = excerpt::of(backtrace, source)
        {
            page.push_str(&format!(
                "<h2>{}</h2>\n<pre>{lines}</pre>\n",
                encode_text(&place)
            ));
        }
        page::section(&mut page, "What the guest printed", &printed);
        page::section(&mut page, "Backtrace", whereabouts);
        page::section(&mut page, "Environ", &self.environ(request, trace));
        page::end(page)
    }
}

/// The message of a Rust program that panicked, which is why it trapped.
fn panic(printed: &str) -> Option<&str> {
    let mut lines = printed.lines();
    lines.find(|line| line.starts_with("thread '") && line.contains("panicked at "))?;
    lines.next()
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
    text.push_str("extensions\n");
    for (name, value) in environ.extensions {
        let _ = writeln!(text, "  {name}: {value}");
    }
    text
}
