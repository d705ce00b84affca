//! What the host counts of itself, in the words of Prometheus.
//!
//! Every metric is named here, or in the files of this module. They are of the process, not of
//! one server in it, as whoever collects them asks the process. Most count what
//! goes wrong, or is about to: limits that fire, time-outs, connections that are
//! refused. A request that is answered comes by none of them, so that no two
//! cores write where the other one reads. What is told of pools (`pools`) is wasmtime's;
//! what each app used stands in its ledger.

mod pools;

pub use pools::watch as watch_pool;

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::LazyLock;
use std::time::Duration;

/// Counters that belong together: a name without its `_total`, and what is counted.
struct Metric {
    name: &'static str,
    help: &'static str,
}

const CONNECTIONS: Metric = Metric {
    name: "rhost_connections",
    help: "Connections that were accepted",
};
const ACCEPT_ERRORS: Metric = Metric {
    name: "rhost_accept_errors",
    help: "Connections that could not be accepted yet, as for want of file descriptors",
};
const ACCEPT_WAITS: Metric = Metric {
    name: "rhost_accept_waits",
    help: "Connections that waited because there were as many as there may be",
};
const REFUSED: Metric = Metric {
    name: "rhost_connections_refused",
    help: "Connections that were closed as soon as they were accepted",
};
const CLOSED: Metric = Metric {
    name: "rhost_connections_closed",
    help: "Connections that the host ended, not the client",
};
const HANDSHAKES: Metric = Metric {
    name: "rhost_tls_handshakes_failed",
    help: "Handshakes of TLS that came to nothing",
};
const STREAMS: Metric = Metric {
    name: "rhost_http2_streams_reset",
    help: "Streams of HTTP/2 that the host reset",
};
const REQUESTS_REFUSED: Metric = Metric {
    name: "rhost_requests_refused",
    help: "Requests that were refused before an app was chosen",
};
const BODIES: Metric = Metric {
    name: "rhost_request_bodies_failed",
    help: "Bodies of requests that were not received whole",
};
const REQUESTS_FAILED: Metric = Metric {
    name: "rhost_requests_failed",
    help: "Requests that an app, a limit or a lack of places made fail",
};

const CACHE_HITS: Metric = Metric {
    name: "rhost_code_cache_hits",
    help: "Components whose compiled code had been kept",
};
const CACHE_MISSES: Metric = Metric {
    name: "rhost_code_cache_misses",
    help: "Components that had to be compiled",
};
const SPANS: Metric = Metric {
    name: "rhost_spans_sent",
    help: "Spans of requests that a collector took",
};
const SPANS_DROPPED: Metric = Metric {
    name: "rhost_spans_dropped",
    help: "Spans of requests that no collector took",
};
const INSTANCES: Metric = Metric {
    name: "rhost_instances_made",
    help: "Instances that were made to serve more than one request",
};
const INSTANCES_DROPPED: Metric = Metric {
    name: "rhost_instances_dropped",
    help: "Instances made to serve more than one request that have ended",
};
const MOVED: Metric = Metric {
    name: "rhost_guests_moved",
    help: "Times that a guest went to another thread, to wait less or not at all",
};

/// Something worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`TABLE` has each one's metric and reason")]
pub enum Event {
    Accepted,
    AcceptFailed,
    AcceptWaited,
    RefusedPerPeer,
    HeaderTimeout,
    KeepAliveOver,
    WriteTimeout,
    HalfClosed,
    RequestsSpent,
    Http2Flood,
    HandshakeTimeout,
    HandshakeFailed,
    StreamStalled,
    StreamTimeout,
    StreamRefused,
    RequestLine,
    HeaderSize,
    HeaderFields,
    Malformed,
    BodyTooLarge,
    BodyTimeout,
    BodyIncomplete,
    Cpu,
    Wall,
    Memory,
    Table,
    ResponseBody,
    SandboxMemory,
    TenantMemory,
    OpenFiles,
    TenantOpenFiles,
    Overloaded,
    QueueTimeout,
    AppFailed,
    InstanceMade,
    InstanceSpent,
    InstanceAged,
    InstanceUnfit,
    InstanceEvicted,
    InstanceReplaced,
    GuestMoved,
    CodeKept,
    CodeMissing,
    SpanSent,
    SpanUnqueued,
    SpanUnsent,
}

