//! Nothing of one request is visible in the next (hostile guests 26).

use rhost_tests::Test;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_requests_find_no_trace() {
    let server = Test::serving("leaves-traces").start().await;
    let rounds = (0..4).map(|_| {
        let addr = server.addr;
        tokio::spawn(async move {
            let mut client = rhost_tests::Client::http1(addr).await;
            for _ in 0..25_000 {
                assert_eq!(client.get("/").await.text(), "visits 0, statics 0, marks 0");
            }
        })
    });
    for round in rounds.collect::<Vec<_>>() {
        round.await.unwrap();
    }
}
