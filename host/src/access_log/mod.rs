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
use crate::request_id::RequestId;
use http::header::{HeaderMap, HeaderValue, REFERER, USER_AGENT};
use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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
    status: Option<StatusCode>,
    octets: u64,
}

/// A request that has ended.
struct End {
    request: RequestId,
    /// From its head to the end of its answer.
    took: Duration,
    at: SystemTime,
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
            status: None,
            octets: 0,
        }
    }

    /// The request is for the app that writes this log.
    pub fn of_app(&mut self, log: &Arc<AppLog>) {
        self.app = Some(log.clone());
    }

    /// The response begins.
    pub fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// So many octets of body were handed to the connection.
    pub fn sent(&mut self, octets: usize) {
        self.octets += octets as u64;
    }

    /// Writes the line of a request called `request`, which began at `start` and
    /// ends now.
    pub fn write(&self, request: RequestId, start: Instant) {
        // Clocks are read before the log is locked.
        let end = End {
            request,
            took: start.elapsed(),
            at: SystemTime::now(),
        };
        let AccessLog { sink, format } = &self.log;
        sink.append(|line| match format {
            Format::Text => text::append(line, self, &end),
            Format::Json => json::append(line, self, &end),
            Format::Common | Format::Combined => clf::append(line, self, &end),
        });
    }

    fn status(&self) -> u16 {
        self.status.map_or(CLIENT_LEFT, |status| status.as_u16())
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

impl ClientFields {
    fn of(headers: &HeaderMap) -> Self {
        ClientFields {
            referer: headers.get(REFERER).cloned(),
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }
}
