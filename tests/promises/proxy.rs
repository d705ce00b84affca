//! Behind a proxy that is trusted, and behind one that is not (conformance 12, 13).

use http::Request;
use rhost::proxy::ProxyHeaders;
use rhost_tests::{Answer, Client, Server, Test};

/// What all tests' clients are: at this machine.
const HERE: &str = "127.0.0.1";

/// Fields of both families, a client's own before what its proxy has added.
const FIELDS: &[(&str, &str)] = &[
    ("x-forwarded-for", "6.6.6.6, 192.0.2.1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.test"),
    ("x-forwarded-port", "8443"),
    ("x-forwarded-user", "ada"),
    (
        "forwarded",
        "for=6.6.6.6;host=evil.test;x=\", for=\"[2001:db8::1]:99\";proto=https;host=\"shop.test:444\", for=127.0.0.1",
    ),
];

async fn get(server: &Server, fields: &[(&str, &str)]) -> Answer {
    let request = fields
        .iter()
        .fold(Request::get("/"), |request, (name, value)| {
            request.header(*name, *value)
        });
    server.request(request, "").await
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|said| said == *line), "{line} in\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, names: &[&str]) {
    for name in names {
        assert!(!text.contains(name), "{name} in\n{text}");
    }
}

/// Conformance 12 and 13.
#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_who_asks() {
    let server = Test::serving("environ").trusted_proxy(HERE).start().await;
    let answer = get(&server, FIELDS).await;
    has(
        answer.text(),
        &[
            "REMOTE_ADDR = '192.0.2.1'",
            "REMOTE_PORT = '0'",
            "SERVER_NAME = 'shop.test'",
            "SERVER_PORT = '8443'",
            "HTTP_HOST = 'shop.test:8443'",
            "wsgi.url_scheme = 'https'",
            // Not one that the host reads: what it means is the app's business.
            "HTTP_X_FORWARDED_USER = 'ada'",
        ],
    );
    lacks(
        answer.text(),
        &[
            "HTTP_X_FORWARDED_FOR",
            "HTTP_X_FORWARDED_PROTO",
            "HTTP_X_FORWARDED_HOST",
            "HTTP_X_FORWARDED_PORT",
            "HTTP_FORWARDED",
        ],
    );
    // Each request of a kept connection speaks for itself, over HTTP/2 as well.
    let mut client = Client::http2(server.addr).await;
    for addr in ["192.0.2.1", "192.0.2.2"] {
        let request = Request::get("http://inner.test/").header("x-forwarded-for", addr);
        let request = request.body(Default::default()).unwrap();
        let answer = Answer::read(client.send(request).await.unwrap()).await;
        has(
            answer.text(),
            &[
                &format!("REMOTE_ADDR = '{addr}'"),
                "SERVER_NAME = 'inner.test'",
                "wsgi.url_scheme = 'http'",
            ],
        );
    }
    let log = server.stop().await.access_log;
    assert_eq!(log.matches(" 192.0.2.1 \"GET ").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_is_read_when_it_is_asked_for() {
    let test = Test::serving("environ").trusted_proxy("127.0.0.0/8");
    let server = test.proxy_headers(ProxyHeaders::Forwarded).start().await;
    let answer = get(&server, FIELDS).await;
    has(
        answer.text(),
        &[
            "REMOTE_ADDR = '2001:db8::1'",
            "REMOTE_PORT = '99'",
            "SERVER_NAME = 'shop.test'",
            "SERVER_PORT = '444'",
            "HTTP_HOST = 'shop.test:444'",
            "wsgi.url_scheme = 'https'",
        ],
    );
    // The other family is the client's own.
    lacks(
        answer.text(),
        &["HTTP_X_FORWARDED", "HTTP_FORWARDED", "ada"],
    );
}

/// Conformance 12.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed() {
    for (proxy, headers) in [
        ("10.0.0.0/8", ProxyHeaders::XForwarded),
        ("10.0.0.0/8", ProxyHeaders::Forwarded),
        ("unix", ProxyHeaders::XForwarded),
    ] {
        let test = Test::serving("environ").trusted_proxy(proxy);
        let server = test.proxy_headers(headers).start().await;
        let answer = get(&server, FIELDS).await;
        has(
            answer.text(),
            &[
                "REMOTE_ADDR = '127.0.0.1'",
                "SERVER_NAME = 'test'",
                "SERVER_PORT = '80'",
                "HTTP_HOST = 'test'",
                "wsgi.url_scheme = 'http'",
            ],
        );
        lacks(answer.text(), &["HTTP_X_FORWARDED", "HTTP_FORWARDED"]);
    }
}

