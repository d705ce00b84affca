//! How many connections there may be, how long they are kept, and for how much
//! (hostile clients 44 and 45).

use http::Request;
use http_body_util::Full;
use rhost_tests::frames::{
    END_HEADERS, Frames, GOAWAY, HEADERS, NO_WINDOW, PING, PREFACE, RST_STREAM, SETTINGS, frame,
    request,
};
use rhost_tests::{Answer, Authority, Client, Server, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

/// The entry of SETTINGS with this number.
fn setting(payload: &[u8], number: u16) -> Option<u32> {
    let mut entries = payload.chunks(6);
    let entry = entries.find(|entry| entry[..2] == number.to_be_bytes())?;
    Some(u32::from_be_bytes(entry[2..].try_into().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_kept_and_not_used_is_closed() {
    let test = Test::serving("answers").keep_alive("50ms");
    let server = test.start().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /200?1 HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    // It ends in order, after the answer.
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("\r\n\r\nblock"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_it_is_told_first() {
    let test = Test::serving("answers").keep_alive("50ms");
    let server = test.header_timeout("50ms").start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    client.send(&request(1, "/200?1")).await;
    assert!(client.until(HEADERS).await.is_some());
    let told = client.until(GOAWAY).await.expect("it is told");
    assert_eq!(told.code(), 0, "NO_ERROR");
    // It does not answer the PING that asks whether it has heard.
    while client.next().await.is_some() {}
}

/// Hostile client 40, over HTTP/2, in the clear and under TLS.
#[tokio::test(flavor = "multi_thread")]
async fn over_http2_silence_is_given_up() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let plain = Test::serving("answers").header_timeout("50ms");
    let plain = plain.start().await;
    let tls = Test::serving("answers").tls(files, None);
    let tls = tls.header_timeout("50ms").start().await;
    let settings = frame(SETTINGS, 0, 0, b"");
    // A head that does not go on, as well.
    let head = frame(HEADERS, 0, 1, b"\x82\x86");
    for begin in [
        b"PRI * HTT".to_vec(),
        PREFACE.to_vec(),
        [PREFACE, &settings].concat(),
        [PREFACE, &settings, &head].concat(),
    ] {
        let mut stream = plain.connect().await;
        stream.write_all(&begin).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        let stream = authority.connect(tls.addr, "one.test", &["h2"], None);
        let mut stream = stream.await.unwrap();
        stream.write_all(&begin).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_no_use_of_a_connection() {
    let test = Test::serving("answers").keep_alive("50ms");
    let test = test.http2_max_control_frames(u32::MAX);
    let server = test.header_timeout("50ms").start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    client.send(&request(1, "/200?1")).await;
    let mut is_told = false;
    loop {
        client.send(&frame(PING, 0, 0, b"anything")).await;
        match client.next().await {
            Some(frame) => is_told |= frame.kind == GOAWAY && frame.code() == 0,
            None => break,
        }
    }
    assert!(is_told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_request_of_a_connection_ends_it() {
    let test = Test::serving("answers").max_requests_per_connection(2);
    let server = test.start().await;
    let mut stream = server.connect().await;
    let request = b"GET /200?1 HTTP/1.1\r\nhost: test\r\n\r\n";
    stream.write_all(&request.repeat(3)).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    let (first, last) = text.split_once("block").unwrap();
    assert!(!first.contains("connection: close"), "{text}");
    assert!(last.contains("connection: close"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_the_last_request_is_told() {
    let test = Test::serving("answers").max_requests_per_connection(2);
    let server = test.http2_max_streams(1).start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    let mut told = None;
    for stream in [1, 3] {
        client.send(&request(stream, "/200?0")).await;
        loop {
            let frame = client.next().await.expect("an answer");
            match frame.kind {
                HEADERS => break assert_eq!(frame.stream, stream),
                GOAWAY => told = Some((stream, frame.code())),
                _ => {}
            }
        }
    }
    let told = match told {
        Some(told) => told,
        None => (3, client.until(GOAWAY).await.expect("it is told").code()),
    };
    assert_eq!(told, (3, 0), "NO_ERROR with the last");
    // What was on its way is answered; one that does not heed it gets no more.
    let mut refused = None;
    for stream in [5, 7] {
        client.send(&request(stream, "/200?0")).await;
        refused = loop {
            let frame = client.next().await.expect("an answer");
            if frame.stream == stream {
                break Some(frame);
            }
        };
    }
    let refused = refused.unwrap();
    assert_eq!((refused.kind, refused.code()), (RST_STREAM, REFUSED_STREAM));
}

/// Whether a connection of its own is answered.
async fn is_answered(server: &Server) -> bool {
    let mut stream = server.connect().await;
    let request = b"GET /200?1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let mut text = Vec::new();
    let _ = stream.write_all(request).await;
    let _ = stream.read_to_end(&mut text).await;
    text.starts_with(b"HTTP/1.1 200")
}

/// Hostile client 45.
#[tokio::test(flavor = "multi_thread")]
async fn one_peer_has_so_many() {
    let test = Test::serving("answers").max_connections_per_peer(2);
    let server = test.start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = server.client().await;
        assert_eq!(client.get("/200?1").await.status, 200);
        held.push(client);
    }
    for _ in 0..10 {
        assert!(!is_answered(&server).await);
    }
    for mut client in held {
        assert_eq!(client.get("/200?1").await.status, 200);
        client.leave();
    }
    // The host hears of it at some moment after that.
    while !is_answered(&server).await {}
}

/// Hostile client 45: those beyond the most wait, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_in_all() {
    let server = Test::serving("answers").max_connections(2).start().await;
    let mut held = [server.client().await, server.client().await];
    for client in &mut held {
        assert_eq!(client.get("/200?1").await.status, 200);
    }
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        let request = b"GET /200?1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        waiting.push(stream);
    }
    for client in &mut held {
        assert_eq!(client.get("/200?1").await.status, 200);
    }
    for stream in &waiting {
        assert!(stream.try_read(&mut [0]).is_err(), "it has to wait");
    }
    held.into_iter().for_each(Client::leave);
    for mut stream in waiting {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with("block"), "{text}");
    }
}

/// Hostile client 44: an answer of which nothing may be sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_stays_shut() {
    let test = Test::serving("answers").write_timeout("50ms");
    let server = test.start().await;
    let mut client = Frames::connect(server.addr, NO_WINDOW).await;
    // All of it is there, or its guest still makes it.
    for (stream, path) in [(1, "/200?1"), (3, "/200?9")] {
        client.send(&request(stream, path)).await;
        let reset = client.until(RST_STREAM).await.expect("a reset");
        assert_eq!((reset.stream, reset.code()), (stream, CANCEL));
    }
    // Its connection goes on for who asks for something else, and ends soon for who does not.
    client.send(&request(5, "/204?0")).await;
    assert_eq!(client.until(HEADERS).await.expect("an answer").stream, 5);
    client.send(&request(7, "/200?1")).await;
    let reset = client.until(RST_STREAM).await.expect("a reset");
    assert_eq!((reset.stream, reset.code()), (7, CANCEL));
    assert!(client.until(GOAWAY).await.is_some());
    while client.next().await.is_some() {}
}

/// Hostile client 44: its guest is stopped, and gives back its place.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_window_that_stays_shut_no_guest_is_held() {
    let hangs = || Test::serving("hangs").concurrency(1).queue_timeout("30s");
    for (test, said) in [
        (hangs().write_timeout("50ms"), ""),
        (
            hangs().timeout("50ms"),
            "time limit of 50ms reached (--timeout)",
        ),
    ] {
        let server = test.start().await;
        let mut client = Frames::connect(server.addr, NO_WINDOW).await;
        client.send(&request(1, "/write")).await;
        let reset = client.until(RST_STREAM).await.expect("a reset");
        assert_eq!((reset.stream, reset.code()), (1, CANCEL));
        assert_eq!(server.get("/answer").await.status, 200);
        drop(client);
        let log = server.stop().await.log;
        assert!(log.contains(said), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_streams_and_so_large_windows() {
    let test = Test::serving("hangs").http2_max_streams(1);
    let server = test.http2_window(70_000).start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    let settings = client.until(SETTINGS).await.unwrap().payload;
    assert_eq!(setting(&settings, 3), Some(1), "MAX_CONCURRENT_STREAMS");
    assert_eq!(setting(&settings, 4), Some(70_000), "INITIAL_WINDOW_SIZE");
    client.send(&request(1, "/sleep")).await;
    client.until(HEADERS).await.expect("it has begun");
    client.send(&request(3, "/answer")).await;
    let reset = client.until(RST_STREAM).await.expect("a reset");
    assert_eq!((reset.stream, reset.code()), (3, REFUSED_STREAM));
}

/// A request whose body is not there yet is in use, however long it takes.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_being_answered_is_kept() {
    let test = Test::serving("talks-back").keep_alive("20ms");
    let server = test.header_timeout("20ms").start().await;
    let mut client = Frames::connect(server.addr, b"").await;
    let block = [&b"\x83\x86\x84\x41\x04test"[..]].concat();
    client.send(&frame(HEADERS, END_HEADERS, 1, &block)).await;
    let mut h1 = TcpStream::connect(server.addr).await.unwrap();
    h1.write_all(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 6\r\n\r\none")
        .await
        .unwrap();
    // Another connection comes and goes in the same time, and more.
    for _ in 0..3 {
        let mut idle = server.connect().await;
        let _ = idle.read_to_end(&mut Vec::new()).await;
    }
    client.send(&frame(0, 1, 1, b"all")).await;
    assert!(client.until(HEADERS).await.is_some());
    h1.write_all(b"two").await.unwrap();
    let mut text = String::new();
    h1.read_to_string(&mut text).await.unwrap();
    assert!(
        text.contains("two") && text.ends_with("0\r\n\r\n"),
        "{text}"
    );
}

/// A client of a library finds nothing odd in any of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_heeds_the_goaway_loses_nothing() {
    let test = Test::serving("answers").max_requests_per_connection(3);
    let server = test.start().await;
    let mut answered = 0;
    while answered < 10 {
        let mut client = Client::http2(server.addr).await;
        for _ in 0..3 {
            let request = Request::get("http://test/200?1").body(Full::default());
            let response = client.send(request.unwrap()).await.expect("an answer");
            assert_eq!(Answer::read(response).await.text(), "block");
            answered += 1;
        }
    }
}
