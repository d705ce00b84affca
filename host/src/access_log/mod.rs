//! The access log: a line for each request, in one of four formats.
//!
//! What a client sent stands in a line as text of that line and as nothing else:
//! whatever could end it, end a part of it, or speak to a terminal is escaped.

mod clf;
mod json;
mod text;

use crate::app_log::AppLog;
use crate::environ::{Peer, request_uri};
use crate::log::Sink;
use crate::receipt::Receipt;
use crate::request_id::RequestId;
use crate::trace_context::TraceContext;
use http::header::{HeaderMap, HeaderValue, REFERER, USER_AGENT};
use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// The Common Log Format.
    Common,
    /// The same with Referer and User-Agent behind it.
    Combined,
    /// A JSON object a line, for programs.
    Json,
}

/// Where lines go, and how they are written. Cloning it is cheap.
#[derive(Clone)]
pub struct AccessLog {
    sink: Sink,
    format: Format,
}

impl AccessLog {
    /// Lines in `format`, for `sink`.
    pub fn new(sink: Sink, format: Format) -> Self {
        AccessLog { sink, format }
    }
}

/// What a line needs of a request, kept until its answer has left.
pub struct Entry {
    log: AccessLog,
    peer: Arc<Peer>,
    method: Method,
    uri: Uri,
    version: Version,
    /// Of the app that the request is for.
    app: Option<Arc<AppLog>>,
    /// Only for formats that have them.
    client: Option<Box<ClientFields>>,
}

/// How a request ended.
pub struct End<'a> {
    /// What it is called.
    pub request: RequestId,
    /// The trace that it belongs to.
    pub trace: &'a TraceContext,
    /// The status of its answer; none if the client left before it had one.
    pub status: Option<StatusCode>,
    /// What it cost.
    pub receipt: Receipt,
    /// Whether it got as far as a sandbox.
    pub had_sandbox: bool,
}

/// What a client says of itself.
struct ClientFields {
    referer: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
}

/// As nginx logs a client that left before it got a status.
const CLIENT_LEFT: u16 = 499;

impl Entry {
    /// The entry of a request that `peer` asks for.
    pub fn begin(head: &Parts, peer: &Arc<Peer>, log: &AccessLog) -> Self {
        let client = match log.format {
            Format::Text | Format::Common => None,
            Format::Combined | Format::Json => Some(Box::new(ClientFields::of(&head.headers))),
        };
        Entry {
            log: log.clone(),
            peer: peer.clone(),
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            app: None,
            client,
        }
    }

    /// The request is for the app that writes this log.
    pub fn of_app(&mut self, log: &Arc<AppLog>) {
        self.app = Some(log.clone());
    }

    /// Writes the line of a request that ends now.
    pub fn write(&self, end: &End<'_>) {
        // The clock is read before the log is locked.
        let at = SystemTime::now();
        let AccessLog { sink, format } = &self.log;
        sink.append(|line| match format {
            Format::Text => text::append(line, self, end, at),
            Format::Json => json::append(line, self, end, at),
            Format::Common | Format::Combined => clf::append(line, self, end, at),
        });
    }

    fn target(&self) -> Cow<'_, str> {
        request_uri(&self.uri, self.version)
    }

    fn app(&self) -> Option<&str> {
        self.app.as_ref().map(|log| log.app())
    }

    /// The client's address; none over a Unix socket.
    fn from(&self) -> Option<&str> {
        Some(self.peer.remote_addr.as_str()).filter(|addr| !addr.is_empty())
    }
}

impl End<'_> {
    fn status(&self) -> u16 {
        self.status.map_or(CLIENT_LEFT, |status| status.as_u16())
    }
}

impl ClientFields {
    fn of(headers: &HeaderMap) -> Self {
        ClientFields {
            referer: headers.get(REFERER).cloned(),
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }
}