/// What is no address, scheme, host or port says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_of_a_trusted_proxy_is_ignored() {
    let server = Test::serving("environ").trusted_proxy(HERE).start().await;
    let nonsense = [
        ("x-forwarded-for", "192.0.2.1, unknown"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-host", "a'b\"<c>"),
        ("x-forwarded-port", "99999"),
    ];
    let answer = get(&server, &nonsense).await;
    has(
        answer.text(),
        &[
            "REMOTE_ADDR = '127.0.0.1'",
            "SERVER_NAME = 'test'",
            "SERVER_PORT = '80'",
            "wsgi.url_scheme = 'http'",
        ],
    );
}

/// A client that asks over TLS gets a cookie that it sends over TLS only.
#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_cookie_is_secure_behind_tls() {
    let home = tempfile::tempdir().unwrap();
    let test = Test::serving("notes").dir(home.path(), "/data", false);
    let test = test.env("SECRET_KEY", "0123456789abcdef0123456789abcdef");
    let server = test.trusted_proxy(HERE).start().await;
    for (scheme, is_secure) in [("https", true), ("http", false)] {
        let request = Request::post("/session")
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("x-forwarded-proto", scheme);
        let answer = server.request(request, r#"{"name":"Ada"}"#).await;
        let cookie = answer.field("set-cookie");
        assert!(cookie.contains("HttpOnly"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), is_secure, "{cookie}");
    }
}

/// Whoever comes through a proxy is nobody's developer, wherever it says it sits.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_a_proxy_is_a_developer() {
    let test = Test::serving("trap-before-headers").dev();
    let server = test.trusted_proxy(HERE).start().await;
    let failed = async |fields: &[(&str, &str)]| {
        let mut client = server.client().await;
        let request = Request::get("/").header("host", "localhost");
        let request = fields.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let request = request.body(Default::default()).unwrap();
        let answer = Answer::read(client.send(request).await.unwrap()).await;
        assert_eq!(answer.status, 500);
        answer.text().contains("Backtrace")
    };
    assert!(failed(&[]).await, "nothing was forwarded");
    for fields in [
        &[("x-forwarded-for", "127.0.0.1")][..],
        &[
            ("x-forwarded-for", "::1"),
            ("x-forwarded-host", "localhost"),
        ],
        &[("x-forwarded-for", "unknown")],
        &[("x-forwarded-proto", "http")],
        &[("forwarded", "for=127.0.0.1")],
    ] {
        assert!(!failed(fields).await, "{fields:?}");
    }
}

/// A trusted proxy names the request, for the app, the logs and the client; if the
/// name could pass for something else, the host does.
#[tokio::test(flavor = "multi_thread")]
async fn the_request_is_called_what_the_proxy_calls_it() {
    const ID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let long = "x".repeat(65);
    for (proxy, id, is_taken) in [
        (HERE, ID, true),
        ("10.0.0.0/8", ID, false),
        (HERE, "<script>", false),
        (HERE, "a b", false),
        (HERE, &long, false),
    ] {
        let server = Test::serving("environ").trusted_proxy(proxy).start().await;
        let answer = get(&server, &[("x-request-id", id)]).await;
        let line = format!("rhost.request_id = '{id}'");
        assert_eq!(answer.text().contains(&line), is_taken, "{}", answer.text());
        let log = server.stop().await.access_log;
        assert_eq!(
            log.trim_end().ends_with(&format!(" {id}")),
            is_taken,
            "{log}"
        );
    }
    let server = Test::serving("trap-before-headers").trusted_proxy(HERE);
    let server = server.start().await;
    let answer = get(&server, &[("x-request-id", ID)]).await;
    let page = format!("<p>Request {ID}</p>");
    assert!(answer.text().contains(&page), "{}", answer.text());
    let log = server.stop().await.log;
    assert!(log.contains(&format!("{ID} rhost: trapped")), "{log}");
}
