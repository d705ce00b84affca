//! HTTP/2 over cleartext is served on the same port, with the same rules.

use http::Request;
use http_body_util::Full;
use rhost_tests::{Answer, Client, Test};

#[tokio::test(flavor = "multi_thread")]
async fn answers_over_http2() {
    let server = Test::serving("answers").start().await;
    let mut client = Client::http2(server.addr).await;
    for (target, body) in [
        ("/200?1", "block"),
        ("/200?3", "blockblockblock"),
        ("/404?0", ""),
    ] {
        let answer = client.get(target).await;
        assert_eq!((answer.text(), answer.cut), (body, false));
    }
}

/// Conformance 8.
#[tokio::test(flavor = "multi_thread")]
async fn environ_over_http2() {
    let server = Test::serving("environ").start().await;
    let answer = Client::http2(server.addr).await.get("/x?y").await;
    for line in [
        "SERVER_PROTOCOL = 'HTTP/2.0'",
        "SERVER_NAME = 'test'",
        "REQUEST_URI = '/x?y'",
    ] {
        assert!(answer.text().contains(line), "{line} in {}", answer.text());
    }
}

/// Conformance 42.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_answer_resets_its_stream_only() {
    let server = Test::serving("trap-after-headers").start().await;
    let mut client = Client::http2(server.addr).await;
    for _ in 0..3 {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.cut), (200, true));
    }
}

/// Conformance 37, 38, 39, 43 and 44, over HTTP/2.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_framed_over_http2() {
    let server = Test::serving("answers").start().await;
    let mut client = Client::http2(server.addr).await;
    for (method, path, length, body) in [
        ("GET", "/200?1", "5", "block"),
        ("HEAD", "/200?1", "5", ""),
        ("GET", "/204?1", "", ""),
        ("GET", "/304?1", "", ""),
    ] {
        let mut ask = async || {
            let request = Request::builder()
                .method(method)
                .uri(format!("http://test{path}"))
                .body(Full::default())
                .unwrap();
            Answer::read(client.send(request).await.unwrap()).await
        };
        let answer = match length {
            "" => ask().await,
            _ => Answer::with_length(ask).await,
        };
        assert_eq!(
            (answer.text(), answer.cut),
            (body, false),
            "{method} {path}"
        );
        assert_eq!(answer.field("content-length"), length, "{method} {path}");
        assert_eq!(answer.headers.get_all("date").iter().count(), 1);
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }
}
