//! Each limit stops the guest that reaches it, says so in the log with its value
//! and setting, and nothing else stops (hostile guests 1-5, 8, 15, 20).

use rhost_tests::Test;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

#[tokio::test(flavor = "multi_thread")]
async fn time_on_a_cpu() {
    for guest in ["spin-forever", "spin-at-start", "spin-in-host-calls"] {
        let answer = Test::serving(guest).cpu("50ms").get("/").await;
        assert_eq!(answer.status, 504, "{guest}");
        assert!(
            answer.log.contains("CPU limit of 50ms reached (--cpu)"),
            "{guest}: {}",
            answer.log
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_on_the_clock() {
    for guest in [
        "spin-forever",
        "sleep-forever",
        "spin-at-start",
        "spin-in-host-calls",
    ] {
        let answer = Test::serving(guest).timeout("50ms").get("/").await;
        assert_eq!(answer.status, 504, "{guest}");
        assert!(
            answer
                .log
                .contains("time limit of 50ms reached (--timeout)"),
            "{guest}: {}",
            answer.log
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sleeping_costs_no_time_on_a_cpu() {
    let answer = Test::serving("sleep-forever")
        .cpu("20ms")
        .timeout("100ms")
        .get("/")
        .await;
    assert!(answer.log.contains("time limit of 100ms"), "{}", answer.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_after_the_headers_cuts_the_answer() {
    for test in [
        Test::serving("spin-after-headers").cpu("50ms"),
        Test::serving("spin-after-headers").timeout("50ms"),
    ] {
        let answer = test.get("/").await;
        assert_eq!(
            (answer.status, answer.text(), answer.cut),
            (200, "begun", true)
        );
        assert!(
            answer.log.contains("limit of 50ms reached"),
            "{}",
            answer.log
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_beside_an_endless_loop() {
    let server = Test::serving("hangs").start().await;
    let mut stuck = Vec::new();
    for _ in 0..4 {
        let mut client = server.client().await;
        let request = http::Request::get("/spin")
            .header("host", "test")
            .body(Default::default())
            .unwrap();
        stuck.push((client.send(request).await.expect("begun"), client));
    }
    let mut client = server.client().await;
    for _ in 0..20 {
        assert_eq!(client.get("/answer").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory() {
    let answer = Test::serving("memory-hog").memory("16MiB").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer
            .log
            .contains("memory limit of 16 MiB reached (--memory)"),
        "{}",
        answer.log
    );
    // A guest that takes a refusal well is let go on.
    let answer = Test::serving("memory-modest")
        .memory("16MiB")
        .get("/")
        .await;
    let got: u32 = answer.text().parse().unwrap();
    assert!((12..16).contains(&got), "{got} MiB of 16");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack() {
    let answer = Test::serving("recurses").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.log.contains("trapped: "), "{}", answer.log);
    assert!(
        answer.log.contains("deeper"),
        "the backtrace names the function: {}",
        answer.log
    );
    let answer = Test::serving("recurses").get("/calls").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.log.contains("stack limit of 512 KiB reached"),
        "{}",
        answer.log
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_an_answer() {
    let answer = Test::serving("endless-body")
        .max_response_body("1MiB")
        .get("/")
        .await;
    assert_eq!(
        (answer.status, answer.cut, answer.body.len()),
        (200, true, 1 << 20)
    );
    assert!(
        answer
            .log
            .contains("response limit of 1 MiB reached (--max-response-body)"),
        "{}",
        answer.log
    );
}

/// What a cut answer was up to its cut comes to a client that reads slowly, too.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_cut_answer_arrives() {
    let server = Test::serving("endless-body")
        .max_response_body("1MiB")
        .start()
        .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 512];
    // A reset says as well that this was not all.
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..length]);
        tokio::task::yield_now().await;
    }
    let body = answer.iter().filter(|octet| **octet == b'x').count();
    assert!(body >= 1 << 20, "{body} octets of 1 MiB");
    let log = server.stop().await.log;
    assert!(log.contains("response limit of 1 MiB reached"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_of_an_answer() {
    let answer = Test::serving("header-flood").get("/").await;
    assert_eq!(answer.text(), "Some(StartError::HeadersTooLarge(65536))");
}

/// Hostile client 40.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing() {
    let server = Test::serving("hangs")
        .concurrency(1)
        .write_timeout("50ms")
        .queue_timeout("30s")
        .start()
        .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /write HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();
    // It stays, and reads no more; the only place is free all the same.
    assert_eq!(server.get("/answer").await.status, 200);
    drop(stream);
}
