//! Told to stop, the host accepts no more, lets requests finish within the grace
//! period, and cuts the rest.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost::worker::Drained;
use rhost_tests::{Client, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_finish() {
    let server = Test::serving("talks-back").start().await;
    let addr = server.addr;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 6\r\n\r\none")
        .await
        .unwrap();
    let mut received = vec![0; 4096];
    let mut seen = String::new();
    while !seen.contains("one") {
        let n = stream.read(&mut received).await.unwrap();
        seen += std::str::from_utf8(&received[..n]).unwrap();
    }
    let stopping = server.begin_stop();
    // The socket is closed at some moment after that.
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"two").await.unwrap();
    let mut rest = String::new();
    stream
        .read_to_string(&mut rest)
        .await
        .expect("the answer ends, and then the connection");
    assert!(
        rest.contains("two") && rest.ends_with("0\r\n\r\n"),
        "{rest}"
    );
    assert_eq!(stopping.finish().await.drained, Drained::Whole);
}

/// Asks until an answer says that it is the last: the end is known to a connection's
/// thread at some moment after the server was told.
async fn until_last(client: &mut Client) {
    while client.get("/200?1").await.field("connection") != "close" {}
}

/// A request may be on its way while the host is told to stop: each that comes on
/// an idle connection is answered, until an answer says that it is the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_on_an_idle_connection_is_answered() {
    let server = Test::serving("answers").start().await;
    let addr = server.addr;
    let mut client = server.client().await;
    // Nothing was ever asked on this one.
    let mut fresh = server.client().await;
    client.get("/200?1").await;
    let stopping = server.begin_stop();
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    tokio::join!(until_last(&mut client), until_last(&mut fresh));
    assert_eq!(stopping.finish().await.drained, Drained::Whole);
}

/// What was asked before is answered after, and the last answer says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_in_flight_says_that_it_is_the_last() {
    let server = Test::serving("reads-body").start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n",
        )
        .await
        .unwrap();
    // The guest reads.
    let mut received = [0; 25];
    stream.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"HTTP/1.1 100 Continue\r\n\r\n");
    // There are two threads, and a connection goes to the one that has fewer: each
    // has one of these.
    let (mut one, mut other) = (server.client().await, server.client().await);
    let stopping = server.begin_stop();
    tokio::join!(until_last(&mut one), until_last(&mut other));
    // The next one comes with the rest, and is not answered; the answer before it
    // is not taken back on its account.
    stream
        .write_all(b"abcGET / HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.contains("connection: close\r\n"), "{answers}");
    assert_eq!(stopping.finish().await.drained, Drained::Whole);
}

/// A client over HTTP/2 is told which of its requests count (RFC 9113, section
/// 6.8), and those are answered; one that says nothing is not waited for.
#[tokio::test(flavor = "multi_thread")]
async fn over_http2_the_client_is_told() {
    let server = Test::serving("answers").grace("20s").start().await;
    let mut silent = server.connect().await;
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut client = rhost_tests::Client::http2(server.addr).await;
    assert_eq!(client.get("/200?1").await.status, 200);
    let mut frames = Vec::new();
    // Its settings are there, so that it is known by now to speak HTTP/2.
    while frames.len() < 9 {
        silent.read_buf(&mut frames).await.unwrap();
    }
    let stopped = server.stop().await;
    assert_eq!(stopped.drained, Drained::Whole);
    silent.read_to_end(&mut frames).await.unwrap();
    let mut kinds = Vec::new();
    let mut rest = &frames[..];
    while let [a, b, c, kind, ..] = *rest {
        kinds.push(kind);
        rest = &rest[9 + u32::from_be_bytes([0, a, b, c]) as usize..];
    }
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;
    assert!(
        kinds.contains(&GOAWAY) && kinds.contains(&PING),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_closed() {
    let server = Test::serving("answers").start().await;
    let mut client = server.client().await;
    client.get("/200?1").await;
    let _silent = server.connect().await;
    let stopped = server.stop().await;
    assert_eq!(stopped.drained, Drained::Whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_finish_is_cut() {
    for path in ["/sleep", "/spin", "/write"] {
        // No other limit ends it before the grace does, however busy the machine is.
        let hangs = Test::serving("hangs").cpu("10m").timeout("10m");
        let server = hangs.grace("50ms").start().await;
        let mut client = server.client().await;
        let request = Request::get(path)
            .header("host", "test")
            .body(Full::default())
            .unwrap();
        let mut response = client.send(request).await.unwrap();
        response.body_mut().frame().await.expect("begun").unwrap();
        assert_eq!(server.stop().await.drained, Drained::Cut, "{path}");
    }
}
