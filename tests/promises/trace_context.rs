//! The trace that a request belongs to: the caller's if that is trusted, and one of
//! its own if not.

use http::Request;
use rhost::access_log::Format;
use rhost_tests::{Server, Test};
use serde_json::Value;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// What the guest finds of this name among its extensions.
fn extension(text: &str, name: &str) -> Option<String> {
    let begin = format!("{name} = '");
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(&begin)?.strip_suffix('\''));
    found.map(str::to_owned)
}

async fn ask(server: &Server, fields: &[(&str, &str)]) -> (Option<String>, Option<String>) {
    let mut request = Request::get("/");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let answer = server.request(request, "").await;
    assert_eq!(answer.status, 200);
    let found = |name| extension(answer.text(), name);
    (found("w3c.traceparent"), found("w3c.tracestate"))
}

fn serving() -> Test {
    Test::serving("environ").access_log_format(Format::Json)
}

#[tokio::test(flavor = "multi_thread")]
async fn that_of_a_trusted_caller_goes_on() {
    let server = serving().trusted_proxy("127.0.0.1").start().await;
    let fields = [("traceparent", PARENT), ("tracestate", "a=1,b=2")];
    let (parent, state) = ask(&server, &fields).await;
    // The host records nothing, so the caller's span is what comes before the app.
    assert_eq!(parent.as_deref(), Some(PARENT));
    assert_eq!(state.as_deref(), Some("a=1,b=2"));
    let log = server.stop().await.access_log;
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["trace"], TRACE);
}

/// Whoever is not trusted begins a trace of its own, and so does whoever says what
/// is no trace.
#[tokio::test(flavor = "multi_thread")]
async fn that_of_others_does_not() {
    let strangers = serving().start().await;
    let trusted = serving().trusted_proxy("127.0.0.1").start().await;
    let broken = PARENT.to_uppercase();
    let mut seen = vec![TRACE.to_owned()];
    for (server, parent) in [
        (&strangers, PARENT),
        (&strangers, PARENT),
        (&trusted, &broken),
    ] {
        let fields = [("traceparent", parent), ("tracestate", "a=1")];
        let (own, state) = ask(server, &fields).await;
        let own = own.expect("each request has one");
        let parts: Vec<_> = own.split('-').collect();
        let ["00", trace, span, "02"] = parts.as_slice() else {
            panic!("not a new one: {own}");
        };
        assert_eq!((trace.len(), span.len()), (32, 16));
        assert!(!seen.contains(&(*trace).to_owned()), "{trace}");
        seen.push((*trace).to_owned());
        assert_eq!(state, None);
    }
    let log = strangers.stop().await.access_log;
    let logged = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["trace"].as_str().unwrap().to_owned()
    });
    assert_eq!(logged.collect::<Vec<_>>(), seen[1..3]);
}
