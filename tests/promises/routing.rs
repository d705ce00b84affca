//! Many apps in one process: each request gets to the one that it is for, and to no
//! other one.

use rhost_tests::{Authority, Client, Fleet, Received};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// An app of each kind: for a host, below it, for all hosts of a domain, for an
/// address, and for the rest.
const APPS: &str = r#"
[apps.shop]
component = "environ.wasm"
hosts = ["shop.test", "[::1]"]
env = { WHO = "shop" }
[apps.blog]
component = "environ.wasm"
hosts = ["shop.test", "*.shop.test"]
mount = "/blog"
[apps.archive]
component = "environ.wasm"
hosts = ["shop.test"]
mount = "/blog/archive"
[apps.tenants]
component = "environ.wasm"
hosts = ["*.test"]
[apps.rest]
component = "hello.wasm"
"#;

/// Which app answered, by its line in the access log: the last word but one.
async fn who(fleet: &Fleet, host: &str, path: &str) -> String {
    let answer = fleet.get(host, path).await;
    match answer.text().lines().next() {
        Some("Hello world!") => {
            let line = |name: &str| {
                let prefix = format!("{name} = '");
                let found = answer.text().lines().find_map(|line| {
                    Some(line.strip_prefix(&prefix)?.strip_suffix('\'')?.to_owned())
                });
                found.unwrap_or_default()
            };
            format!("{}|{}", line("SCRIPT_NAME"), line("PATH_INFO"))
        }
        Some(other) if answer.status == 200 => other.to_owned(),
        _ => answer.status.to_string(),
    }
}