/// Each event in the order of their numbers, with what counts it, and the value of
/// that one's label `reason`.
const TABLE: [(Event, &Metric, &str); 46] = [
    (Event::Accepted, &CONNECTIONS, ""),
    (Event::AcceptFailed, &ACCEPT_ERRORS, ""),
    (Event::AcceptWaited, &ACCEPT_WAITS, ""),
    (Event::RefusedPerPeer, &REFUSED, "per_peer"),
    (Event::HeaderTimeout, &CLOSED, "header_timeout"),
    (Event::KeepAliveOver, &CLOSED, "keep_alive"),
    (Event::WriteTimeout, &CLOSED, "write_timeout"),
    (Event::HalfClosed, &CLOSED, "half_close"),
    (Event::RequestsSpent, &CLOSED, "max_requests"),
    (Event::Http2Flood, &CLOSED, "http2_flood"),
    (Event::HandshakeTimeout, &HANDSHAKES, "timeout"),
    (Event::HandshakeFailed, &HANDSHAKES, "error"),
    (Event::StreamStalled, &STREAMS, "write_timeout"),
    (Event::StreamTimeout, &STREAMS, "timeout"),
    (Event::StreamRefused, &STREAMS, "max_requests"),
    (Event::RequestLine, &REQUESTS_REFUSED, "request_line"),
    (Event::HeaderSize, &REQUESTS_REFUSED, "header_size"),
    (Event::HeaderFields, &REQUESTS_REFUSED, "header_fields"),
    (Event::Malformed, &REQUESTS_REFUSED, "malformed"),
    (Event::BodyTooLarge, &BODIES, "too_large"),
    (Event::BodyTimeout, &BODIES, "timeout"),
    (Event::BodyIncomplete, &BODIES, "incomplete"),
    (Event::Cpu, &REQUESTS_FAILED, "cpu"),
    (Event::Wall, &REQUESTS_FAILED, "timeout"),
    (Event::Memory, &REQUESTS_FAILED, "memory"),
    (Event::Table, &REQUESTS_FAILED, "table_elements"),
    (Event::ResponseBody, &REQUESTS_FAILED, "response_body"),
    (Event::SandboxMemory, &REQUESTS_FAILED, "sandbox_memory"),
    (Event::TenantMemory, &REQUESTS_FAILED, "tenant_memory"),
    (Event::OpenFiles, &REQUESTS_FAILED, "open_files"),
    (
        Event::TenantOpenFiles,
        &REQUESTS_FAILED,
        "tenant_open_files",
    ),
    (Event::Overloaded, &REQUESTS_FAILED, "queue"),
    (Event::QueueTimeout, &REQUESTS_FAILED, "queue_timeout"),
    (Event::AppFailed, &REQUESTS_FAILED, "app"),
    (Event::InstanceMade, &INSTANCES, ""),
    (Event::InstanceSpent, &INSTANCES_DROPPED, "reuse"),
    (Event::InstanceAged, &INSTANCES_DROPPED, "reuse_for"),
    (Event::InstanceUnfit, &INSTANCES_DROPPED, "unfit"),
    (Event::InstanceEvicted, &INSTANCES_DROPPED, "no_slot"),
    (Event::InstanceReplaced, &INSTANCES_DROPPED, "replaced"),
    (Event::GuestMoved, &MOVED, ""),
    (Event::CodeKept, &CACHE_HITS, ""),
    (Event::CodeMissing, &CACHE_MISSES, ""),
    (Event::SpanSent, &SPANS, ""),
    (Event::SpanUnqueued, &SPANS_DROPPED, "queue"),
    (Event::SpanUnsent, &SPANS_DROPPED, "collector"),
];

/// A label and its value.
type Labels = [(&'static str, &'static str); 1];

struct Metrics {
    registry: Registry,
    counters: [Counter; TABLE.len()],
    open: Gauge,
    compile: Histogram,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::default();
        let mut families: Vec<(&str, Family<Labels, Counter>)> = Vec::new();
        let counters = TABLE.map(|(_, metric, reason)| {
            if reason.is_empty() {
                let counter = Counter::default();
                registry.register(metric.name, metric.help, counter.clone());
                return counter;
            }
            let known = families.iter().position(|(name, _)| *name == metric.name);
            let place = known.unwrap_or_else(|| {
                let family = Family::default();
                registry.register(metric.name, metric.help, family.clone());
                families.push((metric.name, family));
                families.len() - 1
            });
            // Each is there from the start, at zero: what never happened is known
            // not to have happened.
            families[place].1.get_or_create_owned(&[("reason", reason)])
        });
        let open = Gauge::default();
        let help = "Connections that are open";
        registry.register("rhost_connections_open", help, open.clone());
        // 10 ms to 41 s, and beyond.
        let compile = Histogram::new(exponential_buckets(0.01, 4.0, 7));
        let help = "Time that compiling a component took";
        registry.register("rhost_compile_seconds", help, compile.clone());
        registry.register_collector(Box::new(pools::Pools));
        Metrics {
            registry,
            counters,
            open,
            compile,
        }
    }
}

/// Counts one.
pub fn count(event: Event) {
    METRICS.counters[event as usize].inc();
}

/// Counts so many.
pub fn count_many(event: Event, times: usize) {
    METRICS.counters[event as usize].inc_by(times as u64);
}

/// How often it has happened in this process.
pub fn counted(event: Event) -> u64 {
    METRICS.counters[event as usize].get()
}

/// A component was compiled in this time.
pub fn compiled(took: Duration) {
    METRICS.compile.observe(took.as_secs_f64());
}

/// All of them, in the text format of OpenMetrics, without the line that ends a text.
pub fn render() -> String {
    let mut text = String::new();
    // It writes to a string, which takes everything.
    let _ = encode_registry(&mut text, &METRICS.registry);
    text
}

/// A connection that is open, until it is dropped.
#[derive(Debug)]
pub struct Open(());

impl Open {
    /// One more.
    pub fn begin() -> Self {
        count(Event::Accepted);
        METRICS.open.inc();
        Open(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        METRICS.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_own_counter() {
        for (number, (event, metric, reason)) in TABLE.into_iter().enumerate() {
            assert_eq!(event as usize, number, "{event:?}");
            let same =
                |other: &(Event, &Metric, &str)| (other.1.name, other.2) == (metric.name, reason);
            assert_eq!(TABLE.iter().filter(|other| same(other)).count(), 1);
        }
    }

    #[test]
    fn all_are_there_before_they_happen() {
        count(Event::AcceptWaited);
        let text = render();
        for (_, metric, reason) in TABLE {
            let line = match reason {
                "" => format!("\n{}_total ", metric.name),
                reason => format!("\n{}_total{{reason=\"{reason}\"}} ", metric.name),
            };
            assert!(text.contains(&line), "{line} in {text}");
        }
        assert!(
            text.contains("# TYPE rhost_connections_open gauge"),
            "{text}"
        );
        assert!(text.contains("# HELP rhost_accept_waits "), "{text}");
        assert!(!text.contains("rhost_accept_waits_total 0"), "{text}");
    }
}
