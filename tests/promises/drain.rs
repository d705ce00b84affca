//! Told to stop, the host accepts no more, lets requests finish within the grace
//! period, and cuts the rest.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost::worker::Drained;
use rhost_tests::Test;
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
        let server = Test::serving("hangs").grace("50ms").start().await;
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
