//! The trail that one request leaves: why it failed, what it cost, and its line in
//! the access log.

use crate::access_log::{AccessLog, End, Entry};
use crate::app_log::AppLog;
use crate::development::Exhibit;
use crate::environ::Peer;
use crate::failure::{self, Cause};
use crate::ledger::{Ledger, Sheet};
use crate::meter::CpuMeter;
use crate::receipt::Receipt;
use crate::request_id::RequestId;
use crate::server_timing;
use crate::spans::{Ended, Span, Spans};
use crate::streamed::Records;
use crate::trace_context::TraceContext;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Follows a request from its head to the last octet of its answer. The access
/// line is written when the trail is dropped, which is when the response has
/// left or was given up.
pub struct Trail {
    request: RequestId,
    start: Instant,
    trace: TraceContext,
    /// Whether a trusted proxy sent it.
    is_vouched_for: bool,
    entry: Option<Entry>,
    /// None if nobody records it.
    span: Option<Box<Span>>,
    exhibit: Option<Box<Exhibit>>,
    /// Where its receipt is entered.
    sheet: Option<Arc<Sheet>>,
    /// What it has used, from when it has a sandbox.
    meter: Option<CpuMeter>,
    /// How long it waited for that.
    queue: Duration,
    status: Option<StatusCode>,
    /// Octets of body that were handed to the connection.
    sent: u64,
}

impl Trail {
    /// A request that has just arrived over `peer`.
    pub fn begin(
        head: &Parts,
        peer: &Arc<Peer>,
        log: Option<&AccessLog>,
        spans: Option<&Spans>,
    ) -> Self {
        let is_vouched_for = peer.is_vouched_for();
        let (request, caller) = match is_vouched_for {
            true => (
                RequestId::of(&head.headers),
                TraceContext::of(&head.headers),
            ),
            false => (None, None),
        };
        let (trace, span) = match spans {
            Some(spans) => spans.begin(caller, head, peer),
            None => (caller.unwrap_or_else(TraceContext::begin), None),
        };
        Trail {
            request: request.unwrap_or_else(RequestId::next),
            trace,
            start: Instant::now(),
            is_vouched_for,
            entry: log.map(|log| Entry::begin(head, peer, log)),
            span,
            exhibit: None,
            sheet: None,
            meter: None,
            queue: Duration::ZERO,
            status: None,
            sent: 0,
        }
    }

    /// It came in on `lane`, for the app that writes this log and has this ledger.
    pub fn of_app(&mut self, log: &Arc<AppLog>, ledger: &Arc<Ledger>, lane: usize) {
        if let Some(entry) = &mut self.entry {
            entry.of_app(log);
        }
        if let Some(span) = &mut self.span {
            span.of_app(ledger.name());
        }
        self.sheet = Some(ledger.sheet(lane));
    }

    /// Keeps the request, to show it should it fail.
    pub fn keep(&mut self, exhibit: Exhibit) {
        self.exhibit = Some(Box::new(exhibit));
    }

    /// It waited so long for a place.
    pub fn queued(&mut self, queue: Duration) {
        self.queue = queue;
    }

    /// It gets a sandbox, whose use is counted by `meter`.
    pub fn runs(&mut self, meter: &CpuMeter) {
        self.meter = Some(meter.clone());
    }

    /// The page for a client whose request failed.
    pub fn page(&self, status: StatusCode, cause: &Cause) -> String {
        match &self.exhibit {
            Some(exhibit) => exhibit.page(status, self.request, &self.trace, cause),
            None => failure::page(status, self.request.as_str()),
        }
    }

    /// What the request is called.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The trace that it belongs to.
    pub fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// When it arrived.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// What it has cost so far.
    pub fn receipt(&self) -> Receipt {
        let mut receipt = Receipt {
            wall: self.start.elapsed(),
            queue: self.queue,
            sent: self.sent,
            ..Receipt::default()
        };
        if let Some(meter) = &self.meter {
            receipt.cpu = meter.spent();
            meter.tally().write_on(&mut receipt);
        }
        receipt
    }

    /// The response begins, with `status` and these fields; who is trusted to be told
    /// is told what it has cost so far.
    pub fn answers(&mut self, status: StatusCode, headers: &mut HeaderMap) {
        self.status = Some(status);
        if self.is_vouched_for || self.exhibit.is_some() {
            server_timing::append(headers, &self.receipt());
        }
    }

    /// So many octets of body were handed to the connection.
    pub fn sent(&mut self, octets: usize) {
        self.sent += octets as u64;
    }

    /// The request failed, and the log of its app says why.
    pub fn failed(&self, log: &AppLog, cause: &Cause) {
        if let (Some(sheet), Some(hit)) = (&self.sheet, cause.hit()) {
            sheet.hit(hit);
        }
        log.failed(self.request, cause);
    }

    /// Where it is said how it ends, should it fail once its head has left.
    pub fn records(&self, log: Arc<AppLog>) -> Records {
        Records {
            log,
            sheet: self.sheet.clone(),
            request: self.request,
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if self.entry.is_none() && self.sheet.is_none() && self.span.is_none() {
            return;
        }
        let receipt = self.receipt();
        let had_sandbox = self.meter.is_some();
        if let Some(sheet) = &self.sheet {
            sheet.enter(&receipt, self.status, had_sandbox);
        }
        if let Some(entry) = &self.entry {
            entry.write(&End {
                request: self.request,
                trace: &self.trace,
                status: self.status,
                receipt,
                had_sandbox,
            });
        }
        if let Some(span) = self.span.take() {
            span.end(Ended {
                trace: self.trace.clone(),
                request: self.request,
                status: self.status,
                receipt,
            });
        }
    }
}
