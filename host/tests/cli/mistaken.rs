//! Clients at the wrong door: HTTP where TLS is spoken, TLS where it is not.

use crate::serving::{Serving, rhost};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// Serves hello under TLS, with a certificate of its own making in `home`.
fn under_tls(home: &Path) -> Serving {
    let cache = home.join("cache");
    serving(&["--tls-self-signed", "--cache-dir", cache.to_str().unwrap()])
}

fn serving(flags: &[&str]) -> Serving {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    Serving::start(rhost(), &[&[hello.to_str().unwrap()], flags].concat())
}

/// What is answered to these bytes until the host closes, which it does by itself.
fn answer(serving: &Serving, said: &[u8]) -> Vec<u8> {
    answer_at(&serving.addr, said)
}

fn answer_at(addr: &str, said: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(said).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn http_on_a_port_for_tls() {
    let home = tempfile::tempdir().unwrap();
    let mut serving = under_tls(home.path());
    for request in [
        "GET / HTTP/1.1\r\nHost: shop.test:8443\r\n\r\n",
        "GET / HTTP/1.0\r\nhost:shop.test:8443\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: shop.test:8443\r\nContent-Length: 4\r\n\r\nbody",
    ] {
        let answer = answer(&serving, request.as_bytes());
        let text = String::from_utf8(answer).unwrap();
        assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
        let told = "This port speaks TLS; use https://shop.test:8443/\n";
        assert!(text.ends_with(&format!("\r\n\r\n{told}")), "{text}");
    }
    let line = serving.until("came to a port for TLS");
    assert!(
        line.contains("it speaks HTTP without TLS; it was told to use https://"),
        "{line}"
    );
    // One who does not say whom is told where it came.
    let text = String::from_utf8(answer(&serving, b"GET / HTTP/1.0\r\n\r\n")).unwrap();
    assert!(
        text.contains(&format!("use https://{}/", serving.addr)),
        "{text}"
    );
    // In the words of HTTP/2: SETTINGS, and a GOAWAY with INADEQUATE_SECURITY.
    let frames = answer(
        &serving,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    );
    assert_eq!((frames[3], frames[9 + 3], frames[9 + 9 + 7]), (4, 7, 12));
    assert!(String::from_utf8_lossy(&frames).contains("use https://"));
    // One line is all that many like these bring about.
    for _ in 0..50 {
        assert!(answer(&serving, b"\x80nothing that is known").is_empty());
        assert!(answer(&serving, b"SSH-2.0-OpenSSH_9.9\r\n").is_empty());
    }
    let (_, _, log) = serving.stop();
    assert!(log.matches("came to a port for TLS").count() < 10, "{log}");
}

#[test]
fn tls_where_it_is_not_spoken() {
    let mut serving = serving(&[]);
    // The beginning of a ClientHello.
    let hello = b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03";
    // An alert, and the end.
    assert_eq!(answer(&serving, hello), b"\x15\x03\x01\x00\x02\x02\x28");
    let line = serving.until("spoke TLS");
    assert!(
        line.contains("ask by http://, or give --tls-cert and --tls-key"),
        "{line}"
    );
    assert!(serving.get("/").ends_with("Hello, world!\n"));
    for _ in 0..50 {
        answer(&serving, hello);
    }
    let (_, _, log) = serving.stop();
    assert!(log.matches("spoke TLS").count() < 10, "{log}");
}

#[test]
fn tls_on_the_admin_listener() {
    let mut serving = serving(&["--admin", "127.0.0.1:0"]);
    let line = match serving.said.contains("admin listener on ") {
        true => serving.said.clone(),
        false => serving.until("admin listener on "),
    };
    let (_, addr) = line.split_once("admin listener on ").unwrap();
    let addr = addr.split_whitespace().next().unwrap();
    let addr = addr
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let hello = b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03";
    assert_eq!(answer_at(&addr, hello), b"\x15\x03\x01\x00\x02\x02\x28");
    let line = serving.until("spoke TLS to the admin listener");
    assert!(line.contains("ask by http://"), "{line}");
    // The first byte says it.
    assert_eq!(answer_at(&addr, &hello[..1]), answer_at(&addr, hello));
    let live = answer_at(&addr, b"GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    assert!(live.starts_with(b"HTTP/1.1 200 "));
    for _ in 0..50 {
        answer_at(&addr, hello);
    }
    let (_, _, log) = serving.stop();
    assert!(log.matches("spoke TLS").count() < 10, "{log}");
}
