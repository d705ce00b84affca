//! The environ of PEP 3333, from outside (conformance 1-16), with the example
//! that prints it.

use http::Request;
use http_body_util::Full;
use rhost_tests::{Answer, Client, Received, Server, Test};

/// The value that the example printed for a variable.
fn variable<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let prefix = format!("{name} = '");
    text.lines()
        .find_map(|line| line.strip_prefix(&prefix)?.strip_suffix('\''))
}

async fn raw(server: &Server, head: &str) -> String {
    Received::to(
        server.addr,
        format!("{head}connection: close\r\n\r\n").as_bytes(),
    )
    .await
    .text()
}

/// Conformance 1, 2, 5 and 6.
#[tokio::test(flavor = "multi_thread")]
async fn the_request_is_described() {
    let server = Test::serving("environ").start().await;
    let answer: Answer = server
        .request(
            Request::post("/a%20b/%2Fc?q=%41&x")
                .header("content-type", "text/plain")
                .header("accept", "a")
                .header("accept", "b")
                .header("x-custom", "yes"),
            "body",
        )
        .await;
    let text = answer.text();
    for (name, value) in [
        ("REQUEST_METHOD", "POST"),
        ("SCRIPT_NAME", ""),
        ("PATH_INFO", "/a b//c"),
        ("QUERY_STRING", "q=%41&x"),
        ("REQUEST_URI", "/a%20b/%2Fc?q=%41&x"),
        ("CONTENT_TYPE", "text/plain"),
        ("CONTENT_LENGTH", "4"),
        ("SERVER_NAME", "test"),
        ("SERVER_PORT", "80"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("HTTP_ACCEPT", "a, b"),
        ("HTTP_X_CUSTOM", "yes"),
        ("HTTP_HOST", "test"),
    ] {
        assert_eq!(variable(text, name), Some(value), "{name} in\n{text}");
    }
    assert_eq!(variable(text, "HTTP_CONTENT_TYPE"), None);
    assert_eq!(variable(text, "HTTP_CONTENT_LENGTH"), None);
    assert!(
        variable(text, "SERVER_SOFTWARE").is_some_and(|software| software.starts_with("rhost/"))
    );
}

/// Conformance 1.
#[tokio::test(flavor = "multi_thread")]
async fn the_method_is_verbatim() {
    let server = Test::serving("environ").start().await;
    let text = raw(&server, "pUrGe /x HTTP/1.1\r\nhost: test\r\n").await;
    assert!(text.contains("REQUEST_METHOD = 'pUrGe'"), "{text}");
}

/// Conformance 3 and 4.
#[tokio::test(flavor = "multi_thread")]
async fn a_mount_becomes_script_name() {
    let server = Test::serving("environ").mount("/blog").start().await;
    let answer = server.get("/blog/2026").await;
    assert_eq!(variable(answer.text(), "SCRIPT_NAME"), Some("/blog"));
    assert_eq!(variable(answer.text(), "PATH_INFO"), Some("/2026"));
    let answer = server.get("/blog").await;
    assert_eq!(variable(answer.text(), "PATH_INFO"), Some(""));
    for elsewhere in ["/", "/blogs", "/other/blog"] {
        assert_eq!(server.get(elsewhere).await.status, 404, "{elsewhere}");
    }
}

/// Conformance 15.
#[tokio::test(flavor = "multi_thread")]
async fn the_targets_authority_beats_host() {
    let server = Test::serving("environ").start().await;
    let text = raw(
        &server,
        "GET http://right.test:81/x HTTP/1.1\r\nhost: wrong.test\r\n",
    )
    .await;
    assert!(
        text.contains("SERVER_NAME = 'right.test'") && text.contains("SERVER_PORT = '81'"),
        "{text}"
    );
}

/// Conformance 7 and 8.
#[tokio::test(flavor = "multi_thread")]
async fn without_host_the_address_is_the_name() {
    let server = Test::serving("environ").start().await;
    let text = Received::to(server.addr, b"GET / HTTP/1.0\r\n\r\n")
        .await
        .text();
    assert!(text.contains("SERVER_NAME = '127.0.0.1'"), "{text}");
    assert!(
        text.contains(&format!("SERVER_PORT = '{}'", server.addr.port())),
        "{text}"
    );
    assert!(text.contains("SERVER_PROTOCOL = 'HTTP/1.0'"), "{text}");
}

/// Conformance 10, 11 and 12.
#[tokio::test(flavor = "multi_thread")]
async fn fields_that_forge_others_do_not_arrive() {
    let server = Test::serving("environ").start().await;
    let text = raw(
        &server,
        "GET / HTTP/1.1\r\nhost: test\r\nproxy: http://evil\r\nx_forged: 1\r\nx-forwarded-for: 1.2.3.4\r\nforwarded: for=1.2.3.4\r\n",
    )
    .await;
    for name in [
        "HTTP_PROXY",
        "HTTP_X_FORGED",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_FORWARDED",
    ] {
        assert!(!text.contains(name), "{name} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_id_is_the_one_in_the_log() {
    let server = Test::serving("environ").start().await;
    let answer = server.get("/").await;
    let printed = answer
        .text()
        .lines()
        .find(|line| line.to_ascii_lowercase().contains("request_id"));
    let id = printed
        .and_then(|line| line.split('\'').nth(1))
        .expect("the id is printed")
        .to_owned();
    assert!(server.stop().await.access_log.contains(&id));
}

/// Conformance 9: repeats are joined, those of Cookie by `; `.
#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_joined() {
    let server = Test::serving("environ").start().await;
    for client in both(&server).await {
        let request = get("/").header("cookie", "a=1").header("cookie", "b=2");
        let text = ask(client, request.header("accept", "a").header("accept", "b")).await;
        assert_eq!(variable(&text, "HTTP_ACCEPT"), Some("a, b"), "{text}");
        assert_eq!(variable(&text, "HTTP_COOKIE"), Some("a=1; b=2"), "{text}");
    }
}

/// Conformance 14: a fresh instance for each request, or not, and others beside it.
#[tokio::test(flavor = "multi_thread")]
async fn how_the_instance_runs_is_told_truly() {
    let server = Test::serving("environ").start().await;
    for client in both(&server).await {
        let text = ask(client, get("/")).await;
        assert_eq!(variable(&text, "wsgi.run_once"), Some("true"), "{text}");
        assert_eq!(variable(&text, "wsgi.multithread"), Some("false"), "{text}");
        assert_eq!(variable(&text, "wsgi.multiprocess"), Some("true"), "{text}");
        assert_eq!(variable(&text, "wsgi.url_scheme"), Some("http"), "{text}");
    }
    // Of one that may serve again it is not said, in its last request either.
    let server = Test::serving("environ").reuse(2, "1h").start().await;
    for client in both(&server).await.into_iter().chain(both(&server).await) {
        let text = ask(client, get("/")).await;
        assert_eq!(variable(&text, "wsgi.run_once"), Some("false"), "{text}");
        assert_eq!(variable(&text, "wsgi.multithread"), Some("false"), "{text}");
        assert_eq!(variable(&text, "wsgi.multiprocess"), Some("true"), "{text}");
    }
}

/// Conformance 2 and 16: decoded once, and nothing is normalised.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_decoded_and_no_more() {
    let server = Test::serving("environ").start().await;
    for (target, path) in [
        ("//x//y/", "//x//y/"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/a%2fb%2Fc", "/a/b/c"),
        ("/a%00b", "/a\\x00b"),
        ("/a%252fb", "/a%2fb"),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
    ] {
        for client in both(&server).await {
            let text = ask(client, get(target)).await;
            assert_eq!(variable(&text, "PATH_INFO"), Some(path), "{text}");
            assert_eq!(variable(&text, "REQUEST_URI"), Some(target), "{text}");
        }
    }
}

/// A connection over each protocol.
async fn both(server: &Server) -> [Client; 2] {
    [
        Client::http1(server.addr).await,
        Client::http2(server.addr).await,
    ]
}

fn get(target: &str) -> http::request::Builder {
    Request::get(format!("http://test{target}"))
}

async fn ask(mut client: Client, request: http::request::Builder) -> String {
    let mut request = request.body(Full::default()).unwrap();
    if client.is_http1() {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        *request.uri_mut() = target.parse().unwrap();
        request
            .headers_mut()
            .insert("host", http::HeaderValue::from_static("test"));
    }
    let answer = Answer::read(client.send(request).await.expect("an answer")).await;
    answer.text().to_owned()
}

/// Conformance 15: links that an app makes of HTTP_HOST lead to where it was asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_targets_authority_is_the_host_that_the_app_sees() {
    let server = Test::serving("environ").start().await;
    for (target, host, name, port) in [
        ("http://right.test/x", "right.test", "right.test", "80"),
        ("http://right.test:80", "right.test:80", "right.test", "80"),
        (
            "HTTP://right.test:81?x",
            "right.test:81",
            "right.test",
            "81",
        ),
        ("http://[::1]:81/", "[::1]:81", "[::1]", "81"),
    ] {
        for fields in [
            "HTTP/1.1\r\nhost: wrong.test:82\r\n",
            "HTTP/1.1\r\nhost:\r\n",
            "HTTP/1.0\r\n",
        ] {
            let text = raw(&server, &format!("GET {target} {fields}")).await;
            assert_eq!(variable(&text, "HTTP_HOST"), Some(host), "{text}");
            assert_eq!(variable(&text, "SERVER_NAME"), Some(name), "{text}");
            assert_eq!(variable(&text, "SERVER_PORT"), Some(port), "{text}");
        }
    }
    let text = raw(
        &server,
        "GET http://who@right.test/ HTTP/1.1\r\nhost: a\r\n",
    )
    .await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    // Over HTTP/2 there is no other.
    let answer = Client::http2(server.addr).await.get("/x").await;
    assert_eq!(variable(answer.text(), "HTTP_HOST"), Some("test"));
}
