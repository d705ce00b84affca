//! Clients that take nothing of answers whose guests compute, beside another tenant's app.

use crate::guests::guest;
use crate::half_close::certified;
use crate::serving::{Serving, get, rhost};
use rustix::io::ioctl_fionread;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::{ClientConfig, ClientConnection};

/// How long a client of another app may wait at the most. When turns lay with guests whose
/// bodies nobody polled, that was the write time-out or the wall limit.
const LONGEST: Duration = Duration::from_secs(5);

/// How long anything may take that is certain to happen.
const MOST: Duration = Duration::from_secs(60);

/// The time-out for writing, longer than [`LONGEST`] times what is asked meanwhile may take.
const WRITE_TIMEOUT: &str = "20s";

/// Kinds of frames (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A server of two tenants' apps: one computes for as long as somebody takes its blocks.
fn two_tenants(settings: &str) -> (tempfile::TempDir, Serving) {
    let home = tempfile::tempdir().unwrap();
    for name in ["works-on-blocks", "works"] {
        let file = home.path().join(format!("{name}.wasm"));
        std::fs::copy(guest(name), file).unwrap();
    }
    let file = home.path().join("rhost.toml");
    let text = format!(
        "[server]\naccess-log = false\n{settings}\n[tenants.mallory]\n[tenants.alice]\n\
         [apps.blocks]\ntenant = \"mallory\"\nhosts = \"blocks.test\"\ncomponent = \"works-on-blocks.wasm\"\n\
         [apps.works]\ntenant = \"alice\"\nhosts = \"works.test\"\ncomponent = \"works.wasm\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let serving = Serving::start(rhost(), &["-c", file.to_str().unwrap()]);
    (home, serving)
}

/// Asks over HTTP/1.1, and reads nothing.
fn over_http1(addr: &str, requests: usize) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    let request = "GET / HTTP/1.1\r\nhost: blocks.test\r\n\r\n".repeat(requests);
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Asks over HTTP/2 on so many streams, of which each may be sent `window` bytes.
fn over_http2(addr: &str, streams: u32, window: u32) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(MOST)).unwrap();
    let settings = [&[0, 4][..], &window.to_be_bytes()].concat();
    let mut sent = [PREFACE, &frame(4, 0, 0, &settings)].concat();
    for number in 0..streams {
        let get = b"\x82\x86\x84\x01\x0bblocks.test";
        sent.extend(frame(1, 5, 2 * number + 1, get));
    }
    stream.write_all(&sent).unwrap();
    stream
}

/// Reads frames over HTTP/2 until so many of this kind have come.
fn frames(mut client: &TcpStream, kind: u8, wanted: usize) {
    let mut come = 0;
    while come < wanted {
        let mut head = [0; 9];
        client.read_exact(&mut head).expect("a frame");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        client.read_exact(&mut vec![0; length as usize]).unwrap();
        come += usize::from(head[3] == kind);
    }
}

