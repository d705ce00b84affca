//! HTTP/2 over cleartext is served on the same port, with the same rules.

use rhost_tests::{Client, Test};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_answer_resets_its_stream_only() {
    let server = Test::serving("trap-after-headers").start().await;
    let mut client = Client::http2(server.addr).await;
    for _ in 0..3 {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.cut), (200, true));
    }
}
