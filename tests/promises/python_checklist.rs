//! The checklist (conformance 1-45) for programs in Python: what holds for a guest of
//! the SDK holds through the adapter too. The programs are bare ones, in
//! tests/guests/python. What concerns the server alone is tested elsewhere; where
//! `python` has the test of a number, it is named in the list at the end.

use http::Request;
use rhost_tests::{Answer, Received, Server, Test};
use serde_json::Value;

fn zoo() -> Option<Test> {
    Test::program("python")
}

/// The octets that come back for `head`, and after it `body`.
async fn raw(server: &Server, head: &str, body: &str) -> String {
    let request = format!("{head}connection: close\r\n\r\n{body}");
    let received = Received::to(server.addr, request.as_bytes()).await;
    received.text()
}

/// The environ that the program got for the request that begins with `head`.
async fn environ(server: &Server, head: &str) -> Value {
    let text = raw(server, head, "").await;
    let body = text.split_once("\r\n\r\n").expect("it has a head").1;
    // In chunks or not, it is one object.
    let (first, last) = (
        body.find('{').expect("JSON"),
        body.rfind('}').expect("JSON"),
    );
    let seen: Value = serde_json::from_str(&body[first..=last]).expect("it is JSON");
    seen["environ"].clone()
}

/// Conformance 1 to 6 and 16.
#[tokio::test(flavor = "multi_thread")]
async fn method_path_and_query() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.mount("/m").start().await;
    for (target, script_name, path_info) in [
        ("/m/surroundings", "/m/surroundings", ""),
        ("/m/surroundings/", "/m/surroundings", "/"),
        ("/m/surroundings/a%2520b", "/m/surroundings", "/a%20b"),
        (
            "/m/surroundings/x/../y%2Fz%00",
            "/m/surroundings",
            "/x/../y/z\0",
        ),
        (
            "/m/surroundings/%C3%A9%FF",
            "/m/surroundings",
            "/\u{c3}\u{a9}\u{ff}",
        ),
    ] {
        let head = format!("pUrGe {target}?q=%41&x=%C3%A9 HTTP/1.1\r\nhost: a\r\n");
        let seen = environ(&server, &head).await;
        let expected = [
            ("REQUEST_METHOD", "pUrGe"),
            ("SCRIPT_NAME", script_name),
            ("PATH_INFO", path_info),
            ("QUERY_STRING", "q=%41&x=%C3%A9"),
        ];
        for (name, value) in expected {
            assert_eq!(seen[name], value, "{name} of {target}");
        }
    }
    let typed =
        "POST /m/surroundings HTTP/1.1\r\nhost: a\r\ncontent-type: a/b\r\ncontent-length: 0\r\n";
    let seen = environ(&server, typed).await;
    assert_eq!(
        (&seen["CONTENT_TYPE"], &seen["CONTENT_LENGTH"]),
        (&"a/b".into(), &"0".into())
    );
    assert!(seen["HTTP_CONTENT_TYPE"].is_null() && seen["HTTP_CONTENT_LENGTH"].is_null());
}

/// Conformance 7 to 15.
#[tokio::test(flavor = "multi_thread")]
async fn server_fields_and_flags() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let seen = environ(
        &server,
        "GET http://real.test:81/surroundings HTTP/1.1\r\nhost: other\r\naccept: a\r\naccept: b\r\n\
         cookie: a=1\r\ncookie: b=2\r\nx_real: alias\r\nproxy: evil\r\nx-forwarded-proto: https\r\n",
    )
    .await;
    for (name, value) in [
        ("SERVER_NAME", "real.test".into()),
        ("SERVER_PORT", "81".into()),
        ("SERVER_PROTOCOL", "HTTP/1.1".into()),
        ("HTTP_ACCEPT", "a, b".into()),
        ("HTTP_COOKIE", "a=1; b=2".into()),
        ("wsgi.url_scheme", "http".into()),
        ("wsgi.run_once", Value::Bool(true)),
        ("wsgi.multithread", Value::Bool(false)),
        ("wsgi.multiprocess", Value::Bool(true)),
        ("HTTP_X_REAL", Value::Null),
        ("HTTP_PROXY", Value::Null),
        ("HTTP_X_FORWARDED_PROTO", Value::Null),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    let nameless = environ(&server, "GET /surroundings HTTP/1.0\r\n").await;
    assert_eq!(nameless["SERVER_PROTOCOL"], "HTTP/1.0");
    assert_eq!(nameless["SERVER_NAME"], "127.0.0.1");
    assert_eq!(nameless["SERVER_PORT"], server.addr.port().to_string());
}