/// Asks the other tenant's app, which works for more than a tick: it needs its turns.
fn neighbours_are_answered(serving: &Serving) {
    for _ in 0..20 {
        let asked = Instant::now();
        let answer = get(&serving.addr, "/?20000", "host: works.test\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let waited = asked.elapsed();
        assert!(waited < LONGEST, "a neighbour waited for {waited:?}");
    }
}

#[test]
fn they_stop_nobody_else() {
    let (_home, serving) = two_tenants(&format!("write-timeout = \"{WRITE_TIMEOUT}\""));
    let addr = &serving.addr;
    neighbours_are_answered(&serving);
    for window in [0, 64 << 10] {
        let clients: Vec<_> = (0..2).map(|_| over_http2(addr, 16, window)).collect();
        // Their answers have begun, and cannot go on.
        clients.iter().for_each(|client| frames(client, HEADERS, 1));
        neighbours_are_answered(&serving);
    }
    for pipelined in [1, 8] {
        let clients: Vec<_> = (0..12).map(|_| over_http1(addr, pipelined)).collect();
        // As long as the kernel takes what the guests write.
        let lies = || clients.iter().map(|client| ioctl_fionread(client).unwrap());
        let mut last = 0;
        loop {
            neighbours_are_answered(&serving);
            let next = lies().sum();
            if next > 0 && next == last {
                break;
            }
            last = next;
        }
    }
}

/// Returns how many connections the host keeps.
fn connections(serving: &Serving) -> usize {
    let port: u16 = serving
        .addr
        .split(':')
        .next_back()
        .unwrap()
        .parse()
        .unwrap();
    let local = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Its end of each, but for the one that listens, and what the kernel has for itself.
    let kept = lines.filter(|line| line[1].ends_with(&local) && line[3] != "0A" && line[9] != "0");
    kept.count()
}

#[test]
fn they_are_given_up_at_the_write_time_out() {
    let (_home, serving) = two_tenants("write-timeout = \"5s\"");
    let clients: Vec<_> = (0..20).map(|_| over_http1(&serving.addr, 1)).collect();
    let asked = Instant::now();
    // What connected before those that are answered here has been accepted.
    neighbours_are_answered(&serving);
    while connections(&serving) > 0 {
        neighbours_are_answered(&serving);
        let kept = connections(&serving);
        assert!(asked.elapsed() < MOST, "{kept} are kept");
    }
    // Nor does the kernel go on with what they did not take.
    for mut client in clients {
        let error = client.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn streams_without_a_window_are_reset_at_the_write_time_out() {
    let (_home, serving) = two_tenants("write-timeout = \"1s\"");
    let mut client = over_http2(&serving.addr, 16, 0);
    frames(&client, RST_STREAM, 16);
    neighbours_are_answered(&serving);
    // It took nothing at all: it is not waited for as one is that may ask again.
    let asked = Instant::now();
    let _ = client.read_to_end(&mut Vec::new());
    assert!(asked.elapsed() < LONGEST, "its connection is kept");
}

/// How a client asks for an answer that has an end, and that it does not read.
#[derive(Debug, Clone, Copy)]
enum Asks {
    /// Over HTTP/1.1, and may ask on.
    OverHttp1,
    /// Over HTTP/1.1, and wants the connection closed.
    OverHttp1Once,
    OverHttp2,
}

impl Asks {
    /// The request for an answer of somewhat more than `length` bytes: those of its body.
    fn request(self, length: u32) -> Vec<u8> {
        let body = vec![b'.'; length as usize];
        let connection = match self {
            Asks::OverHttp1 => "keep-alive",
            Asks::OverHttp1Once => "close",
            Asks::OverHttp2 => {
                // Windows that let all of it through.
                let window = 1_u32 << 20;
                let settings = [&[0, 4][..], &window.to_be_bytes()].concat();
                let more = frame(8, 0, 0, &window.to_be_bytes());
                let post = b"\x83\x86\x84\x01\x04test";
                let mut request = [
                    PREFACE,
                    &frame(4, 0, 0, &settings),
                    &more,
                    &frame(HEADERS, 4, 1, post),
                ]
                .concat();
                for piece in body.chunks(16 << 10) {
                    request.extend(frame(0, 0, 1, piece));
                }
                request.extend(frame(0, 1, 1, b""));
                return request;
            }
        };
        let head = format!(
            "POST / HTTP/1.1\r\nhost: test\r\nconnection: {connection}\r\n\
             content-length: {length}\r\n\r\n"
        );
        [head.as_bytes(), &body].concat()
    }
}

/// Asks, under TLS if there is a `config`, and sends no more if it `ends`. Then it reads
/// nothing.
fn ask(addr: &str, config: Option<&Arc<ClientConfig>>, request: &[u8], ends: bool) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    match config {
        Some(config) => {
            let name = "test".try_into().unwrap();
            let mut session = ClientConnection::new(config.clone(), name).unwrap();
            while session.is_handshaking() {
                session.complete_io(&mut stream).unwrap();
            }
            let mut rest = request;
            while !rest.is_empty() {
                let taken = session.writer().write(rest).unwrap();
                rest = &rest[taken..];
                while session.wants_write() {
                    session.write_tls(&mut stream).unwrap();
                }
            }
        }
        None => stream.write_all(request).unwrap(),
    }
    if ends {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    stream
}

/// Whatever of an answer the kernel does not take, a client that reads nothing is given up
/// at the write time-out: no other one is in the way here.
#[test]
fn an_end_that_is_not_read_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (certificate, config) = certified(home.path());
    let guest = guest("echoes");
    let hour = [
        "--keep-alive",
        "1h",
        "--header-timeout",
        "1h",
        "--half-close",
        "1h",
    ];
    let flags = [
        &[guest.to_str().unwrap(), "--write-timeout", "1s"],
        &hour[..],
    ]
    .concat();
    let certificate: Vec<&str> = certificate.iter().map(String::as_str).collect();
    let plain = Serving::start(rhost(), &flags);
    let under_tls = Serving::start(rhost(), &[flags, certificate].concat());
    for (serving, config) in [(&under_tls, Some(&config)), (&plain, None)] {
        for (asks, ends) in [
            (Asks::OverHttp1, true),
            (Asks::OverHttp1Once, true),
            (Asks::OverHttp1Once, false),
            (Asks::OverHttp2, true),
        ] {
            // Some the kernel takes whole; of some the rest fits a buffer of the host's.
            let lengths = (64..512).step_by(16).map(|length| length << 10);
            let clients: Vec<_> = lengths
                .map(|length| ask(&serving.addr, config, &asks.request(length), ends))
                .collect();
            // What connected before this one has been accepted.
            drop(ask(&serving.addr, config, &asks.request(1), true));
            let asked = Instant::now();
            loop {
                let kept = connections(serving);
                if kept == 0 {
                    break;
                }
                let tls = config.is_some();
                assert!(
                    asked.elapsed() < MOST,
                    "{asks:?} {ends} {tls}: {kept} are kept"
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            drop(clients);
        }
    }
}
