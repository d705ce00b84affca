//! Floods over HTTP/2 (hostile client 43), and the memory of the process that bears
//! them.

use crate::guests::guest;
use crate::serving::{Serving, rhost};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// What memory may grow by over all floods. Each of them, were it kept, is more.
const MOST: u64 = 32 << 20;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `GET http://test/` (RFC 7541, appendix A), nothing of it kept by the decoder.
const GET: &[u8] = b"\x82\x86\x84\x01\x04test";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Octets that no file is behind.
fn memory(serving: &Serving) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", serving.pid().as_raw_nonzero()))
            .unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib << 10
}

/// Sends `frames`, as far as the host takes them, and says no more. Returns whether
/// it was told to go away.
fn flood(serving: &Serving, frames: &[u8]) -> bool {
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    // One that is not ended is an answer too: then nothing came for so long.
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut writing = stream.try_clone().unwrap();
    let sent = [PREFACE, &frame(4, 0, 0, b""), frames].concat();
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = writing.write_all(&sent);
            let _ = writing.shutdown(Shutdown::Write);
        });
        let _ = stream.read_to_end(&mut received);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let mut rest = &received[..];
    while let [l0, l1, l2, kind, _, _, _, _, _, after @ ..] = rest {
        if *kind == 7 {
            return true;
        }
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

#[test]
fn memory_stays_flat() {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let serving = Serving::start(rhost(), &[hello.to_str().unwrap(), "--access-log", "off"]);
    assert!(serving.get("/").ends_with("Hello, world!\n"));
    let times = |count: u32, frames: &dyn Fn(u32) -> Vec<u8>| {
        (0..count)
            .flat_map(|n| frames(2 * n + 1))
            .collect::<Vec<u8>>()
    };
    let pings = times(50_000, &|_| frame(6, 0, 0, b"anything"));
    let settings = times(50_000, &|_| frame(4, 0, 0, &[0, 3, 0, 0, 0, 1]));
    let resets = times(20_000, &|stream| {
        let reset = frame(3, 0, stream, &[0, 0, 0, 8]);
        [frame(1, 5, stream, GET), reset].concat()
    });
    let endless = [
        frame(1, 1, 1, GET),
        times(50_000, &|_| frame(9, 0, 1, b"\x10\x01x\x01y")),
    ]
    .concat();
    // One octet at a time of bodies that nobody reads.
    let crumbs = [
        frame(1, 4, 1, b"\x83\x86\x84\x01\x04test"),
        times(50_000, &|_| frame(0, 0, 1, b"x")),
    ]
    .concat();
    // A field of 4000 octets that the decoder keeps, then 8000 times its number: each
    // block would be 32 MB.
    let large = [GET, b"\x40\x01x\x7f\xa1\x1e", &[b'y'; 4000]].concat();
    let bomb = [
        frame(1, 5, 1, &large),
        times(100, &|stream| {
            frame(1, 5, stream + 2, &[GET, &[0xbe; 8000]].concat())
        }),
    ]
    .concat();
    let before = memory(&serving);
    for (name, frames, is_ended) in [
        ("PING", &pings, true),
        ("SETTINGS", &settings, true),
        ("RST_STREAM", &resets, true),
        ("CONTINUATION", &endless, true),
        ("DATA", &crumbs, true),
        ("HPACK", &bomb, false),
    ] {
        for _ in 0..5 {
            let told = flood(&serving, frames);
            assert!(told || !is_ended, "{name}");
        }
        let grown = memory(&serving).saturating_sub(before);
        assert!(grown < MOST, "{name}: {grown}");
    }
    assert!(serving.get("/").ends_with("Hello, world!\n"));
}

/// What answers that nobody read took goes back to the system when their clients have left,
/// although nobody asks for anything then.
#[test]
fn memory_is_given_back_after_a_burst() {
    const CLIENTS: usize = 400;
    let serving = Serving::start(
        rhost(),
        &[guest("endless-body").to_str().unwrap(), "--access-log=off"],
    );
    let begun = Instant::now();
    let before = memory(&serving);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut client = TcpStream::connect(&serving.addr).unwrap();
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
                .unwrap();
            client
        })
        .collect();
    // Buffers of hyper's, for each of them.
    let taken = before + CLIENTS as u64 * (256 << 10);
    while memory(&serving) < taken {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is taken"
        );
        std::thread::yield_now();
    }
    drop(clients);
    // A slot of the pool for each keeps its pages: some 100 KiB.
    while memory(&serving) > before + CLIENTS as u64 * (150 << 10) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{} MiB are kept",
            memory(&serving) >> 20
        );
        std::thread::yield_now();
    }
}
