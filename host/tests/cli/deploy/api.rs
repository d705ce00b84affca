//! The admin API, as a program uses it.

use super::{Home, answer, greeting};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

fn json(text: &str) -> Value {
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_deploy_is_one_request() {
    let home = Home::new();
    let serving = home.serve(&["--max-component", "1MiB"]);
    let file = fs::read(home.path(&home.component("first"))).unwrap();
    let post = |fields: &str, body: &[u8]| {
        let mut stream = UnixStream::connect(home.path("state/admin.sock")).unwrap();
        let head = format!("POST /v1/apps/shop/versions HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // Whatever is refused before may not be read.
        let _ = stream.write_all(body);
        let (status, text) = answer(&mut stream);
        (status, json(&text))
    };
    let length = format!("content-length: {}\r\n", file.len());
    let (status, said) = post(
        &format!("{length}rhost-settings: {{\"hosts\": \"shop.test\"}}\r\n"),
        &file,
    );
    assert_eq!(status, 201, "{said}");
    assert_eq!(
        (&said["version"], &said["state"]),
        (&1.into(), &"serving".into())
    );
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    for (fields, body, expected, says) in [
        (
            "rhost-settings: hosts\r\n",
            &file[..],
            400,
            "is no JSON object",
        ),
        (
            "rhost-settings: {}\r\nrhost-settings: {}\r\n",
            &file,
            400,
            "is there twice",
        ),
        (
            "rhost-settings: {\"cpu\": 1}\r\n",
            &file,
            422,
            "apps.shop.cpu",
        ),
        (
            "authorization: Bearer rhost_x\r\n",
            &file,
            401,
            "not good here",
        ),
        ("", b"", 400, "there is no component"),
        ("", b"\0asm\x0d\0\x01\0\xff", 422, "not a valid component"),
        ("", b"no component", 422, "not a WebAssembly component"),
    ] {
        let length = format!("content-length: {}\r\n", body.len());
        let (status, said) = post(&format!("{length}{fields}"), body);
        assert_eq!(status, expected, "{said}");
        assert!(said["error"].as_str().unwrap().contains(says), "{said}");
    }
    // Announced or not, what is too large is not taken.
    let (status, _) = post("content-length: 1048577\r\nexpect: 100-continue\r\n", b"");
    assert_eq!(status, 413);
    let chunk = [
        &b"100001\r\n"[..],
        &vec![b'x'; 0x0010_0001],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    assert_eq!(post("transfer-encoding: chunked\r\n", &chunk).0, 413);
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert_eq!(
        fs::read_dir(home.path("state/components")).unwrap().count(),
        1
    );
}

/// One that stops in the middle leaves nothing, and holds up nobody.
#[test]
fn a_half_upload_is_no_deploy() {
    let home = Home::new();
    let serving = home.serve(&[]);
    home.deploy("shop", "first");
    let mut half = UnixStream::connect(home.path("state/admin.sock")).unwrap();
    half.write_all(
        b"POST /v1/apps/shop/versions HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5000\r\n\r\n",
    )
    .unwrap();
    let mut said = [0; 25];
    half.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    half.write_all(b"\0asm").unwrap();
    home.deploy("shop", "other");
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    drop(half);
    // It is gone when the other end has noticed; the server's end is after that.
    let (code, _, said) = serving.stop();
    assert_eq!(code, Some(0), "{said}");
    let parts = |name: &fs::DirEntry| name.file_name().to_string_lossy().starts_with(".upload");
    let components = fs::read_dir(home.path("state/components")).unwrap();
    assert_eq!(
        components
            .filter(|entry| parts(entry.as_ref().unwrap()))
            .count(),
        0
    );
}

#[test]
fn what_is_asked_wrongly_is_told_how_it_is_asked() {
    let home = Home::new();
    let _serving = home.serve(&[]);
    let ask = |line: &str, body: &str| {
        let length = body.len();
        let (status, text) = home.ask(&format!(
            "{line} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        (
            status,
            json(&text)["error"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for (line, body, expected, says) in [
        ("GET /v1/none", "", 404, "/v1/openapi.json"),
        ("PUT /v1/apps", "", 405, "it takes GET"),
        ("GET /v1/apps/none", "", 404, "there is no app `none`"),
        ("POST /v1/apps/a%2Fb/versions", "x", 422, "expected a name"),
        (
            "POST /v1/apps/none/rollback",
            "{",
            400,
            "the body is not what it should be",
        ),
        (
            "POST /v1/apps/none/rollback",
            "{\"versoin\": 1}",
            400,
            "unknown field `versoin`",
        ),
        (
            "POST /v1/tokens",
            "{\"tenant\": \"acme\"}",
            422,
            "there is no tenant `acme`",
        ),
        (
            "GET /v1/apps/none/logs?lines=x",
            "",
            400,
            "lines is a number",
        ),
    ] {
        let (status, said) = ask(line, body);
        assert_eq!(status, expected, "{line}: {said}");
        assert!(
            said.contains(says) && !said.contains('\n'),
            "{line}: {said}"
        );
    }
    let large = "x".repeat(65 << 10);
    assert_eq!(ask("POST /v1/tokens", &large).0, 413);
    let (status, text) = home.ask("GET /v1/openapi.json HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!((status, &json(&text)["openapi"]), (200, &"3.1.0".into()));
    assert_eq!(home.ask("GET /ready HTTP/1.1\r\nhost: a\r\n\r\n").0, 200);
}

#[test]
fn over_tcp_each_request_has_a_token() {
    let home = Home::new();
    let serving = home.serve(&["--admin", "127.0.0.1:0"]);
    let said = serving
        .said
        .lines()
        .find_map(|line| line.strip_prefix("rhost: admin listener on http://"));
    let admin = said.unwrap().trim_end_matches('/').to_owned();
    let ask = |path: &str, fields: &str| {
        let mut stream = TcpStream::connect(&admin).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n").unwrap();
        answer(&mut stream)
    };
    assert_eq!(ask("/live", "").0, 200);
    assert_eq!(ask("/v1/openapi.json", "").0, 200);
    let (status, text) = ask("/v1/apps", "");
    assert_eq!(status, 401);
    assert!(text.contains("\r\nwww-authenticate: Bearer\r\n"), "{text}");
    let token = home.done(&["token", "create", "--note", "CI"]);
    let token = token.trim_end();
    let listed = home.done(&["token", "list"]);
    assert!(listed.contains("CI") && !listed.contains(token), "{listed}");
    assert_eq!(
        ask("/v1/apps", &format!("authorization: Bearer {token}\r\n")).0,
        200
    );
    let file = home.component("first");
    fs::write(home.path("token"), format!("{token}\n")).unwrap();
    let over_tcp = ["--admin", &admin, "--token-file", "token"];
    let line = ["deploy", &file, "--app", "shop", "--host", "shop.test"];
    home.done(&[&line[..], &over_tcp].concat());
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    let id = listed
        .lines()
        .nth(1)
        .and_then(|line| line.split(' ').next())
        .unwrap();
    home.done(&["token", "revoke", id]);
    let said = home.refused(&[&["apps"][..], &over_tcp].concat(), 1);
    assert!(said.contains("the token is not good here"), "{said}");
    // A token that was made is as good in the next process.
    let token = home.done(&["token", "create"]);
    drop(serving.stop());
    let _serving = home.serve(&["--admin", &admin]);
    assert_eq!(
        ask(
            "/v1/apps",
            &format!("authorization: Bearer {}\r\n", token.trim_end())
        )
        .0,
        200
    );
}
