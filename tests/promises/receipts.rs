//! Every request leaves a receipt: in the access log, and for who is trusted in the
//! field Server-Timing.

use http::Request;
use rhost::access_log::Format;
use rhost_tests::{Server, Test};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The receipts in the access log of a server that stops.
async fn receipts(server: Server) -> Vec<Value> {
    let log = server.stop().await.access_log;
    let lines = log.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect()
}

fn logging(guest: &str) -> Test {
    Test::serving(guest).access_log_format(Format::Json)
}

fn number(receipt: &Value, name: &str) -> u64 {
    let value = receipt[name].as_u64();
    value.unwrap_or_else(|| panic!("no {name} in {receipt}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_a_request_cost() {
    let server = logging("echoes").start().await;
    let body = "x".repeat(100_000);
    let answer = server.request(Request::post("/"), body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = answer.body.len() as u64;
    let receipts = receipts(server).await;
    let [receipt] = receipts.as_slice() else {
        panic!("one receipt: {receipts:?}");
    };
    assert_eq!(number(receipt, "received"), body.len() as u64);
    assert_eq!(number(receipt, "octets"), sent);
    // start-response, the reads and the writes.
    assert!(number(receipt, "host_calls") >= 4, "{receipt}");
    // Pages, and some elements of tables.
    let (memory, page) = (number(receipt, "memory"), 64 << 10);
    assert!(memory >= page && memory % page < 4096, "{receipt}");
    assert!(memory.is_multiple_of(8), "{receipt}");
    assert_eq!(number(receipt, "queue_micros"), 0);
    let wall = number(receipt, "micros");
    assert!(number(receipt, "cpu_micros") + number(receipt, "start_micros") > 0);
    assert!(number(receipt, "cpu_micros") <= wall, "{receipt}");
    assert!(number(receipt, "start_micros") <= wall, "{receipt}");
}

/// The receipt of a guest that is stopped has what it took until then.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_pays_as_well() {
    let server = logging("spin-forever").cpu("30ms").start().await;
    assert_eq!(server.get("/").await.status, 504);
    let receipt = &receipts(server).await[0];
    assert!(number(receipt, "cpu_micros") >= 30_000, "{receipt}");

    let server = logging("memory-hog").memory("16MiB").start().await;
    assert_eq!(server.get("/").await.status, 500);
    let receipt = &receipts(server).await[0];
    let memory = number(receipt, "memory");
    assert!(memory > 1 << 20 && memory <= 16 << 20, "{receipt}");
}

/// One whose client leaves pays for what it took, with the status that such a client
/// has.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_left_pays_as_well() {
    let server = logging("hangs").start().await;
    let mut client = server.connect().await;
    let ask = b"GET /write HTTP/1.1\r\nhost: test\r\n\r\n";
    client.write_all(ask).await.unwrap();
    client.read_exact(&mut [0; 12]).await.unwrap();
    drop(client);
    let receipt = &receipts(server).await[0];
    assert_eq!(receipt["status"], 200);
    assert!(number(receipt, "host_calls") > 1, "{receipt}");
    assert!(number(receipt, "octets") > 0, "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_place_has_it_on_the_receipt() {
    let server = logging("hangs").concurrency(1).start().await;
    let mut held = server.connect().await;
    let ask = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
    held.write_all(ask).await.unwrap();
    held.read_exact(&mut [0; 12]).await.unwrap();
    let (answer, ()) = tokio::join!(server.get("/answer"), async {
        while server.queued() == 0 {
            tokio::task::yield_now().await;
        }
        drop(held);
    });
    assert_eq!(answer.status, 200);
    let receipts = receipts(server).await;
    assert_eq!(receipts.len(), 2);
    for receipt in &receipts {
        let has_waited = number(receipt, "queue_micros") > 0;
        assert_eq!(has_waited, receipt["target"] == "/answer", "{receipt}");
    }
}

/// Who gets to no sandbox uses nothing, and the receipt claims nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_pays_nothing() {
    let server = logging("answers").mount("/shop").start().await;
    assert_eq!(server.get("/elsewhere").await.status, 404);
    let receipt = &receipts(server).await[0];
    for name in [
        "cpu_micros",
        "start_micros",
        "memory",
        "received",
        "host_calls",
    ] {
        assert_eq!(receipt[name], Value::Null, "{receipt}");
    }
    assert!(receipt["micros"].is_u64(), "{receipt}");
}

/// An instance that has served before is not made again, and its memory is counted
/// all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_kept_is_not_started_twice() {
    let server = logging("remembers").reuse(2, "1h").start().await;
    let mut client = server.client().await;
    for _ in 0..2 {
        assert_eq!(client.get("/").await.status, 200);
    }
    client.leave();
    let receipts = receipts(server).await;
    assert_eq!(number(&receipts[1], "start_micros"), 0);
    assert!(number(&receipts[1], "memory") >= number(&receipts[0], "memory"));
}

fn is_timing(field: &str) -> bool {
    let names: Vec<_> = field
        .split(", ")
        .filter_map(|metric| metric.split_once(";dur="))
        .filter(|(_, duration)| duration.parse::<f64>().is_ok())
        .map(|(name, _)| name)
        .collect();
    names == ["queue", "start", "cpu", "wall"]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_trusted_is_told() {
    let server = Test::serving("answers").start().await;
    let answer = server.get("/200?1").await;
    assert_eq!(answer.field("server-timing"), "");
    // Whoever says that he comes through a proxy is not one.
    let forged = Request::get("/200?1").header("x-forwarded-for", "127.0.0.1");
    let answer = server.request(forged, "").await;
    assert_eq!(answer.field("server-timing"), "");

    let server = Test::serving("answers")
        .trusted_proxy("127.0.0.1")
        .start()
        .await;
    for path in ["/200?1", "/200?0"] {
        let answer = server.get(path).await;
        let field = answer.field("server-timing");
        assert!(is_timing(field), "{field}");
    }
    // The host's own pages as well.
    let test = Test::serving("no-answer").trusted_proxy("127.0.0.1");
    let answer = test.get("/").await;
    assert_eq!(answer.status, 500);
    assert!(is_timing(answer.field("server-timing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_told() {
    let server = Test::serving("answers").dev().start().await;
    let mine = Request::get("/200?1").header("host", "localhost");
    let mut client = server.client().await;
    let request = mine.body(http_body_util::Full::default()).unwrap();
    let response = client.send(request).await.unwrap();
    let field = response.headers()["server-timing"].to_str().unwrap();
    assert!(is_timing(field), "{field}");
    // By another name it may be a page of somebody's who means this address.
    let answer = server.get("/200?1").await;
    assert_eq!(answer.field("server-timing"), "");
}
