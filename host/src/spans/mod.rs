//! Spans: what a collector of OpenTelemetry is told of requests (OTLP over HTTP, in
//! protobuf).
//!
//! A request that is recorded leaves its span in a queue when it has ended; a thread
//! of its own sends what has gathered there. The queue is bounded: spans that find no
//! room, or that cannot be sent, are dropped and counted. No request waits for any of
//! it.

mod attributes;
mod collector;
mod exporter;
mod span;

pub use collector::Collector;
pub use exporter::Exporting;
pub use span::{Ended, Span};

use crate::environ::Peer;
use crate::trace_context::TraceContext;
use collector::Way;
use http::request::Parts;
use span::Finished;
use std::io;
use std::path::Path;
use tokio::sync::mpsc;

/// Spans that wait to be sent. As many as there can be between two looks at the queue
/// where every request is recorded.
const QUEUE: usize = 8192;

/// Who decides which requests are recorded, and where their spans go. Clones have the
/// same queue.
#[derive(Clone)]
pub struct Spans {
    /// A new trace is recorded if 63 bits of its number are below this.
    below: u64,
    queue: mpsc::Sender<Finished>,
}

impl Spans {
    /// Spans for `collector`: those of requests whose caller records them, and of new
    /// traces this part, from 0 to 1. They are sent until what is returned beside it
    /// is dropped. If that is over TLS, the file `ca` has those who sign the collector's
    /// certificate; without one they are those that this system trusts.
    pub fn start(
        collector: Collector,
        ca: Option<&Path>,
        ratio: f64,
    ) -> io::Result<(Self, Exporting)> {
        let way = Way::to(collector, ca).map_err(io::Error::other)?;
        let (queue, finished) = mpsc::channel(QUEUE);
        let exporting = Exporting::start(way, finished)?;
        // All 63 bits are below 2^63.
        let below = (ratio.clamp(0.0, 1.0) * 2_f64.powi(63)) as u64;
        Ok((Spans { below, queue }, exporting))
    }

    /// Where in which trace a request is that `peer` asks for, in the trace of `caller`
    /// if that is trusted; and its span, if it is recorded.
    pub fn begin(
        &self,
        caller: Option<TraceContext>,
        head: &Parts,
        peer: &std::sync::Arc<Peer>,
    ) -> (TraceContext, Option<Box<Span>>) {
        let parent = caller.as_ref().map(TraceContext::span);
        let (trace, is_sampled) = match caller {
            Some(caller) => {
                let is_sampled = caller.is_sampled();
                (caller, is_sampled)
            }
            None => {
                let trace = TraceContext::begin();
                let is_sampled = self.chooses(&trace);
                (trace, is_sampled)
            }
        };
        if !is_sampled {
            return (trace, None);
        }
        let span = Span::begin(parent, head, peer, self.queue.clone());
        (trace.in_span(true), Some(Box::new(span)))
    }

    /// As OpenTelemetry's TraceIdRatioBased does, so that all who use the same ratio
    /// choose the same traces.
    fn chooses(&self, trace: &TraceContext) -> bool {
        (trace.trace() as u64) >> 1 < self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{self, Event};
    use crate::receipt::Receipt;
    use crate::request_id::RequestId;

    fn chosen(ratio: f64) -> usize {
        let (queue, _) = mpsc::channel(1);
        let below = (ratio * 2_f64.powi(63)) as u64;
        let spans = Spans { below, queue };
        (0..10_000)
            .filter(|_| spans.chooses(&TraceContext::begin()))
            .count()
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (queue, mut finished) = mpsc::channel(1);
        let (below, before) = (1 << 63, metrics::counted(Event::SpanUnqueued));
        let spans = Spans { below, queue };
        let head = http::Request::get("/").body(()).unwrap().into_parts().0;
        let peer = std::sync::Arc::new(Peer::unix());
        for _ in 0..3 {
            let (trace, span) = spans.begin(None, &head, &peer);
            assert!(trace.is_sampled());
            span.expect("it is recorded").end(Ended {
                trace,
                request: RequestId::next(),
                status: None,
                receipt: Receipt::default(),
            });
        }
        assert_eq!(metrics::counted(Event::SpanUnqueued), before + 2);
        assert!(finished.try_recv().is_ok() && finished.try_recv().is_err());
    }

    #[test]
    fn a_part_of_the_traces_is_chosen() {
        assert_eq!((chosen(0.0), chosen(1.0)), (0, 10_000));
        assert!((3000..7000).contains(&chosen(0.5)));
    }
}