/// Conformance 3 and 4: `script-name` and `path-info` are the path, wherever an app is
/// mounted.
#[tokio::test(flavor = "multi_thread")]
async fn by_host_then_by_the_longest_mount() {
    let fleet = Fleet::start(&["environ", "hello"], APPS).await;
    for (host, path, expected) in [
        ("shop.test", "/", "|/"),
        ("SHOP.Test", "/", "|/"),
        ("shop.test:8080", "/", "|/"),
        ("shop.test.", "/", "|/"),
        ("shop.test.:80", "/x", "|/x"),
        ("[::1]", "/", "|/"),
        ("[0:0::1]:80", "/", "|/"),
        ("shop.test", "/blog", "/blog|"),
        ("shop.test", "/blog/", "/blog|/"),
        ("shop.test", "/blog/2026", "/blog|/2026"),
        ("shop.test", "/%62log/2026", "/blog|/2026"),
        ("shop.test", "/blogs", "|/blogs"),
        ("shop.test", "/blog/archives", "/blog|/archives"),
        ("shop.test", "/blog/archive", "/blog/archive|"),
        ("shop.test", "/blog/archive/1", "/blog/archive|/1"),
        ("shop.test", "/blog//archive", "/blog|//archive"),
        ("shop.test", "/blog/%61rchive/1", "/blog/archive|/1"),
        ("a.shop.test", "/blog/1", "/blog|/1"),
        ("b.a.shop.test", "/blog/1", "/blog|/1"),
        // A host has what is mounted there; another one that would fit has no part in it.
        ("a.shop.test", "/", "404"),
        ("other.test", "/blog/1", "|/blog/1"),
        ("test", "/", "Hello, world!"),
        ("192.0.2.1", "/", "Hello, world!"),
        ("evil.example", "/", "Hello, world!"),
    ] {
        assert_eq!(who(&fleet, host, path).await, expected, "{host}{path}");
    }
    let raw = |request: &'static str| async move { request };
    for (request, expected) in [
        // Who names no host gets what every other host gets.
        (raw("GET / HTTP/1.0\r\n\r\n").await, "Hello, world!"),
        (
            raw("GET / HTTP/1.1\r\nhost: \r\nconnection: close\r\n\r\n").await,
            "Hello, world!",
        ),
        // The target's authority beats Host.
        (
            raw("GET http://shop.test/blog HTTP/1.1\r\nhost: else.example\r\nconnection: close\r\n\r\n").await,
            "SCRIPT_NAME = '/blog'",
        ),
    ] {
        let text = Received::to(fleet.server.addr, request.as_bytes()).await.text();
        assert!(text.contains(expected), "{request}: {text}");
    }
    let mut over_http2 = Client::http2(fleet.server.addr).await;
    // `test` is what the client calls the host.
    assert_eq!(over_http2.get("/").await.text(), "Hello, world!\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_gets_what_was_said() {
    let app = "[apps.shop]\ncomponent = \"hello.wasm\"\nhosts = [\"shop.test\"]\n";
    let mut fleet = Fleet::start(&["hello"], app).await;
    assert_eq!(fleet.get("shop.test", "/").await.status, 200);
    assert_eq!(fleet.get("else.test", "/").await.status, 421);
    let text = Received::to(fleet.server.addr, b"GET / HTTP/1.0\r\n\r\n")
        .await
        .text();
    assert!(
        text.starts_with("HTTP/1.0 421 Misdirected Request"),
        "{text}"
    );
    let none = format!("[server]\nunknown-host = 404\n{app}");
    fleet.apply(&none).unwrap();
    assert_eq!(fleet.get("else.test", "/").await.status, 404);
    let log = fleet.stop().await.log;
    assert!(
        log.contains("no app has this host (hosts, unknown-host)"),
        "{log}"
    );
}

/// Conformance 48: a connection that was made for one tenant's host, with a certificate
/// that has both, is not one for another tenant.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_tls_unlike_the_host_of_another_tenant() {
    let text = r#"
[tenants.one]
[tenants.two]
[apps.a]
component = "hello.wasm"
tenant = "one"
hosts = ["a.one.test", "b.one.test"]
[apps.b]
component = "hello.wasm"
tenant = "two"
hosts = ["two.test"]
"#;
    let authority = Authority::new();
    let files = vec![authority.certify("a.one.test")];
    let fleet = Fleet::under_tls(&["hello"], text, files).await;
    for (host, status) in [
        ("a.one.test", 200),
        ("A.one.test:443", 200),
        // One certificate, one tenant: browsers reuse such connections.
        ("b.one.test", 200),
        ("two.test", 421),
        ("nobody.test", 421),
    ] {
        let mut client = authority.client_of(fleet.server.addr, "a.one.test").await;
        let request = http::Request::get("/").header("host", host);
        let request = request.body(Default::default()).unwrap();
        let answer = client.send(request).await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("another tenant's than the one that the client named"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_app_has_its_own_and_nothing_of_another() {
    let text = r#"
[defaults]
env = { COMMON = "yes", WHO = "nobody" }
[apps.a]
component = "lent.wasm"
hosts = ["a.test"]
env = { WHO = "a" }
secrets = { TOKEN = { file = "token" } }
[apps.b]
component = "lent.wasm"
hosts = ["b.test"]
"#;
    let mut fleet = Fleet::start(&["lent"], "[apps.a]\ncomponent = \"lent.wasm\"\n").await;
    std::fs::write(fleet.home().join("token"), "hunter2\n").unwrap();
    fleet.apply(text).unwrap();
    let a = fleet.get("a.test", "/").await;
    for part in [
        "(\"WHO\", \"a\")",
        "(\"COMMON\", \"yes\")",
        "(\"TOKEN\", \"hunter2\")",
    ] {
        assert!(a.text().contains(part), "{part} in {}", a.text());
    }
    let b = fleet.get("b.test", "/").await;
    assert!(b.text().contains("(\"WHO\", \"nobody\")"), "{}", b.text());
    assert!(!b.text().contains("TOKEN") && !b.text().contains("hunter2"));
    assert!(!fleet.stop().await.log.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_apps_of_one_component() {
    let mut text = String::new();
    for number in 0..1000 {
        text += &format!(
            "[apps.app-{number}]\ncomponent = \"environ.wasm\"\nhosts = [\"app-{number}.test\"]\nmount = \"/m{number}\"\n"
        );
    }
    let fleet = Fleet::of_file(&["environ"], &text).await;
    for number in [0, 1, 499, 999] {
        let (host, path) = (format!("app-{number}.test"), format!("/m{number}/x"));
        assert_eq!(who(&fleet, &host, &path).await, format!("/m{number}|/x"));
    }
    assert_eq!(fleet.get("app-1000.test", "/").await.status, 421);
}

/// Reloads while clients ask: no request fails, and each is answered by the old version
/// or the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_loses_no_request() {
    let version = |number: u32| {
        format!(
            "[apps.stays]\ncomponent = \"hello.wasm\"\nhosts = [\"stays.test\"]\n\
             [apps.changes]\ncomponent = \"environ.wasm\"\nhosts = [\"changes.test\", \"v{number}.test\"]\n\
             env = {{ VERSION = \"{number}\" }}\n"
        )
    };
    let mut fleet = Fleet::start(&["hello", "environ"], &version(0)).await;
    let stays = fleet.is_here().then(|| fleet.app("stays"));
    let (is_over, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let addr = fleet.server.addr;
    let clients: Vec<_> = ["stays.test", "changes.test"]
        .into_iter()
        .map(|host| {
            let (is_over, answered) = (is_over.clone(), answered.clone());
            tokio::spawn(async move {
                let mut client = Client::http1(addr).await;
                while !is_over.load(Ordering::Relaxed) {
                    let request = http::Request::get("/").header("host", host);
                    let request = request.body(Default::default()).unwrap();
                    let answer = client.send(request).await.expect("the connection stays");
                    let answer = rhost_tests::Answer::read(answer).await;
                    assert!(answer.status == 200 && !answer.cut, "{answer:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for number in 1..=10 {
        let before = answered.load(Ordering::Relaxed);
        let changes = fleet.apply(&version(number)).unwrap();
        assert_eq!((changes.changed, changes.kept), (1, 1));
        while answered.load(Ordering::Relaxed) < before + 10 {
            assert!(
                clients.iter().all(|client| !client.is_finished()),
                "a request failed"
            );
            tokio::task::yield_now().await;
        }
        assert_eq!(fleet.get(&format!("v{number}.test"), "/").await.status, 200);
        assert_eq!(
            fleet
                .get(&format!("v{}.test", number - 1), "/")
                .await
                .status,
            421
        );
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no request failed");
    }
    // The app that nobody changed is the very same.
    assert!(stays.is_none_or(|stays| Arc::ptr_eq(&stays, &fleet.app("stays"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing() {
    let good = "[apps.a]\ncomponent = \"hello.wasm\"\nhosts = [\"a.test\"]\n";
    let mut fleet = Fleet::of_file(&["hello"], good).await;
    std::fs::write(fleet.home().join("no.wasm"), "no component").unwrap();
    // It begins as a component does, and goes on as none.
    std::fs::write(
        fleet.home().join("broken.wasm"),
        b"\0asm\x0d\0\x01\0\xff\xff",
    )
    .unwrap();
    let app = fleet.is_here().then(|| fleet.app("a"));
    for (bad, says) in [
        (
            "[apps.b]\ncomponent = \"hello.wasm\"\nhost = [\"b.test\"]\n",
            ":6: apps.b.host: ",
        ),
        (
            "[apps.b]\ncomponent = \"no.wasm\"\n",
            ":5: apps.b.component: ",
        ),
        (
            "[apps.b]\ncomponent = \"broken.wasm\"\n",
            ":5: apps.b.component: ",
        ),
        (
            "[apps.b]\ncomponent = \"hello.wasm\"\nmemory = \"16KiB\"\n",
            ":6: apps.b.memory: ",
        ),
        ("[apps.a]\ncomponent = \"hello.wasm\"\n", "not TOML: "),
    ] {
        let error = fleet.apply(&format!("{good}{bad}")).unwrap_err();
        assert!(error.contains(says), "{error}");
        let mut before = app.iter();
        assert!(before.all(|app| Arc::ptr_eq(app, &fleet.app("a"))));
        assert_eq!(fleet.get("a.test", "/").await.status, 200);
        assert_eq!(fleet.get("b.test", "/").await.status, 421);
    }
    // The file that was right before is right again.
    let changes = fleet.apply(good).unwrap();
    assert_eq!(
        (
            changes.kept,
            changes.changed,
            changes.added,
            changes.removed
        ),
        (1, 0, 0, 0)
    );
}

/// What an app keeps from one request for the next stays where the app does, and is
/// nobody's where it does not.
#[tokio::test(flavor = "multi_thread")]
async fn kept_instances_stay_with_an_app_that_does() {
    let file = |of_b: &str| {
        format!(
            "[defaults]\nreuse = 100\nreuse-for = \"1h\"\n\
             [apps.a]\ncomponent = \"remembers.wasm\"\n\
             [apps.b]\ncomponent = \"remembers.wasm\"\nmount = \"/b\"\n{of_b}"
        )
    };
    let why = "it looks at what apps keep";
    let mut fleet = Fleet::inside(why, &["remembers"], &file("")).await;
    // One connection, and so one lane.
    let mut client = fleet.server.client().await;
    for number in ["1", "2"] {
        assert_eq!(client.get("/").await.text(), number);
        assert_eq!(client.get("/b/").await.text(), number);
    }
    let (a, b) = (fleet.app("a"), fleet.app("b"));
    while a.waiting() == 0 || b.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    fleet.apply(&file("cpu = \"1s\"\n")).unwrap();
    assert_eq!((a.waiting(), b.waiting()), (1, 0));
    assert_eq!(client.get("/").await.text(), "3");
    assert_eq!(client.get("/b/").await.text(), "1");
    // One that is no longer there keeps nothing either.
    let b = fleet.app("b");
    fleet
        .apply("[apps.c]\ncomponent = \"remembers.wasm\"\n")
        .unwrap();
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
}
