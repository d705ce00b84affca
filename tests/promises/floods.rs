//! Clients that keep the host busy with what is no request (hostile clients 40 and
//! 43).

use rhost_tests::{Client, Server, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET http://test/` as HPACK has it (RFC 7541, appendix A): three indexed
/// fields, and `:authority` in full.
const GET: &[u8] = b"\x82\x86\x84\x41\x04test";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Sends the frames until the host has had enough; the code of its GOAWAY.
async fn flood(server: &Server, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    let mut stream = server.connect().await;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, b"")).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut received = Vec::new();
    let send = async {
        for frame in frames {
            if writing.write_all(&frame).await.is_err() {
                return;
            }
        }
        // A host that has had enough closes; this one would be waited for.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = reading.read_to_end(&mut received) => {}
        () = send => {}
    }
    let _ = reading.read_to_end(&mut received).await;
    let mut rest = &received[..];
    while let [l0, l1, l2, kind, _, _, _, _, _, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        let payload = after.get(..length)?;
        if *kind == GOAWAY {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        rest = &after[length..];
    }
    None
}

/// Hostile client 43: requests that are taken back as soon as they are made.
#[tokio::test(flavor = "multi_thread")]
async fn rapid_reset() {
    let server = Test::serving("answers").start().await;
    let frames = (0..100_000u32).map(|n| {
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, GET);
        let reset = frame(RST_STREAM, 0, 2 * n + 1, &8u32.to_be_bytes());
        [request, reset].concat()
    });
    let code = flood(&server, frames).await;
    assert_eq!(code, Some(11), "ENHANCE_YOUR_CALM");
    assert_eq!(
        Client::http2(server.addr).await.get("/200?1").await.status,
        200
    );
}

/// Hostile client 43: a block of fields that does not end.
#[tokio::test(flavor = "multi_thread")]
async fn continuation() {
    let server = Test::serving("answers").start().await;
    let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, GET));
    // A field of its own each, never indexed.
    let more = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, b"\x10\x01x\x01y"));
    let code = flood(&server, begin.chain(more)).await;
    assert_eq!(code, Some(11), "ENHANCE_YOUR_CALM");
    assert_eq!(
        Client::http2(server.addr).await.get("/200?1").await.status,
        200
    );
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
