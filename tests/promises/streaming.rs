//! Blocks are sent as they are written, and arrive as they are sent (conformance
//! 30, 34; PEP 3333, "Buffering and Streaming").

use rhost_tests::Test;
use rhost_tests::frames::{Frames, HEADERS, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Reads until `end` has come.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        let mut octet = [0];
        stream.read_exact(&mut octet).await.expect("more comes");
        seen.push(octet[0]);
    }
    String::from_utf8(seen).unwrap()
}

/// Conformance 34.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_block_arrives_while_the_guest_runs() {
    let server = Test::serving("talks-back").start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    // The guest waits for a body of which nothing was sent: what arrives now was
    // not held until the end.
    let head = until(&mut stream, "ready\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    // Each block comes back before the next is sent.
    for word in ["one", "two", "three"] {
        stream
            .write_all(format!("{:x}\r\n{word}\r\n", word.len()).as_bytes())
            .await
            .unwrap();
        let echoed = until(&mut stream, &format!("{word}\r\n")).await;
        assert_eq!(echoed, format!("{:x}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(until(&mut stream, "0\r\n\r\n").await, "0\r\n\r\n");
}

/// Conformance 34.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_block_leaves_a_guest_that_does_not_give_way() {
    let server = Test::serving("spin-after-headers").start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    // At the latest at the next tick; the guest spins for as long as it is let.
    until(&mut stream, "begun\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_writes_no_faster_than_the_client_reads() {
    let server = Test::serving("endless-body").start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut some = vec![0; 1 << 20];
    stream.read_exact(&mut some).await.unwrap();
    drop(stream);
    // What was written but not read fits into the buffers of sockets and of hyper.
    let access = server.stop().await.access_log;
    let octets: u64 = access.split(' ').nth(6).unwrap().parse().unwrap();
    assert!(
        octets < 32 << 20,
        "{octets} octets were written for a client that read 1 MiB"
    );
}

/// What a guest wrote leaves while it keeps a processor, also of two that share a thread,
/// one of which goes to another.
#[tokio::test(flavor = "multi_thread")]
async fn no_block_is_held_for_as_long_as_a_guest_runs() {
    let server = Test::serving("hangs").start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    let requests: Vec<u8> = [1, 3, 5].map(|stream| request(stream, "/spin")).concat();
    client.send(&requests).await;
    for _ in 0..3 {
        let head = client.until(HEADERS).await.expect("an answer");
        // Indexed in HPACK's table: 200.
        assert_eq!(head.payload[0], 0x88, "{head:?}");
    }
    drop(client);
}
