//! Clients that close their sending side once they have asked, as `nc -N` does, tools of
//! HTTP/1.0 and suites; and clients that are gone.

use crate::guests::guest;
use crate::serving::{Serving, rhost};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore};

/// Longer than anything here takes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(120);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

/// Serves the guest called `name`.
fn serving(name: &str, flags: &[&str]) -> Serving {
    let guest = guest(name);
    Serving::start(rhost(), &[&[guest.to_str().unwrap()], flags].concat())
}

/// Serves it to one at a time, and has another wait for its place.
fn serving_one(name: &str, half_close: &str) -> Serving {
    let flags = ["--concurrency", "1", "--queue-timeout", "60s"];
    let limits = ["--timeout", "1h", "--half-close", half_close];
    serving(name, &[flags, limits].concat())
}

fn connect(serving: &Serving) -> TcpStream {
    let stream = TcpStream::connect(&serving.addr).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends `requests` and nothing after them; what is answered until the host closes.
fn ask_and_end(serving: &Serving, requests: &[u8]) -> Vec<u8> {
    let mut stream = connect(serving);
    stream.write_all(requests).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may be reset.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn text(answer: Vec<u8>) -> String {
    String::from_utf8_lossy(&answer).into_owned()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// HEADERS of a request for a `path` of four bytes (RFC 7541, appendix A).
fn headers(method: u8, flags: u8, stream: u32, path: &str) -> Vec<u8> {
    let block = [
        &[method, 0x86],
        &b"\x01\x04test\x04\x04"[..],
        path.as_bytes(),
    ]
    .concat();
    frame(1, 4 | flags, stream, &block)
}

/// The frames that came: kind, flags, stream, payload.
fn frames(mut octets: &[u8]) -> Vec<(u8, u8, u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [l0, l1, l2, kind, flags, _, _, _, stream, rest @ ..] = octets {
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        frames.push((*kind, *flags, *stream, rest[..length].to_vec()));
        octets = &rest[length..];
    }
    frames
}

#[test]
fn answers_that_take_a_while_arrive() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let unix = format!("unix:{}", path.display());
    let serving = serving("late", &["--addr", &unix]);
    let get = "GET /300 HTTP/1.1\r\nhost: test\r\n\r\n";
    let answer = text(ask_and_end(&serving, get.as_bytes()));
    assert!(answer.contains("/300: \n"), "{answer}");
    let answer = text(ask_and_end(&serving, b"GET /300 HTTP/1.0\r\n\r\n"));
    assert!(answer.contains("/300: \n"), "{answer}");
    let post = "POST /300 HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\n\r\nbody";
    let answer = text(ask_and_end(&serving, post.as_bytes()));
    assert!(answer.contains("/300: body\n"), "{answer}");
    // All of them, in order, and then the end.
    let many = format!("{get}{post}{}{get}", get.replace("300", "0"));
    let answer = text(ask_and_end(&serving, many.as_bytes()));
    let mut rest = &answer[..];
    for body in ["/300: \n", "/300: body\n", "/0: \n", "/300: \n"] {
        let (_, after) = rest.split_once(body).unwrap_or_else(|| panic!("{answer}"));
        rest = after;
    }
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(get.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("/300: \n"), "{answer}");
}

#[test]
fn over_http2_too() {
    let serving = serving("late", &[]);
    let requests = [
        PREFACE,
        &headers(0x82, END_STREAM, 1, "/300"),
        &headers(0x82, END_STREAM, 3, "/500"),
        // Of which some is to come.
        &headers(0x83, 0, 5, "/100"),
        &headers(0x83, 0, 7, "/400"),
        &frame(0, END_STREAM, 7, b"body"),
    ]
    .concat();
    let came = frames(&ask_and_end(&serving, &requests));
    let body = |stream: u8| -> Vec<u8> {
        let of = came
            .iter()
            .filter(|frame| (frame.0, frame.2) == (0, stream));
        of.flat_map(|frame| frame.3.clone()).collect()
    };
    for (stream, answer) in [(1, "/300: \n"), (3, "/500: \n"), (7, "/400: body\n")] {
        assert_eq!(text(body(stream)), answer, "{came:?}");
        let is_end =
            |frame: &&(u8, u8, u8, Vec<u8>)| frame.2 == stream && frame.1 & END_STREAM != 0;
        assert!(came.iter().any(|frame| is_end(&frame)), "{came:?}");
    }
    assert!(body(5).is_empty(), "{came:?}");
    assert!(
        came.iter()
            .all(|frame| frame.0 != RST_STREAM || frame.2 == 5),
        "{came:?}"
    );
}

/// A certificate for `test` in `home`, and what trusts it.
pub fn certified(home: &Path) -> (Vec<String>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["test".to_owned()]).unwrap();
    let (certificate, key) = (home.join("test.crt"), home.join("test.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let flag = |name: &str, path: &Path| [name.to_owned(), path.to_str().unwrap().to_owned()];
    let flags = [flag("--tls-cert", &certificate), flag("--tls-key", &key)];
    (flags.concat(), Arc::new(config))
}

/// What a client reads under TLS that closed its side, with a word about it or without.
fn under_tls(serving: &Serving, config: &Arc<ClientConfig>, says_so: bool) -> String {
    let name = ServerName::try_from("test").unwrap();
    let mut session = ClientConnection::new(config.clone(), name).unwrap();
    let mut stream = connect(serving);
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    tls.write_all(b"GET /300 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    if says_so {
        tls.conn.send_close_notify();
    }
    tls.flush().unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn under_tls_with_a_word_and_without() {
    let home = tempfile::tempdir().unwrap();
    let (flags, config) = certified(home.path());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let serving = serving("late", &flags);
    for says_so in [true, false] {
        let answer = under_tls(&serving, &config, says_so);
        assert!(answer.contains("/300: \n"), "{says_so}: {answer}");
    }
}

#[test]
fn a_guest_that_says_nothing_ends_with_the_grace() {
    let serving = serving_one("late", "100ms");
    let never = b"GET /100000000 HTTP/1.1\r\nhost: test\r\n\r\n";
    assert_eq!(text(ask_and_end(&serving, never)), "");
    assert!(serving.get("/0").ends_with("/0: \n"));
    // Over HTTP/2 as well: this one begins, and its window stays shut.
    let serving = serving_one("hangs", "100ms");
    let shut = [0, 4, 0, 0, 0, 0];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let write = frame(1, 4 | END_STREAM, 1, b"\x82\x86\x01\x04test\x04\x06/write");
    let requests = [preface, &frame(4, 0, 0, &shut)[..], &write].concat();
    ask_and_end(&serving, &requests);
    assert!(serving.get("/answer").ends_with("begun"));
}

#[test]
fn none_is_as_good_as_gone_with_no_grace() {
    let serving = serving_one("late", "0s");
    let never = b"GET /100000000 HTTP/1.1\r\nhost: test\r\n\r\n";
    assert_eq!(text(ask_and_end(&serving, never)), "");
    assert!(serving.get("/0").ends_with("/0: \n"));
}

/// What is taken is answered on, for as long as it is.
#[test]
fn a_stream_outlasts_the_grace() {
    let serving = serving_one("slow-body", "500ms");
    let mut stream = connect(&serving);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut ticks = vec![0; 100 * b"tick\n".len()];
    stream.read_exact(&mut ticks).unwrap();
}

/// Whether the only place is free for another, though the grace is an hour.
fn is_free(serving: &Serving, path: &str) {
    let answer = serving.get(path);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_reset_ends_the_guest_whether_the_side_was_closed_before_or_not() {
    let serving = serving_one("hangs", "1h");
    for closes_first in [false, true] {
        for path in ["/sleep", "/spin"] {
            let mut stream = connect(&serving);
            write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
            let mut begun = [0; 12];
            stream.read_exact(&mut begun).unwrap();
            if closes_first {
                stream.shutdown(Shutdown::Write).unwrap();
            }
            SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            drop(stream);
            is_free(&serving, "/answer");
        }
    }
    // Requests wait behind it, and are not read.
    let mut stream = connect(&serving);
    let get = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
    stream.write_all(&get.repeat(2)).unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
    is_free(&serving, "/answer");
}

#[test]
fn a_write_that_fails_ends_the_guest() {
    let serving = serving_one("hangs", "1h");
    let mut stream = connect(&serving);
    stream
        .write_all(b"GET /write HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    drop(stream);
    is_free(&serving, "/answer");
}

/// Of a Unix socket, whose kernel tells the one from the other.
#[test]
fn on_a_unix_socket_a_client_that_is_gone_is_known_at_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let unix = format!("unix:{}", path.display());
    let guest = guest("late");
    let flags = [
        "--concurrency",
        "1",
        "--queue-timeout",
        "60s",
        "--timeout",
        "1h",
    ];
    let more = ["--half-close", "1h", "--addr", &unix];
    let arguments = [&[guest.to_str().unwrap()], &flags[..], &more].concat();
    let serving = Serving::start(rhost(), &arguments);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"GET /100000000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    // Another waits when this one is answered.
    let mut other = UnixStream::connect(&path).unwrap();
    other.set_read_timeout(Some(LONG)).unwrap();
    other
        .write_all(b"GET /0 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .unwrap();
    drop(stream);
    let mut answer = String::new();
    other.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("/0: \n"), "{answer}");
    is_free(&serving, "/0");
}

/// Conformance 21.
#[test]
fn a_body_that_is_cut_short_is_an_error_to_the_app() {
    let serving = serving("reads-body", &[]);
    for body in [
        "content-length: 10\r\n\r\nabc",
        "transfer-encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: test\r\n{body}");
        let answer = text(ask_and_end(&serving, request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let (_, _, log) = serving.stop();
    assert_eq!(log.matches("InputError::Incomplete").count(), 2, "{log}");
}
