//! WSGI programs run as they are, and PEP 3333 holds for them (conformance 1-45,
//! where they concern the app's side). tests/guests/python has the programs.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::{Answer, Test, python};
use serde_json::Value;
use std::process::Command;

/// The programs, or none on a machine where they cannot be built.
fn zoo() -> Option<Test> {
    Test::program("python")
}

fn post(path: &str, content_type: &str) -> http::request::Builder {
    Request::post(path).header("content-type", content_type)
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_every_kind_run() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for (path, body) in [
        ("/bare", "Hello from a function\n"),
        ("/class", "Hello from a class\n"),
        ("/iterator", "Hello from an iterator\n"),
        ("/generator", "Hello from a generator\n"),
        ("/write", "Hello from write\n"),
        ("/flask/", "Hello from Flask\n"),
        ("/bottle/", "Hello from Bottle\n"),
        ("/bottle/greet/%C3%A9", "Hello é!\n"),
        ("/webob/", "Hello from WebOb\n"),
        ("/flask/greet/%3CAda%3E", "<p>Hello &lt;Ada&gt;!</p>"),
        ("/flask/stream", "0\n1\n2\n"),
        ("/validated", ""),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status, answer.text(), answer.cut),
            (200, body, false),
            "{path}"
        );
    }
    for path in ["/demo", "/validated-demo"] {
        let answer = server.get(path).await;
        let text = answer.text();
        assert!(
            text.starts_with("Hello world!\n") && text.contains("wsgi.url_scheme = 'http'"),
            "{text}"
        );
    }
    assert_eq!(server.get("/file").await.body.len(), 100_000);
    let log = server.stop().await.log;
    assert!(!log.contains("AssertionError"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_uploads_and_sessions() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for path in ["/bottle/form", "/webob/"] {
        let form = post(path, "application/x-www-form-urlencoded");
        let answer = server.request(form, "name=Ad%C3%A1").await;
        let json: Value = serde_json::from_slice(&answer.body).expect("it is JSON");
        assert_eq!(json["name"], "Adá", "{path}");
    }
    // More than frameworks keep in memory, and thus a temporary file.
    let file = "x".repeat(700_000);
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nAda\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{file}\r\n--b--\r\n"
    );
    let answer = server
        .request(post("/flask/form", "multipart/form-data; boundary=b"), body)
        .await;
    assert_eq!(
        (answer.status, answer.text()),
        (200, "{\"name\":\"Ada\",\"size\":700000}\n")
    );

    let answer = server.get("/flask/login").await;
    assert_eq!(
        (answer.status, answer.field("location")),
        (302, "/flask/whoami")
    );
    let cookie = answer
        .field("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let back = Request::get("/flask/whoami").header("cookie", cookie);
    assert_eq!(server.request(back, "").await.text(), "Ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_to_their_end() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for path in ["/echo", "/validated"] {
        for body in ["", "x", "one\ntwo\nthree", "\n\n\n\n\n\n\n"] {
            let answer = server.request(post(path, "text/plain"), body).await;
            assert_eq!((answer.status, answer.text()), (200, body), "{path}");
        }
    }
    let answer = server
        .request(post("/lines", "text/plain"), "a\nb\nc")
        .await;
    assert_eq!(answer.text(), r"[b'a\n', [b'b\n', b'c'], b'']");
    let upload: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let answer = server
        .request(post("/echo", "application/octet-stream"), upload.clone())
        .await;
    assert!(answer.body == upload);

    use rhost_tests::Received;
    let chunked = b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\non\r\n3\r\ne\nt\r\n2\r\nwo\r\n0\r\n\r\n";
    let answer = Received::to(server.addr, chunked).await.text();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("one\nt\r\n2\r\nwo\r\n0\r\n"),
        "{answer}"
    );
    // A body that is cut short is an error, not a short body.
    let mut stream = server.connect().await;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let head = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nshort";
    stream.write_all(head).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// What /surroundings says.
async fn seen(server: &rhost_tests::Server, request: http::request::Builder) -> Value {
    let answer = server.request(request, "").await;
    assert_eq!(answer.status, 200, "{:?}", answer);
    serde_json::from_slice(&answer.body).expect("it is JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environ_is_that_of_pep_3333() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.mount("/mnt").start().await;
    let request = Request::get("/mnt/surroundings/a%20%C3%A9?x=%20")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("accept", "x")
        .header("accept", "y")
        .header("content_type", "alias");
    let environ = &seen(&server, request).await["environ"];
    let is = |name: &str, value: Value| assert_eq!(environ[name], value, "{name}");
    is("REQUEST_METHOD", "GET".into());
    is("SCRIPT_NAME", "/mnt/surroundings".into());
    is("PATH_INFO", "/a \u{c3}\u{a9}".into());
    is("QUERY_STRING", "x=%20".into());
    is("HTTP_COOKIE", "a=1; b=2".into());
    is("HTTP_ACCEPT", "x, y".into());
    is("SERVER_NAME", "test".into());
    is("SERVER_PORT", "80".into());
    is("SERVER_PROTOCOL", "HTTP/1.1".into());
    is("REMOTE_ADDR", "127.0.0.1".into());
    is("wsgi.version", serde_json::json!([1, 0]));
    is("wsgi.url_scheme", "http".into());
    is("wsgi.multithread", false.into());
    is("wsgi.multiprocess", true.into());
    is("wsgi.run_once", true.into());
    for absent in ["HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "CONTENT_LENGTH"] {
        is(absent, Value::Null);
    }
}

/// Counting them would be to write to most of the snapshot.
#[tokio::test(flavor = "multi_thread")]
async fn references_to_what_was_imported_are_not_counted() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let seen = seen(&server, Request::get("/surroundings")).await;
    assert_eq!(
        seen["snapshot"],
        serde_json::json!([[true, true, true, true, true, true, true], false])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_nothing() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.env("GREETING", "hi").start().await;
    let first = seen(&server, Request::get("/surroundings")).await;
    let second = seen(&server, Request::get("/surroundings")).await;
    for name in ["random", "secret", "uuid"] {
        assert_ne!(first[name], second[name], "{name}");
    }
    for request in [first, second] {
        assert_eq!(request["served"], 1);
        assert_eq!(request["env"]["GREETING"], "hi");
        assert_eq!(request["late"], serde_json::json!([0.0, 1.0, 1]));
        assert_eq!(request["own_file"], "[project]");
        assert_eq!(request["temporary"], "octets");
        assert_eq!(request["digest"], "e3b0c442");
        let refused = |name: &str, word: &str| {
            let said = request[name].as_str().unwrap_or_default();
            assert!(
                said.contains("Error") && said.contains(word),
                "{name}: {said}"
            );
        };
        refused("named", "--dir ./tmp:/tmp");
        refused("write", "");
        refused("passwd", "No such file");
    }
    let log = server.stop().await.log;
    assert!(log.contains("stdout: to standard output"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lent_directory_takes_temporary_files() {
    let Some(zoo) = zoo() else { return };
    let home = tempfile::tempdir().unwrap();
    let server = zoo.dir(home.path(), "/tmp", false).start().await;
    let seen = seen(&server, Request::get("/surroundings")).await;
    let name = seen["named"].as_str().unwrap();
    assert!(name.starts_with("/tmp/"), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_before_the_headers_is_500() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let cases = [
        ("raise", "ValueError: raised in the app"),
        ("exit", "SystemExit: 3"),
        ("none", "the app returned a NoneType"),
        ("text", "the app gave a str as a block"),
        ("unstarted", "before it called start_response"),
        ("twice", "start_response was called a second time"),
        ("hop-by-hop", "the header Connection is hop-by-hop"),
        ("newline", "the header X-Split has a control character"),
        ("status", "the status is '99 Low'"),
        (
            "recursion",
            "RecursionError: maximum recursion depth exceeded",
        ),
    ];
    for (case, _) in cases {
        let answer = server.get(&format!("/fails/{case}")).await;
        assert_eq!((answer.status, answer.cut), (500, false), "{case}");
        assert!(
            !answer.text().contains("Error:"),
            "{case}: {}",
            answer.text()
        );
    }
    let log = server.stop().await.log;
    for (case, said) in cases {
        assert!(log.contains(said), "{case}: {said} in\n{log}");
    }
    assert!(
        log.contains("File \"fails.py\", line ")
            && log.contains("raise ValueError(\"raised in the app\")"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_after_the_headers_is_cut() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    let answer = server.get("/fails/raise-late").await;
    assert_eq!(
        (answer.status, answer.text(), answer.cut),
        (200, "onetwo", true)
    );
    let answer = server.get("/fails/too-late").await;
    assert_eq!((answer.status, answer.cut), (200, true));
    assert!(!answer.text().contains("never"));
    // Before them it is replaced.
    let answer = server.get("/fails/replaced").await;
    assert_eq!(
        (answer.status, answer.text(), answer.field("x-error")),
        (503, "sorry\n", "yes")
    );
    let log = server.stop().await.log;
    for said in [
        "ValueError: raised late",
        "KeyError: 'too late'",
        "KeyError: 'replaced'",
    ] {
        assert!(log.contains(said), "{said} in\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn close_is_called_once() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    assert_eq!(server.get("/closing").await.text(), "one");
    assert!(server.get("/closing/late").await.cut);
    let log = server.stop().await.log;
    assert_eq!(log.matches("stderr: closed").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_block_has_a_length_and_head_has_no_body() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.start().await;
    for method in ["GET", "HEAD"] {
        let request = Request::builder().method(method).uri("/bare");
        let answer = server.request(request, "").await;
        assert_eq!(
            (answer.status, answer.field("content-length")),
            (200, "22"),
            "{method}"
        );
        assert_eq!(answer.body.is_empty(), method == "HEAD");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_and_one_who_never_ends() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.concurrency(1).cpu("300ms").start().await;
    // Each block is sent when it is there; the program is stopped when nobody reads.
    let mut client = server.client().await;
    let request = Request::get("/stream")
        .header("host", "test")
        .body(Full::default())
        .unwrap();
    let mut response = client.send(request).await.unwrap();
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    assert!(frame.data_ref().is_some_and(|data| !data.is_empty()));
    drop(response);
    client.leave();
    // Its place is free again, and the next is stopped at its limit.
    assert_eq!(server.get("/bare").await.status, 200);
    let answer = server.get("/fails/forever").await;
    assert_eq!(answer.status, 504);
    assert_eq!(server.get("/bare").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_shown_the_traceback() {
    let Some(zoo) = zoo() else { return };
    let server = zoo.dev().start().await;
    let request = Request::get("/fails/raise")
        .header("host", "localhost")
        .body(Full::default());
    let response = server.client().await.send(request.unwrap()).await;
    let answer = Answer::read(response.expect("an answer")).await;
    let page = answer.text();
    assert_eq!(answer.status, 500);
    for part in [
        "<p class=\"what\">ValueError: raised in the app</p>",
        "Traceback (most recent call last):",
        "File &quot;fails.py&quot;, line ",
        "in raise_",
        "/fails/raise",
    ] {
        let part = part.replace("&quot;", "\"");
        assert!(page.contains(&part), "{part} in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_book_is_signed() {
    let Some(guest_book) = Test::program("flask") else {
        return;
    };
    let server = guest_book.start().await;
    assert_eq!(server.get("/hello").await.text(), "Hello, World!\n");
    let sign = post("/sign", "application/x-www-form-urlencoded");
    let signed = server.request(sign, "entry=%3CAda%3E").await;
    assert_eq!((signed.status, signed.field("location")), (302, "/"));
    let cookie = signed.field("set-cookie").split(';').next().unwrap();
    let page = server
        .request(Request::get("/").header("cookie", cookie), "")
        .await;
    assert!(
        page.text().contains("<li>&lt;Ada&gt;</li>"),
        "{}",
        page.text()
    );
    assert!(!server.get("/").await.text().contains("Ada"));
    let lost = server.get("/nowhere").await;
    assert_eq!(lost.status, 404);
    assert!(lost.text().contains("There is nothing here."));
}

/// The tests that are written in Python: they need no more than python3.
#[test]
fn the_adapters_own_tests_pass() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (dir, top) in [
        ("guest-sdk/python/tests", "guest-sdk/python"),
        ("examples/wsgi", "examples/wsgi"),
    ] {
        let tests = Command::new("python3")
            .args(["-B", "-m", "unittest", "discover", "-s", dir, "-t", top])
            .current_dir(root)
            .output();
        match tests {
            Err(error) => {
                let _: Option<()> = python::skip(&format!("python3 cannot be run: {error}"));
                return;
            }
            Ok(tests) => {
                let said = String::from_utf8_lossy(&tests.stderr);
                assert!(
                    tests.status.success() && !said.contains("Ran 0 tests"),
                    "{dir}: {said}"
                );
            }
        }
    }
}
