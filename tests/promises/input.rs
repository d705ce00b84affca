//! The request's body as the guest reads it (conformance 17-22), and its limits.

use http::Request;
use rhost_tests::{Received, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Conformance 17 and 18.
#[tokio::test(flavor = "multi_thread")]
async fn reading_stops_at_content_length() {
    let server = Test::serving("reads-body").start().await;
    for size in [0, 1, 65_536, 1_000_000] {
        let answer = server.request(Request::post("/"), vec![b'x'; size]).await;
        assert_eq!(answer.text(), format!("{size} octets"));
    }
}

/// Conformance 19.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_ends_with_its_last_chunk() {
    let server = Test::serving("reads-body").start().await;
    let request =
        b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
        3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\ntrailer: ignored\r\n\r\n";
    let text = Received::to(server.addr, request).await.text();
    assert!(text.ends_with("7 octets"), "{text}");
}

/// Conformance 21.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_is_an_error_to_the_guest() {
    for request in [
        &b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc"[..],
        b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
    ] {
        let server = Test::serving("reads-body").start().await;
        let mut stream = server.connect().await;
        stream.write_all(request).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        assert!(!String::from_utf8_lossy(&received).contains("200 OK"));
    }
}

/// Hostile client 40.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_coming_is_given_up() {
    let server = Test::serving("reads-body")
        .body_timeout("20ms")
        .start()
        .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc")
        .await
        .unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    let text = String::from_utf8_lossy(&received);
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    let log = server.stop().await.log;
    assert!(log.contains("read failed: InputError::TimedOut"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_body_that_is_too_large_is_refused_unread() {
    let answer = Test::serving("reads-body")
        .max_request_body("1KiB")
        .post("/", vec![b'x'; 1025])
        .await;
    assert_eq!(answer.status, 413);
    assert!(
        answer
            .log
            .contains("larger than 1 KiB (--max-request-body)"),
        "{}",
        answer.log
    );
    let answer = Test::serving("reads-body")
        .max_request_body("1KiB")
        .post("/", vec![b'x'; 1024])
        .await;
    assert_eq!(answer.text(), "1024 octets");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_is_too_large_when_it_gets_there() {
    let server = Test::serving("reads-body")
        .max_request_body("1KiB")
        .start()
        .await;
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}1\r\nx\r\n0\r\n\r\n"
    );
    let text = Received::to(server.addr, request.as_bytes()).await.text();
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
}

/// Conformance 22.
#[tokio::test(flavor = "multi_thread")]
async fn an_unread_body_does_not_disturb_the_next_request() {
    let server = Test::serving("ignores-body").start().await;
    let one = format!(
        "POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 20000\r\n\r\n{}",
        "GET / ".repeat(3334)
    );
    let request = format!(
        "{}GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
        &one[..one.len() - 4]
    );
    let text = Received::to(server.addr, request.as_bytes()).await.text();
    let answers = text.matches("HTTP/1.1 ").count();
    assert!(
        answers == 2 || answers == 1,
        "drained or closed, never taken for a request: {text}"
    );
    assert_eq!(text.matches("not interested").count(), answers, "{text}");
}

/// Conformance 23.
#[tokio::test(flavor = "multi_thread")]
async fn continue_is_sent_when_the_body_is_read() {
    let server = Test::serving("reads-body").start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("3 octets"), "{rest}");
    // A guest that does not read never asks for it.
    let server = Test::serving("ignores-body").start().await;
    let request =
        b"POST / HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    let text = Received::to(server.addr, request).await.text();
    assert!(
        text.starts_with("HTTP/1.1 200") && !text.contains("100 Continue"),
        "{text}"
    );
}

/// Conformance 23: not to HTTP/1.0, nor beside an early refusal.
#[tokio::test(flavor = "multi_thread")]
async fn continue_is_not_sent_where_it_would_be_wrong() {
    let server = Test::serving("reads-body")
        .max_request_body("1KiB")
        .start()
        .await;
    for (request, status) in [
        (
            "POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc",
            "200",
        ),
        (
            "POST / HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 2000\r\n\r\n",
            "413",
        ),
        (
            "POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n",
            "400",
        ),
    ] {
        let text = Received::to(server.addr, request.as_bytes()).await.text();
        assert_eq!(text.get(9..12), Some(status), "{text}");
        assert!(!text.contains("100 Continue"), "{text}");
    }
}
