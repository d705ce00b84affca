//! Scripts that print their answer (CGI, RFC 3875). tests/guests/scripts has them;
//! tests of guest-sdk/python have the cases that need no sandbox.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::{Answer, Server, Test};
use serde_json::Value;
use std::path::Path;

/// A directory of scripts, or none on a machine where it cannot be built.
fn scripts() -> Option<Test> {
    Test::program("scripts")
}

/// The number that the counter shows.
async fn count(server: &Server) -> u64 {
    let answer = server.get("/guests").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = answer.text().to_owned();
    let number = text.split("number ").nth(1).unwrap().split(' ').next();
    number.unwrap().parse().unwrap()
}

/// The example, with `data` to keep its database in.
fn counter(data: &Path) -> Option<Test> {
    Some(Test::program("cgi")?.dir(data, "/data", false))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_counts_across_restarts() {
    let data = tempfile::tempdir().unwrap();
    for visit in 1..=3 {
        let Some(counter) = counter(data.path()) else {
            return;
        };
        let server = counter.start().await;
        assert_eq!(count(&server).await, visit);
        server.stop().await;
    }
    // Neither a lock nor a journal is left.
    let left: Vec<_> = std::fs::read_dir(data.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_write_at_once_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let Some(counter) = counter(data.path()) else {
        return;
    };
    let server = std::sync::Arc::new(counter.concurrency(8).start().await);
    // A database that is not there yet is made by one; docs/python.md says why.
    assert_eq!(count(&server).await, 1);
    let visits: Vec<_> = (0..8)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..5 {
                    seen.push(count(&server).await);
                }
                seen
            })
        })
        .collect();
    let mut seen = Vec::new();
    for visit in visits {
        seen.extend(visit.await.unwrap());
    }
    seen.sort();
    assert_eq!(seen, (2..=41).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_heeded() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("counter.db.lock")).unwrap();
    let Some(counter) = counter(data.path()) else {
        return;
    };
    let server = counter.timeout("2s").start().await;
    assert_eq!(server.get("/").await.status, 504);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_left_behind_goes() {
    let data = tempfile::tempdir().unwrap();
    let lock = data.path().join("counter.db.lock");
    std::fs::create_dir(&lock).unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(600);
    let opened = std::fs::File::open(&lock).unwrap();
    opened.set_modified(long_ago).unwrap();
    let Some(counter) = counter(data.path()) else {
        return;
    };
    let server = counter.start().await;
    assert_eq!(count(&server).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_finds_what_cgi_promises() {
    let Some(scripts) = scripts() else { return };
    let server = scripts.mount("/m").env("GREETING", "hi").start().await;
    let page = Answer::with_length(async || server.get("/m/page.py").await).await;
    assert_eq!(page.text(), "<p>Hällo</p> __main__\n");
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.field("content-length"), "23");

    let request = Request::post("/m/seen.py/a%20%C3%A9?x=%20")
        .header("content-type", "text/plain")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("proxy", "evil")
        .header("x_y", "alias");
    let answer = server.request(request, "b\u{e9}dy\0").await;
    let seen: Value = serde_json::from_slice(&answer.body).expect("it is JSON");
    let is = |name: &str, value: &str| assert_eq!(seen["env"][name], value, "{name}");
    is("GATEWAY_INTERFACE", "CGI/1.1");
    is("REQUEST_METHOD", "POST");
    is("SCRIPT_NAME", "/m/seen.py");
    is("PATH_INFO", "/a é");
    is("QUERY_STRING", "x=%20");
    is("CONTENT_TYPE", "text/plain");
    is("CONTENT_LENGTH", "6");
    is("SERVER_NAME", "test");
    is("SERVER_PORT", "80");
    is("SERVER_PROTOCOL", "HTTP/1.1");
    is("REMOTE_ADDR", "127.0.0.1");
    is("HTTP_COOKIE", "a=1; b=2");
    is("GREETING", "hi");
    assert_eq!(seen["body"], "b\u{c3}\u{a9}dy\0");
    assert_eq!(seen["own"], "TEXT = \"<p>Hällo</p>\"\n");
    assert!(seen["cwd"].as_array().unwrap().contains(&"page.py".into()));
    // Nothing but CGI's, and what was lent.
    let names = seen["env"].as_object().unwrap().keys();
    let odd: Vec<_> = names
        .filter(|name| {
            let cgi = [
                "SERVER_", "REMOTE_", "REQUEST_", "HTTP_", "CONTENT_", "SCRIPT_",
            ];
            let others = ["GATEWAY_INTERFACE", "PATH_INFO", "QUERY_STRING", "GREETING"];
            !cgi.iter().any(|begin| name.starts_with(begin)) && !others.contains(&name.as_str())
        })
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(seen["env"]["HTTP_PROXY"].is_null() && seen["env"]["HTTP_X_Y"].is_null());

    let words = server.get("/m/seen.py?one+t%C3%BCwo").await;
    let seen: Value = serde_json::from_slice(&words.body).expect("it is JSON");
    assert_eq!(seen["argv"], serde_json::json!(["one", "tüwo"]));
    for nowhere in [
        "/m/",
        "/m/nowhere.py",
        "/m/..%2Fpyproject.toml",
        "/m/bin/page.py",
    ] {
        assert_eq!(server.get(nowhere).await.status, 404, "{nowhere}");
    }
    let demo = server.get("/m/sub/wsgi.py/x").await;
    assert!(demo.text().starts_with("Hello world!"), "{}", demo.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_module_cgi_comes_back_from_its_package() {
    let Some(scripts) = scripts() else { return };
    let server = scripts.start().await;
    let form =
        Request::post("/fields.py").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(server.request(form, "name=Ad%C3%A1").await.text(), "Adá \n");
    let file = "x".repeat(200_000);
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nAda\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{file}\r\n--b--\r\n"
    );
    let form =
        Request::post("/fields.py").header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(server.request(form, body).await.text(), "Ada 200000\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_prints_is_the_answer() {
    let Some(scripts) = scripts() else { return };
    let server = scripts.start().await;
    let teapot = server.get("/fails.py?status").await;
    assert_eq!((teapot.status, teapot.text()), (418, "short\n"));
    // 302 to elsewhere; a path is answered by what is there.
    let away = server.get("/go.py?https://example.org/").await;
    assert_eq!(
        (away.status, away.field("location")),
        (302, "https://example.org/")
    );
    let here = server.get("/go.py?/page.py").await;
    assert_eq!((here.status, here.text()), (200, "<p>Hällo</p> __main__\n"));
    let bare = server.get("/bare.py").await;
    assert_eq!(bare.field("content-type"), "text/html; charset=utf-8");
    for (how, status, cut) in [
        ("raise", 500, false),
        ("late", 200, true),
        ("exit", 200, false),
        ("_exit", 200, false),
        ("nothing", 500, false),
        ("broken", 500, false),
    ] {
        let answer = server.get(&format!("/fails.py?{how}")).await;
        assert_eq!((answer.status, answer.cut), (status, cut), "{how}");
        assert!(!answer.text().contains("never"), "{how}");
        assert_eq!(status == 200, answer.text().starts_with("whole\n"), "{how}");
    }
    let log = server.stop().await.log;
    for said in [
        "warning: bare.py printed a page without a header block (RFC 3875, section 6.3.1)",
        "KeyError: 'no such thing'",
        "File \"bin/fails.py\", line ",
        "fails.py ended with status 3",
        "fails.py printed nothing",
        "the header block has the line b'<p>'",
    ] {
        assert!(log.contains(said), "{said} in\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_flushed_arrives_while_the_script_runs() {
    let Some(scripts) = scripts() else { return };
    let server = scripts.concurrency(1).start().await;
    let mut client = server.client().await;
    let request = Request::get("/stream.py")
        .header("host", "test")
        .body(Full::default())
        .unwrap();
    let mut response = client.send(request).await.unwrap();
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.data_ref().unwrap(), "begun\n");
    drop(response);
    client.leave();
    // Whoever leaves stops it: its place is free again.
    assert_eq!(server.get("/bare.py").await.status, 200);
}
