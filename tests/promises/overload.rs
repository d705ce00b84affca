//! Overload queues, then sheds, and never errors at random (design: decision 5).

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::{Client, Server, Test};

/// Takes a place, and keeps it until the client is dropped.
async fn occupy(server: &Server) -> (Client, hyper::Response<hyper::body::Incoming>) {
    let mut client = server.client().await;
    let request = Request::get("/sleep")
        .header("host", "test")
        .body(Full::default())
        .unwrap();
    let mut response = client.send(request).await.unwrap();
    response.body_mut().frame().await.expect("begun").unwrap();
    (client, response)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_queue_it_sheds_at_once() {
    let server = Test::serving("hangs").concurrency(2).queue(0).start().await;
    let _held = (occupy(&server).await, occupy(&server).await);
    let answer = server.get("/answer").await;
    assert_eq!((answer.status, answer.field("retry-after")), (503, "1"));
    let log = server.begin_stop();
    drop(_held);
    let log = log.finish().await.log;
    assert!(
        log.contains("every place is taken and the queue is full (--concurrency, --queue)"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_does_not_come_is_not_waited_for_longer() {
    let server = Test::serving("hangs")
        .concurrency(1)
        .queue(1)
        .queue_timeout("20ms")
        .start()
        .await;
    let _held = occupy(&server).await;
    let answer = server.get("/answer").await;
    assert_eq!((answer.status, answer.field("retry-after")), (503, "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_gets_the_next_place() {
    let server = Test::serving("hangs")
        .concurrency(1)
        .queue(1)
        .queue_timeout("30s")
        .start()
        .await;
    let held = occupy(&server).await;
    let addr = server.addr;
    let waiting =
        tokio::spawn(async move { Client::http1(addr).await.get("/answer").await.status });
    drop(held);
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_places_are_all_answered() {
    let server = Test::serving("answers").concurrency(2).start().await;
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let addr = server.addr;
            tokio::spawn(async move {
                let mut client = Client::http1(addr).await;
                for _ in 0..20 {
                    assert_eq!(client.get("/200?2").await.text(), "blockblock");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}
