//! The trail that one request leaves: why it failed, and its line in the access
//! log.

use crate::app_log::AppLog;
use crate::development::Exhibit;
use crate::environ::{Peer, protocol, request_uri};
use crate::failure::{self, Cause};
use crate::log::{Format, Sink, escape_into};
use crate::request_id::RequestId;
use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Follows a request from its head to the last octet of its answer. The access
/// line is written when the trail is dropped, which is when the response has
/// left or was given up.
pub struct Trail {
    request: RequestId,
    start: Instant,
    entry: Option<Entry>,
    exhibit: Option<Box<Exhibit>>,
}

/// What an access line needs beyond the request's name; kept only when there is
/// an access log.
struct Entry {
    log: Sink,
    peer: Arc<Peer>,
    method: Method,
    uri: Uri,
    version: Version,
    status: Option<StatusCode>,
    octets: u64,
}

/// As nginx logs a client that left before it got a status.
const CLIENT_LEFT: u16 = 499;

/// An access line as JSON.
#[derive(Serialize)]
struct Access<'a> {
    time: String,
    remote_addr: &'a str,
    method: &'a str,
    target: &'a str,
    protocol: &'a str,
    status: u16,
    octets: u64,
    /// From the request's head to the end of its answer.
    micros: u64,
    request: &'a str,
}

impl Trail {
    /// A request that has just arrived over `peer`.
    pub fn begin(head: &Parts, peer: &Arc<Peer>, log: Option<&Sink>) -> Self {
        let entry = log.map(|log| Entry {
            log: log.clone(),
            peer: peer.clone(),
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            status: None,
            octets: 0,
        });
        Trail {
            request: RequestId::next(),
            start: Instant::now(),
            entry,
            exhibit: None,
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
            entry.status = Some(status);
        }
    }

    /// So many octets of body were handed to the connection.
    pub fn sent(&mut self, octets: usize) {
        if let Some(entry) = &mut self.entry {
            entry.octets += octets as u64;
        }
    }

    /// The request failed, and the log of its app says why.
    pub fn failed(&self, log: &AppLog, cause: &Cause) {
        log.failed(self.request, cause);
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        let Some(Entry {
            log,
            peer,
            method,
            uri,
            version,
            status,
            octets,
        }) = &self.entry
        else {
            return;
        };
        let micros = self.start.elapsed().as_micros();
        let time = humantime::format_rfc3339_millis(SystemTime::now());
        if log.format() == Format::Json {
            return log.append_json(&Access {
                time: time.to_string(),
                remote_addr: &peer.remote_addr,
                method: method.as_str(),
                target: &request_uri(uri, *version),
                protocol: protocol(*version),
                status: status.map_or(CLIENT_LEFT, |status| status.as_u16()),
                octets: *octets,
                micros: u64::try_from(micros).unwrap_or(u64::MAX),
                request: self.request.as_str(),
            });
        }
        log.append(|line| {
            // A Unix socket has no address.
            let from = match peer.remote_addr.as_str() {
                "" => "-",
                addr => addr,
            };
            let _ = write!(line, "{time} {from} \"{method} ");
            // The target is the client's text: a quote or a control in it must
            // not pass for the log's own.
            escape_into(line, &request_uri(uri, *version).replace('"', "%22"));
            let _ = match status {
                Some(status) => write!(
                    line,
                    " {}\" {} {octets}",
                    protocol(*version),
                    status.as_u16()
                ),
                None => write!(line, " {}\" {CLIENT_LEFT} {octets}", protocol(*version)),
            };
            let _ = writeln!(
                line,
                " {}.{:03}ms {}",
                micros / 1000,
                micros % 1000,
                self.request
            );
        });
    }
}
