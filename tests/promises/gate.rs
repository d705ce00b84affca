//! Requests that are refused before an app is chosen (conformance 10, 24 and, of
//! the hostile clients, 42 and 46). Each rule alone is tested where it stands, in
//! `host/src/gate`; here is what a client gets.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rhost_tests::{Answer, Client, Received, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Conformance 24, and hostile clients 42 and 46: each with its own status, and
/// the connection is closed.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_might_read_differently_is_refused() {
    let server = Test::serving("reads-body").start().await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n", 400),
        ("GET /\u{7f} HTTP/1.1\r\nHost: a\r\n", 400),
        ("GET /# HTTP/1.1\r\nHost: a\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n", 400),
        ("GET a:80 HTTP/1.1\r\nHost: a\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n",
            501,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n", 417),
        ("GET / HTTP/3.0\r\nHost: a\r\n", 505),
        ("GET /\r\n", 400),
    ] {
        let request = format!("{head}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let text = Received::to(server.addr, request.as_bytes()).await.text();
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}\n{text}"
        );
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{head}\n{text}");
        assert!(text.contains("connection: close\r\n"), "{head}\n{text}");
        assert!(
            text.contains("date: ") && text.contains("<p>Request "),
            "{text}"
        );
    }
    let stopped = server.stop().await;
    assert_eq!(stopped.log, "");
    assert_eq!(stopped.access_log.matches("\"- * HTTP/1.1\" ").count(), 21);
    assert!(
        !stopped.access_log.contains("smuggled"),
        "{}",
        stopped.access_log
    );
}

/// Conformance 45: what came before a refused request is answered before it.
#[tokio::test(flavor = "multi_thread")]
async fn requests_before_a_refused_one_are_answered() {
    let server = Test::serving("answers").start().await;
    let requests = "GET /201?1 HTTP/1.1\r\nHost: a\r\n\r\nGET /202?3 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET /203?1 HTTP/1.1\r\nHost: a\r\n\r\n";
    // In one piece, and in pieces that end within a head.
    for size in [requests.len(), 50, 7] {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        for piece in requests.as_bytes().chunks(size) {
            let _ = stream.write_all(piece).await;
        }
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        let text = String::from_utf8(received).unwrap();
        let statuses: Vec<&str> = text
            .match_indices("HTTP/1.1 ")
            .map(|(at, _)| &text[at + 9..at + 12])
            .collect();
        assert_eq!(statuses, ["201", "202", "400"], "{text}");
    }
}

/// Hostile client 42: of whatever size, and whether or not its end ever comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_giant_head_is_refused() {
    let server = Test::serving("answers")
        .max_request_line("1KiB")
        .max_header_fields(20)
        .max_header_size("4KiB")
        .start()
        .await;
    let big = "x".repeat(1 << 20);
    let many = "x: y\r\n".repeat(10_000);
    for (request, status) in [
        (format!("GET /{big} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET /{big}"), 414),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {big}\r\n\r\n"),
            431,
        ),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {big}"), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
    ] {
        let text = Received::to(server.addr, request.as_bytes()).await.text();
        let start = &request[..30.min(request.len())];
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{start}\n{text}"
        );
    }
    // The same over HTTP/2, where the connection goes on.
    let mut client = Client::http2(server.addr).await;
    let get = |path: &str| Request::get(format!("http://test/{path}"));
    let fields = (0..30).fold(get(""), |request, n| request.header("x", n));
    for (request, status) in [
        (get(&"x".repeat(2000)), 414),
        (fields, 431),
        (get("").header("x", "y".repeat(5000)), 431),
        (get("200?1"), 200),
    ] {
        let request = request.body(Full::default()).unwrap();
        let answer = Answer::read(client.send(request).await.unwrap()).await;
        assert_eq!(answer.status, status);
    }
}

/// A limit that is raised holds for hyper as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_larger_head_can_be_allowed() {
    let server = Test::serving("answers")
        .max_header_fields(300)
        .max_header_size("600KiB")
        .start()
        .await;
    let many = "x: y\r\n".repeat(250);
    let big = "x".repeat(500 << 10);
    for fields in [many, format!("x: {big}\r\n")] {
        let request =
            format!("GET /200?1 HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n");
        let text = Received::to(server.addr, request.as_bytes()).await.text();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    }
}

/// Hostile client 46: a body that breaks is an error to a guest that reads it, and
/// what stands behind it is nobody's request.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_body_ends_the_connection() {
    for guest in ["reads-body", "ignores-body"] {
        let server = Test::serving(guest).start().await;
        for body in [
            "3;a\nb\r\nabc\r\n0\r\n\r\n",
            "3 \r\nabc\r\n0\r\n\r\n",
            "+3\r\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n",
        ] {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            let request = format!("{head}{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
            let text = Received::to(server.addr, request.as_bytes()).await.text();
            let status = match guest {
                "reads-body" => "HTTP/1.1 400 ",
                _ => "HTTP/1.1 200 ",
            };
            assert!(text.starts_with(status), "{guest}, {body}\n{text}");
            assert_eq!(
                text.matches("HTTP/1.1 ").count(),
                1,
                "{guest}, {body}\n{text}"
            );
        }
        assert!(!server.stop().await.access_log.contains("smuggled"));
    }
}

/// A client that goes on sending what nobody reads gets its answer nonetheless
/// (RFC 9112, section 9.6).
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_what_is_still_being_sent() {
    let server = Test::serving("ignores-body").start().await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n";
    for (head, status) in [(head, 200), ("POST / HTTP/1.1\r\n\r\n", 400)] {
        let mut stream = server.connect().await;
        let body = vec![b'x'; 3_000_000];
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        let text = String::from_utf8(received).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
}

/// Over HTTP/2 a malformed request resets its stream, and the connection goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_resets_its_stream_only() {
    let server = Test::serving("answers").start().await;
    let mut client = Client::http2(server.addr).await;
    let get = || Request::get("http://test/200?1");
    for request in [
        get().header("host", "other"),
        get().header("host", "test").header("host", "test"),
        get().header("x", " padded"),
        get().header("x", "padded\t"),
    ] {
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let error = client.send(request).await.expect_err("its stream is reset");
        assert!(format!("{error:?}").contains("PROTOCOL_ERROR"), "{error:?}");
    }
    for (request, status) in [
        (get().header("expect", "a-miracle"), 417),
        (get().header("host", "TEST"), 200),
    ] {
        let request = request.body(Full::default()).unwrap();
        let answer = Answer::read(client.send(request).await.unwrap()).await;
        assert_eq!(answer.status, status);
    }
    let log = server.stop().await.access_log;
    assert_eq!(log.matches("HTTP/2.0\" 400 ").count(), 4, "{log}");
}

/// Conformance 10: a name with an underscore passes, and does not arrive.
#[tokio::test(flavor = "multi_thread")]
async fn an_underscore_says_nothing_of_the_body() {
    let server = Test::serving("environ").start().await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent_Length: 9\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    let text = Received::to(server.addr, request.as_bytes()).await.text();
    assert!(text.contains("CONTENT_LENGTH = '3'"), "{text}");
    assert!(!text.contains("TRANSFER_ENCODING"), "{text}");
}
