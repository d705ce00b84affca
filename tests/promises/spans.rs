//! Spans, as a collector of OpenTelemetry gets them.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message;
use rhost_tests::{Authority, Client, Test};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

type Exports = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector that keeps what it gets.
struct Collector {
    address: String,
    exports: Exports,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let exports: Exports = Arc::default();
        let kept = exports.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(collect(stream, kept.clone()));
            }
        });
        Collector { address, exports }
    }

    /// The same over TLS, with a certificate for `localhost` by `authority`.
    async fn secure(authority: &Authority) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let exports: Exports = Arc::default();
        let kept = exports.clone();
        let acceptor = authority.acceptor("localhost");
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // One that does not trust it leaves.
                if let Ok(stream) = acceptor.accept(stream).await {
                    tokio::spawn(collect(stream, kept.clone()));
                }
            }
        });
        Collector {
            address: format!("https://localhost:{port}"),
            exports,
        }
    }

    fn spans(&self) -> Vec<Span> {
        let exports = self.exports.lock().unwrap();
        let resources = exports.iter().flat_map(|export| &export.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

async fn collect(stream: impl AsyncRead + AsyncWrite + Unpin, kept: Exports) {
    let service = service_fn(move |request| take(request, kept.clone()));
    let serving = hyper::server::conn::http1::Builder::new();
    let _ = serving
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn take(
    request: Request<Incoming>,
    kept: Exports,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(request.uri(), "/v1/traces");
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let export = ExportTraceServiceRequest::decode(body).unwrap();
    kept.lock().unwrap().push(export);
    Ok(Response::default())
}

/// Attributes as text.
fn attributes(of: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |value: &KeyValue| match value.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("neither text nor number: {other:?}"),
    };
    let each = of.iter();
    each.map(|value| (value.key.as_str(), text(value).expect("a value")))
        .collect()
}

fn digits(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_a_span_with_its_receipt() {
    let collector = Collector::start().await;
    let test = Test::serving("echoes").otlp(&collector.address, 0.0);
    let server = test.trusted_proxy("127.0.0.1").start().await;
    let request = Request::post("/a%20b?secret=1")
        .header("traceparent", PARENT)
        .header("tracestate", "a=1")
        .header("x-request-id", "one")
        .header("x-forwarded-for", "192.0.2.1")
        .header("user-agent", "tests");
    let answer = server.request(request, "body").await;
    assert_eq!(answer.status, 200);
    let port = server.addr.port();
    server.stop().await;

    let spans = collector.spans();
    let [span] = spans.as_slice() else {
        panic!("one span: {spans:?}");
    };
    assert_eq!(digits(&span.trace_id), &PARENT[3..35]);
    assert_eq!(digits(&span.parent_span_id), &PARENT[36..52]);
    assert_ne!(span.span_id, span.parent_span_id);
    assert_eq!(span.trace_state, "a=1");
    assert_eq!(
        (span.name.as_str(), span.kind()),
        ("POST", SpanKind::Server)
    );
    let status = span.status.as_ref().map(|status| status.code());
    assert!(matches!(status, None | Some(StatusCode::Unset)));
    let attributes = attributes(&span.attributes);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("url.path", "/a%20b"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("server.address", "test"),
        ("server.port", "80"),
        ("client.address", "192.0.2.1"),
        ("network.peer.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "tests"),
        ("http.request.body.size", "4"),
        ("rhost.app", "echoes"),
        ("rhost.request", "one"),
        ("rhost.queue_micros", "0"),
    ] {
        assert_eq!(attributes[name], value, "{name} in {attributes:?}");
    }
    let number = |name: &str| attributes[name].parse::<u64>().unwrap();
    assert_eq!(number("http.response.body.size"), answer.body.len() as u64);
    assert!(number("rhost.memory") > 0 && number("rhost.host_calls") > 0);
    let took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1000;
    assert!(number("rhost.cpu_micros") <= took && number("rhost.start_micros") <= took);
    assert!(!format!("{span:?}").contains("secret"), "{span:?}");
    assert_ne!(port, 80);

    let export = collector.exports.lock().unwrap();
    let resource = export[0].resource_spans[0].resource.as_ref().unwrap();
    let service = self::attributes(&resource.attributes);
    assert_eq!(service["service.name"], "rhost");
}

/// The app is told of the span that it is a part of.
#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_a_part_of_the_span() {
    let collector = Collector::start().await;
    let server = Test::serving("environ")
        .otlp(&collector.address, 1.0)
        .start()
        .await;
    let answer = server.get("/").await;
    server.stop().await;
    let span = &collector.spans()[0];
    let (trace, id) = (digits(&span.trace_id), digits(&span.span_id));
    let told = format!("w3c.traceparent = '00-{trace}-{id}-03'");
    assert!(answer.text().contains(&told), "{told} in {}", answer.text());
    assert!(span.parent_span_id.is_empty(), "{span:?}");
}

/// A caller that is trusted says whether its trace is recorded; of others a part is.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_recorded() {
    let collector = Collector::start().await;
    for (ratio, trusted, parent, recorded) in [
        (0.0, true, Some(PARENT), 1),
        (1.0, true, Some(UNSAMPLED), 0),
        (1.0, true, None, 1),
        (0.0, true, None, 0),
        // A stranger has no say.
        (0.0, false, Some(PARENT), 0),
        (1.0, false, Some(UNSAMPLED), 1),
    ] {
        collector.exports.lock().unwrap().clear();
        let mut test = Test::serving("answers").otlp(&collector.address, ratio);
        if trusted {
            test = test.trusted_proxy("127.0.0.1");
        }
        let server = test.start().await;
        let mut request = Request::get("/204?0");
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        server.request(request, "").await;
        server.stop().await;
        let spans = collector.spans();
        assert_eq!(spans.len(), recorded, "{ratio} {trusted} {parent:?}");
        let continued = spans.iter().all(|span| !span.parent_span_id.is_empty());
        assert_eq!(continued, recorded == 0 || trusted && parent.is_some());
    }
}

/// What went wrong is an error of the server's; a method that nobody knows makes no
/// name.
#[tokio::test(flavor = "multi_thread")]
async fn failures_and_methods() {
    let collector = Collector::start().await;
    let server = Test::serving("no-answer")
        .otlp(&collector.address, 1.0)
        .start()
        .await;
    assert_eq!(
        server
            .request(Request::builder().method("BREW"), "")
            .await
            .status,
        500
    );
    let mut http2 = Client::http2(server.addr).await;
    assert_eq!(http2.get("/").await.status, 500);
    http2.leave();
    server.stop().await;
    let spans = collector.spans();
    let brew = spans.iter().find(|span| span.name == "HTTP").expect("one");
    let found = attributes(&brew.attributes);
    assert_eq!(found["http.request.method"], "_OTHER");
    assert_eq!(found["http.request.method_original"], "BREW");
    assert_eq!(found["error.type"], "500");
    let code = brew.status.as_ref().map(|status| status.code());
    assert_eq!(code, Some(StatusCode::Error));
    let get = spans.iter().find(|span| span.name == "GET").expect("one");
    assert_eq!(attributes(&get.attributes)["network.protocol.version"], "2");
}

/// Many spans arrive, each once.
#[tokio::test(flavor = "multi_thread")]
async fn none_is_lost_while_there_is_room() {
    let collector = Collector::start().await;
    let server = Test::serving("answers")
        .otlp(&collector.address, 1.0)
        .start()
        .await;
    let mut client = server.client().await;
    for _ in 0..1000 {
        assert_eq!(client.get("/204?0").await.status, 204);
    }
    client.leave();
    server.stop().await;
    let spans = collector.spans();
    let mut ids: Vec<_> = spans.iter().map(|span| &span.span_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((spans.len(), ids.len()), (1000, 1000));
}

/// Over TLS spans go to a collector whose certificate is signed by who is trusted, and to
/// no other.
#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_collector_is_who_it_should_be() {
    let (authority, another) = (Authority::new(), Authority::new());
    let collector = Collector::secure(&authority).await;
    for (trusted, arrived) in [(&authority, 1), (&another, 0)] {
        collector.exports.lock().unwrap().clear();
        let test = Test::serving("answers").otlp(&collector.address, 1.0);
        let server = test.otlp_ca(&trusted.file()).start().await;
        assert_eq!(server.get("/204?0").await.status, 204);
        server.stop().await;
        assert_eq!(collector.spans().len(), arrived);
    }
}

/// A collector that takes nothing costs its spans and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_is_in_nobodys_way() {
    // It accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let server = Test::serving("answers").otlp(&address, 1.0).start().await;
    for _ in 0..10 {
        assert_eq!(server.get("/204?0").await.status, 204);
    }
    drop(silent);
    let stopped = server.stop().await;
    assert_eq!(stopped.drained, rhost::worker::Drained::Whole);
}
