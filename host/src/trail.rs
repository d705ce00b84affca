//! The trail that one request leaves: why it failed, and its line in the access
//! log.

use crate::access_log::{AccessLog, Entry};
use crate::app_log::AppLog;
use crate::development::Exhibit;
use crate::environ::Peer;
use crate::failure::{self, Cause};
use crate::request_id::RequestId;
use http::StatusCode;
use http::request::Parts;
use std::sync::Arc;
use std::time::Instant;

/// Follows a request from its head to the last octet of its answer. The access
/// line is written when the trail is dropped, which is when the response has
/// left or was given up.
pub struct Trail {
    request: RequestId,
    start: Instant,
    entry: Option<Entry>,
    exhibit: Option<Box<Exhibit>>,
}

impl Trail {
    /// A request that has just arrived over `peer`.
    pub fn begin(head: &Parts, peer: &Arc<Peer>, log: Option<&AccessLog>) -> Self {
        let given = peer.is_vouched_for().then(|| RequestId::of(&head.headers));
        Trail {
            request: given.flatten().unwrap_or_else(RequestId::next),
            start: Instant::now(),
            entry: log.map(|log| Entry::begin(head, peer, log)),
            exhibit: None,
        }
    }

    /// It is for the app that writes this log.
    pub fn of_app(&mut self, log: &Arc<AppLog>) {
        if let Some(entry) = &mut self.entry {
            entry.of_app(log);
        }
    }

    /// Keeps the request, to show it should it fail.
    pub fn keep(&mut self, exhibit: Exhibit) {
        self.exhibit = Some(Box::new(exhibit));
    }

    /// The page for a client whose request failed.
    pub fn page(&self, status: StatusCode, cause: &Cause) -> String {
        match &self.exhibit {
            Some(exhibit) => exhibit.page(status, self.request, cause),
            None => failure::page(status, self.request.as_str()),
        }
    }

    /// What the request is called.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// When it arrived.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// The response begins.
    pub fn answered(&mut self, status: StatusCode) {
        if let Some(entry) = &mut self.entry {
            entry.answered(status);
        }
    }

    /// So many octets of body were handed to the connection.
    pub fn sent(&mut self, octets: usize) {
        if let Some(entry) = &mut self.entry {
            entry.sent(octets);
        }
    }

    /// The request failed, and the log of its app says why.
    pub fn failed(&self, log: &AppLog, cause: &Cause) {
        log.failed(self.request, cause);
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if let Some(entry) = &self.entry {
            entry.write(self.request, self.start);
        }
    }
}
