//! A span as OpenTelemetry has it, with the names of its semantic conventions for HTTP
//! servers (version 1.36), and the receipt under our own.

use super::span::{Ended, Finished, Span};
use crate::environ::text;
use crate::ledger::AppName;
use http::{Method, StatusCode, Version};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use std::time::Duration;

/// The methods that are known (RFC 9110, section 9.3, and RFC 5789). Others would make
/// names without an end.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
];

impl Finished {
    /// The span for a collector.
    pub fn into_data(self, scope: &InstrumentationScope) -> SpanData {
        let attributes = self.attributes();
        let Finished { span, ended } = self;
        let state = ended.trace.state().map(str::parse::<TraceState>);
        let context = SpanContext::new(
            TraceId::from_bytes(ended.trace.trace().to_be_bytes()),
            SpanId::from_bytes(ended.trace.span().to_be_bytes()),
            TraceFlags::new(ended.trace.flags()),
            false,
            state.and_then(Result::ok).unwrap_or_default(),
        );
        let parent = span.parent.unwrap_or_default();
        SpanData {
            span_context: context,
            parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
            parent_span_is_remote: span.parent.is_some(),
            span_kind: SpanKind::Server,
            // There is no route that the host knows of.
            name: match known(&span.method) {
                true => span.method.to_string().into(),
                false => "HTTP".into(),
            },
            start_time: span.begun,
            end_time: span.begun + ended.receipt.wall,
            attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: match ended.status.is_some_and(|status| status.is_server_error()) {
                true => Status::error(""),
                false => Status::Unset,
            },
            instrumentation_scope: scope.clone(),
        }
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let Finished { span, ended } = self;
        let mut attributes = Vec::with_capacity(24);
        let mut add = |name: &'static str, value: Value| {
            attributes.push(KeyValue::new(name, value));
        };
        of_request(span, &mut add);
        of_answer(ended, &mut add);
        if let Some(AppName { app, tenant }) = &span.app {
            add("rhost.app", app.clone().into());
            if let Some(tenant) = tenant {
                add("rhost.tenant", tenant.clone().into());
            }
        }
        attributes
    }
}

/// The query is left out: it may have what is nobody's business.
fn of_request(span: &Span, add: &mut impl FnMut(&'static str, Value)) {
    match known(&span.method) {
        true => add("http.request.method", span.method.to_string().into()),
        false => {
            add("http.request.method", "_OTHER".into());
            let method = span.method.to_string();
            add("http.request.method_original", method.into());
        }
    }
    add("url.scheme", span.peer.scheme().into());
    add("url.path", span.uri.path().to_owned().into());
    add("server.address", span.server.0.clone().into());
    add("server.port", i64::from(span.server.1).into());
    if !span.peer.remote_addr.is_empty() {
        add("client.address", span.peer.remote_addr.clone().into());
    }
    let nearest = span.peer.via().unwrap_or(&span.peer);
    if !nearest.remote_addr.is_empty() {
        add("network.peer.address", nearest.remote_addr.clone().into());
        add("network.peer.port", i64::from(nearest.remote_port).into());
    }
    let version = match span.version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    };
    add("network.protocol.version", version.into());
    if let Some(agent) = &span.user_agent {
        let agent = text(agent.as_bytes()).into_owned();
        add("user_agent.original", agent.into());
    }
}

/// A client that left before it had a status is an error of nobody's: it has none.
fn of_answer(ended: &Ended, add: &mut impl FnMut(&'static str, Value)) {
    if let Some(status) = ended.status {
        add(
            "http.response.status_code",
            i64::from(status.as_u16()).into(),
        );
        if status.is_server_error() {
            add("error.type", error_type(status).into());
        }
    }
    let receipt = &ended.receipt;
    add("http.request.body.size", count(receipt.received));
    add("http.response.body.size", count(receipt.sent));
    add("rhost.request", ended.request.as_str().to_owned().into());
    add("rhost.queue_micros", micros(receipt.queue));
    add("rhost.start_micros", micros(receipt.start));
    add("rhost.cpu_micros", micros(receipt.cpu));
    add("rhost.memory", count(receipt.memory));
    add("rhost.host_calls", count(receipt.host_calls));
}

fn error_type(status: StatusCode) -> String {
    status.as_u16().to_string()
}

fn known(method: &Method) -> bool {
    METHODS.contains(method)
}

fn micros(time: Duration) -> Value {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).into()
}

fn count(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}
