//! Clients that keep the host busy with what is no request (hostile clients 40 and
//! 43). That memory stays flat meanwhile is seen from outside, in
//! `host/tests/cli/floods.rs`.

use rhost_tests::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, frame, get, request,
};
use rhost_tests::{Client, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The code of a GOAWAY to a client that asks too much.
const ENHANCE_YOUR_CALM: Option<u32> = Some(11);

/// Floods a host with these frames; the code of its GOAWAY. Others are served all
/// the same.
async fn flood(frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    let server = Test::serving("answers").start().await;
    let code = Frames::connect(server.addr, b"").await.flood(frames).await;
    let answer = Client::http2(server.addr).await.get("/200?1").await;
    assert_eq!(answer.status, 200);
    code
}

/// Hostile client 43: requests that are taken back as soon as they are made.
#[tokio::test(flavor = "multi_thread")]
async fn rapid_reset() {
    let frames = (0..100_000u32).map(|n| {
        let reset = frame(RST_STREAM, 0, 2 * n + 1, &8u32.to_be_bytes());
        [request(2 * n + 1, "/200?1"), reset].concat()
    });
    assert_eq!(flood(frames).await, ENHANCE_YOUR_CALM);
}

/// Hostile client 43: a block of fields that does not end.
#[tokio::test(flavor = "multi_thread")]
async fn continuation() {
    let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, &get("/200?1")));
    // A field of its own each, never indexed.
    let more = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, b"\x10\x01x\x01y"));
    assert_eq!(flood(begin.chain(more)).await, ENHANCE_YOUR_CALM);
    let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, &get("/200?1")));
    let empty = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, b""));
    assert_eq!(flood(begin.chain(empty)).await, ENHANCE_YOUR_CALM);
}

/// Hostile client 43: frames that ask for nothing, and mostly for an answer.
#[tokio::test(flavor = "multi_thread")]
async fn frames_that_ask_for_nothing() {
    let open = frame(HEADERS, END_HEADERS, 1, &get("/200?1"));
    for next in [
        frame(PING, 0, 0, b"anything"),
        frame(SETTINGS, 0, 0, b""),
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]),
        frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 0]),
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        frame(DATA, 0, 1, b""),
        frame(99, 0, 0, b""),
    ] {
        let frames = std::iter::once(open.clone()).chain((0..100_000).map(|_| next.clone()));
        assert_eq!(flood(frames).await, ENHANCE_YOUR_CALM, "kind {}", next[3]);
    }
}

/// Hostile client 43: a block that is small, and names a large field again and
/// again. No app sees it, whatever it comes to.
#[tokio::test(flavor = "multi_thread")]
async fn hpack_bomb() {
    let server = Test::serving("answers").start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    // Of 4000 octets, kept by the decoder, and then 8000 times its number.
    let large = [&b"\x40\x01x\x7f\xa1\x1e"[..], &[b'y'; 4000]].concat();
    let block = [get("/200?1"), large].concat();
    client
        .send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block))
        .await;
    let first = client.until(HEADERS).await.expect("it is within limits");
    assert_eq!(first.stream, 1);
    let block = [get("/200?1"), vec![0xbe; 8000]].concat();
    for n in 1..200u32 {
        let stream = 2 * n + 1;
        client
            .send(&frame(HEADERS, END_STREAM | END_HEADERS, stream, &block))
            .await;
        // Refused one by one, or all together.
        let refused = loop {
            match client.next().await {
                Some(frame) if frame.stream != stream => {}
                refused => break refused,
            }
        };
        if refused.is_none() {
            break;
        }
    }
    let answer = Client::http2(server.addr).await.get("/200?1").await;
    assert_eq!(answer.status, 200);
    let log = server.stop().await.access_log;
    assert_eq!(log.lines().count(), 2, "{log}");
}

/// Hostile client 40: a head that never ends is given up.
#[tokio::test(flavor = "multi_thread")]
async fn slow_headers() {
    let server = Test::serving("answers")
        .header_timeout("50ms")
        .start()
        .await;
    for begin in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        // Whether by an end or a reset: it is closed.
        let _ = stream.read_to_end(&mut received).await;
        assert!(!String::from_utf8_lossy(&received).contains("200 OK"));
    }
}
