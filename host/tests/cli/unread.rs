//! Clients that take nothing of answers whose guests compute, beside another tenant's app.

use crate::guests::guest;
use crate::serving::{Serving, get, rhost};
use rustix::io::ioctl_fionread;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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

/// Returns how many sockets the host has.
fn sockets(serving: &Serving) -> usize {
    let pid = serving.pid().as_raw_nonzero();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

#[test]
fn they_are_given_up_at_the_write_time_out() {
    let (_home, serving) = two_tenants("write-timeout = \"5s\"");
    let before = sockets(&serving);
    let clients: Vec<_> = (0..20).map(|_| over_http1(&serving.addr, 1)).collect();
    let asked = Instant::now();
    let until = |is_so: &dyn Fn(usize) -> bool| {
        while !is_so(sockets(&serving)) {
            neighbours_are_answered(&serving);
            assert!(asked.elapsed() < MOST, "{} sockets", sockets(&serving));
        }
    };
    // The host may have two descriptors of one.
    until(&|sockets| sockets >= before + clients.len());
    until(&|sockets| sockets <= before);
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
