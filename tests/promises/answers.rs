//! What the client gets for what the guest wrote (conformance 25, 35-40, 44, 45).

use http::Request;
use rhost_tests::{Answer, Received, Test};

/// Conformance 39 and 43.
#[tokio::test(flavor = "multi_thread")]
async fn one_block_goes_out_whole() {
    let server = Test::serving("answers").start().await;
    let answer = Answer::with_length(async || server.get("/200?1").await).await;
    assert_eq!(
        (answer.status, answer.text(), answer.field("content-length")),
        (200, "block", "5")
    );
    assert_eq!(answer.headers.get_all("date").iter().count(), 1);
}

/// Conformance 30.
#[tokio::test(flavor = "multi_thread")]
async fn several_blocks_are_streamed() {
    let answer = Test::serving("answers").get("/200?3").await;
    assert_eq!(answer.text(), "blockblockblock");
    assert_eq!(answer.field("transfer-encoding"), "chunked");
}

/// Conformance 25.
#[tokio::test(flavor = "multi_thread")]
async fn no_block_is_an_empty_body() {
    let answer = Test::serving("answers").get("/404?0").await;
    assert_eq!(
        (answer.status, answer.text(), answer.field("content-length")),
        (404, "", "0")
    );
}

/// Conformance 44.
#[tokio::test(flavor = "multi_thread")]
async fn set_cookie_is_never_merged() {
    let answer = Test::serving("answers").get("/200?1").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

/// Conformance 37.
#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_same_fields_and_no_body() {
    let server = Test::serving("answers").start().await;
    for target in ["/200?1", "/200?0"] {
        let head = server.request(Request::head(target), "").await;
        let get = server.get(target).await;
        assert_eq!(head.body, "");
        assert_eq!(head.field("x-method"), "HEAD");
        assert_eq!(head.field("content-length"), get.field("content-length"));
    }
    // A streamed answer has no length to tell, and its guest is not run on.
    let head = server.request(Request::head("/200?3"), "").await;
    assert_eq!(
        (head.status, head.field("content-length"), head.cut),
        (200, "", false)
    );
    let stopped = server.stop().await;
    assert!(!stopped.log.contains("rhost:"), "{}", stopped.log);
}

/// Conformance 38.
#[tokio::test(flavor = "multi_thread")]
async fn statuses_without_a_body_have_none() {
    let server = Test::serving("answers").start().await;
    for target in ["/204?0", "/204?1", "/204?3", "/304?0", "/304?2"] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let text = Received::to(server.addr, request.as_bytes()).await.text();
        assert!(text.ends_with("\r\n\r\n"), "{target}: {text}");
        assert!(
            !text.contains("transfer-encoding") && !text.contains("content-length"),
            "{target}: {text}"
        );
    }
}

/// Conformance 35.
#[tokio::test(flavor = "multi_thread")]
async fn octets_beyond_content_length_are_cut_off_and_logged() {
    for target in ["/8", "/8?blocks"] {
        let answer = Test::serving("wrong-length").get(target).await;
        assert_eq!(
            (answer.text(), answer.field("content-length"), answer.cut),
            ("xxxxx", "5", false)
        );
        assert!(
            answer
                .log
                .contains("3 bytes beyond the response's Content-Length"),
            "{}",
            answer.log
        );
    }
}

/// Conformance 36.
#[tokio::test(flavor = "multi_thread")]
async fn fewer_octets_than_content_length_cut_the_connection() {
    for target in ["/3", "/3?blocks", "/0"] {
        let server = Test::serving("wrong-length").start().await;
        let twice = format!("GET {target} HTTP/1.1\r\nhost: test\r\n\r\n").repeat(2);
        let text = Received::to(server.addr, twice.as_bytes()).await.text();
        assert_eq!(
            text.matches("HTTP/1.1").count(),
            1,
            "the connection is not used again: {text}"
        );
        assert!(text.contains("content-length: 5"), "{text}");
        let log = server.stop().await.log;
        assert!(log.contains("less than its Content-Length"), "{log}");
    }
    let right = Test::serving("wrong-length").get("/5?blocks").await;
    assert_eq!((right.text(), right.cut), ("xxxxx", false));
}

/// Conformance 40.
#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_is_never_chunked() {
    let server = Test::serving("answers").start().await;
    let text = Received::to(server.addr, b"GET /200?3 HTTP/1.0\r\n\r\n")
        .await
        .text();
    assert!(
        text.starts_with("HTTP/1.0 200 OK") || text.starts_with("HTTP/1.1 200 OK"),
        "{text}"
    );
    assert!(
        text.ends_with("\r\n\r\nblockblockblock") && !text.contains("chunked"),
        "{text}"
    );
}

/// Conformance 45.
#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let server = Test::serving("answers").start().await;
    let requests: String = [("201", "1"), ("202", "3"), ("203", "0"), ("200", "2")]
        .map(|(status, blocks)| format!("GET /{status}?{blocks} HTTP/1.1\r\nhost: test\r\n\r\n"))
        .concat();
    let last = "GET /404?1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let text = Received::to(server.addr, (requests + last).as_bytes())
        .await
        .text();
    let statuses: Vec<&str> = text
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &text[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["201", "202", "203", "200", "404"]);
}
