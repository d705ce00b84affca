//! The span of one request.

use crate::environ::{Peer, server};
use crate::ledger::AppName;
use crate::metrics::{self, Event};
use crate::receipt::Receipt;
use crate::request_id::RequestId;
use crate::trace_context::TraceContext;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri, Version};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::mpsc;

/// A span that has begun, with what it says of its request.
pub struct Span {
    queue: mpsc::Sender<Finished>,
    /// The caller's span.
    pub(super) parent: Option<u64>,
    pub(super) begun: SystemTime,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) peer: Arc<Peer>,
    /// The server's name and port.
    pub(super) server: (String, u16),
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) app: Option<AppName>,
}

/// How its request ended.
pub struct Ended {
    /// Where in which trace it was.
    pub trace: TraceContext,
    /// What it was called.
    pub request: RequestId,
    /// The status of its answer; none if the client left before it had one.
    pub status: Option<StatusCode>,
    /// What it cost.
    pub receipt: Receipt,
}

/// A span that has ended.
pub(super) struct Finished {
    pub(super) span: Span,
    pub(super) ended: Ended,
}

impl Span {
    /// That of a request that `peer` asks for, with the caller's as its `parent`.
    pub(super) fn begin(
        parent: Option<u64>,
        head: &Parts,
        peer: &Arc<Peer>,
        queue: mpsc::Sender<Finished>,
    ) -> Self {
        let (name, port) = server(head, peer);
        Span {
            queue,
            parent,
            begun: SystemTime::now(),
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            peer: peer.clone(),
            server: (name.to_owned(), port),
            user_agent: head.headers.get(USER_AGENT).cloned(),
            app: None,
        }
    }

    /// The request is for this app.
    pub fn of_app(&mut self, app: &AppName) {
        self.app = Some(app.clone());
    }

    /// The request has ended. The span goes into the queue, or is dropped if there is
    /// no room.
    pub fn end(self, ended: Ended) {
        let queue = self.queue.clone();
        let finished = Finished { span: self, ended };
        if queue.try_send(finished).is_err() {
            metrics::count(Event::SpanUnqueued);
        }
    }
}