/// Conformance 17 to 20.
#[tokio::test(flavor = "multi_thread")]
async fn reading_ends_with_the_body() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    // What comes behind it is the next request, and none of this one's.
    let first = "POST /lines HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\na\nb";
    let text = raw(
        &server,
        &format!("{first}GET /bare HTTP/1.1\r\nhost: a\r\n"),
        "",
    )
    .await;
    assert!(text.contains(r"[b'a\n', [b'b'], b'']"), "{text}");
    assert!(text.contains("Hello from a function"), "{text}");
    // A line may lie in several chunks, and a chunk have several lines.
    let chunked = "POST /lines HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n";
    let body = "1\r\na\r\n4\r\nb\nc\n\r\n1\r\nd\r\n2\r\ne\n\r\n0\r\n\r\n";
    let text = raw(&server, chunked, body).await;
    assert!(
        text.contains(r"[b'ab\n', [b'c\n', b'de\n'], b'']"),
        "{text}"
    );
}

/// Conformance 22 and 45.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_unread_is_not_the_next_request() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let unread = "POST /bare HTTP/1.1\r\nhost: a\r\ncontent-length: 29\r\n\r\nGET /fails/raise HTTP/1.1\r\n\r\nx";
    let rest = "GET /framing/none HTTP/1.1\r\nhost: a\r\n\r\nGET /iterator HTTP/1.1\r\nhost: a\r\n";
    let text = raw(&server, &format!("{unread}{rest}"), "").await;
    let statuses: Vec<&str> = text
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &text[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["200", "404", "200"], "{text}");
}

/// Conformance 23.
#[tokio::test(flavor = "multi_thread")]
async fn continue_is_sent_to_who_reads() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for (path, is_told) in [("/echo", true), ("/bare", false)] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n"
        );
        let text = raw(&server, &head, "x").await;
        assert_eq!(text.starts_with("HTTP/1.1 100"), is_told, "{path}: {text}");
        assert!(text.contains("HTTP/1.1 200"), "{path}: {text}");
    }
}

/// Conformance 25, 30 and 39.
#[tokio::test(flavor = "multi_thread")]
async fn blocks_leave_in_order() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let answer = server.get("/framing/blocks").await;
    assert_eq!((answer.text(), answer.cut), ("one two three", false));
    let none = server.get("/framing/none").await;
    assert_eq!(
        (none.status, none.text(), none.field("content-length")),
        (404, "", "0")
    );
    let bare = Answer::with_length(async || server.get("/bare").await).await;
    assert_eq!(bare.field("content-length"), "22");
}

/// Conformance 35 and 36.
#[tokio::test(flavor = "multi_thread")]
async fn a_content_length_is_kept() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let long = server.get("/framing/long").await;
    assert_eq!((long.text(), long.cut), ("four", false));
    let short = server.get("/framing/short").await;
    assert_eq!((short.text(), short.cut), ("four", true));
}

/// Conformance 37, 38 and 40.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_body_where_one_belongs() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for path in ["/bare", "/write", "/generator", "/framing/blocks"] {
        let head = server.request(Request::head(path), "").await;
        assert_eq!(
            (head.status, head.text(), head.cut),
            (200, "", false),
            "{path}"
        );
    }
    for (path, status) in [("no-content", "204"), ("not-modified", "304")] {
        let head = format!("GET /framing/{path} HTTP/1.1\r\nhost: a\r\n");
        let text = raw(&server, &head, "").await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        assert!(
            text.ends_with("\r\n\r\n") && !text.contains("chunked"),
            "{text}"
        );
    }
    let text = raw(&server, "GET /framing/blocks HTTP/1.0\r\n", "").await;
    assert!(text.ends_with("\r\n\r\none two three"), "{text}");
    assert!(!text.contains("transfer-encoding"), "{text}");
}

/// Conformance 43 and 44.
#[tokio::test(flavor = "multi_thread")]
async fn one_date_and_each_cookie() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for path in ["/bare", "/framing/date"] {
        let answer = server.get(path).await;
        assert_eq!(answer.headers.get_all("date").iter().count(), 1, "{path}");
    }
    let answer = server.get("/framing/cookies").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2; Path=/"]);
}

/// The rest: each number with the test of `python` that has it.
#[test]
fn the_other_numbers_have_their_tests() {
    let tests = include_str!("python.rs");
    for (number, test) in [
        (21, "bodies_are_read_to_their_end"),
        (26, "what_breaks_before_the_headers_is_500"),
        (27, "what_breaks_before_the_headers_is_500"),
        (28, "what_breaks_after_the_headers_is_cut"),
        (29, "what_breaks_after_the_headers_is_cut"),
        (31, "what_breaks_before_the_headers_is_500"),
        (32, "what_breaks_before_the_headers_is_500"),
        (33, "what_breaks_before_the_headers_is_500"),
        (34, "one_who_leaves_and_one_who_never_ends"),
        (41, "one_who_leaves_and_one_who_never_ends"),
        (42, "what_breaks_after_the_headers_is_cut"),
    ] {
        assert!(
            tests.contains(&format!("async fn {test}()")),
            "{number}: {test}"
        );
    }
}
