//! Where its owner allows it, an instance serves again (`--reuse`): as often as was
//! said and no more, one request at a time, nobody else's, and never after it did
//! anything wrong.

use rhost::sandbox::{Details, Engines, SizeClass};
use rhost_tests::{Server, Test};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any test takes.
const LONG: &str = "1h";

fn remembers(requests: u32) -> Test {
    Test::serving("remembers").reuse(requests, LONG)
}

/// What `path` answers, over a connection of its own.
async fn text(server: &Server, path: &str) -> String {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.text().to_owned()
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let so = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), so).await;
    waited.unwrap_or_else(|_| panic!("never {what}"));
}

/// A request that is under way, and waits for the last octet of its body.
struct Suspended(TcpStream);

impl Suspended {
    async fn at(server: &Server, path: &str) -> Self {
        Suspended::asking(server, path, "\r\na").await
    }

    async fn asking(server: &Server, path: &str, rest: &str) -> Self {
        let mut stream = server.connect().await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 2\r\n{rest}"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Suspended(stream)
    }

    /// So many at a time. Each has an instance, which has begun to read.
    async fn several(server: &Server, path: &str, count: usize) -> Vec<Self> {
        let mut suspended = Vec::new();
        for _ in 0..count {
            let rest = "expect: 100-continue\r\n\r\n";
            suspended.push(Suspended::asking(server, path, rest).await);
        }
        for Suspended(stream) in &mut suspended {
            let mut begun = *b"HTTP/1.1 100 Continue\r\n\r\n";
            stream.read_exact(&mut begun).await.unwrap();
            assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream.write_all(b"a").await.unwrap();
        }
        assert_eq!(server.running(), count);
        suspended
    }

    /// What comes of it.
    async fn finish(mut self) -> String {
        self.0.write_all(b"b").await.unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
        // A guest that pauses at its end sends what it has in chunks.
        let is_chunked = head.contains("transfer-encoding: chunked");
        match is_chunked {
            true => body.split("\r\n").skip(1).step_by(2).collect(),
            false => body.to_owned(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_never() {
    let server = Test::serving("remembers").start().await;
    let mut client = server.client().await;
    for _ in 0..20 {
        assert_eq!(client.get("/").await.text(), "1");
        assert_eq!(client.get("/once").await.text(), "true");
    }
    assert_eq!(server.waiting(), 0);
}

/// Conformance 14.
#[tokio::test(flavor = "multi_thread")]
async fn as_often_as_was_said() {
    let server = remembers(3).start().await;
    let mut client = server.client().await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(client.get("/").await.text().to_owned());
    }
    assert_eq!(seen, ["1", "2", "3", "1", "2", "3", "1", "2"]);
    for _ in 0..4 {
        assert_eq!(client.get("/once").await.text(), "false");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_instance_has_two_requests_at_once() {
    let server = remembers(1_000_000).start().await;
    // All of these have waited once, and are taken again.
    for _ in 0..3 {
        let suspended = Suspended::several(&server, "/read", 12).await;
        let others = (0..4).map(|_| {
            let addr = server.addr;
            tokio::spawn(async move {
                let mut client = rhost_tests::Client::http1(addr).await;
                for _ in 0..50 {
                    let answer = client.get("/").await;
                    assert!(answer.text().parse::<u32>().is_ok(), "{answer:?}");
                }
            })
        });
        for other in others.collect::<Vec<_>>() {
            other.await.unwrap();
        }
        for request in suspended {
            let text = request.finish().await;
            assert!(text.parse::<u32>().is_ok(), "{text}");
        }
    }
    until("are all given back", || server.running() == 0).await;
    assert!(server.waiting() >= 12, "{} wait", server.waiting());
}

/// What was the last request's is closed, and this one's is its own.
#[tokio::test(flavor = "multi_thread")]
async fn handles_of_a_request_that_is_over_lead_nowhere() {
    let server = remembers(100).start().await;
    let mut client = server.client().await;
    for number in [1, 3] {
        assert_eq!(client.get("/keep").await.text(), number.to_string());
        let request = http::Request::post("/stale")
            .header("host", "test")
            .body("body".into())
            .unwrap();
        let answer = rhost_tests::Answer::read(client.send(request).await.unwrap()).await;
        assert_eq!(
            answer.text(),
            "Err(InputError::Incomplete) Err(OutputError::Closed) Err(OutputError::Closed) Ok(4)"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_failed_serves_no_other() {
    let server = remembers(100).cpu("100ms").start().await;
    let mut client = server.client().await;
    for (path, status) in [
        ("/trap", 500),
        ("/exit", 500),
        ("/fail", 500),
        ("/twice", 500),
        ("/nothing", 500),
        ("/spin", 504),
    ] {
        assert_eq!(client.get("/").await.text(), "1", "before {path}");
        assert_eq!(client.get("/").await.text(), "2", "before {path}");
        assert_eq!(client.get(path).await.status, status, "{path}");
        assert_eq!(server.waiting(), 0, "after {path}");
    }
    assert!(client.get("/short").await.cut);
    assert_eq!(server.waiting(), 0, "after /short");
    // A body may be too large, whatever the guest makes of that.
    let server = remembers(100).max_request_body("10B").start().await;
    for (chunk, waiting) in [("b\r\n12345678901", 0), ("a\r\n1234567890", 1)] {
        let head = "POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let request = format!("{head}{chunk}\r\n0\r\n\r\n");
        let answer = rhost_tests::Received::to(server.addr, request.as_bytes()).await;
        assert!(answer.text().ends_with("\r\n\r\n1"), "{}", answer.text());
        assert_eq!(server.waiting(), waiting);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_client_left_serves_no_other() {
    let server = remembers(100).start().await;
    let mut stream = Suspended::at(&server, "/stream").await.0;
    let mut begun = Vec::new();
    while !begun.ends_with(b"begun") {
        begun.push(stream.read_u8().await.unwrap());
    }
    stream.set_zero_linger().unwrap();
    drop(stream);
    until("is stopped", || server.running() == 0).await;
    assert_eq!(server.waiting(), 0);
    // While one that is streamed to its end is kept.
    assert!(
        Suspended::at(&server, "/stream")
            .await
            .finish()
            .await
            .contains("ended")
    );
    until("is given back", || server.waiting() == 1).await;
}

/// The limit is that of an instance's life; and what a guest forgets of what the host
/// keeps for it does not add up.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_leaked_ends_with_the_instance() {
    let server = remembers(1000).memory("16MiB").start().await;
    let mut client = server.client().await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = client.get("/memory").await;
        statuses.push(answer.status);
        if answer.status == 500 {
            assert_eq!(client.get("/").await.text(), "1");
        }
    }
    // Three times 4 MiB fit beside what it starts with.
    assert_eq!(statuses, [200, 200, 200, 500].repeat(3));

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let server = remembers(1000).dir(dir.path(), "/data", true).start().await;
    let mut client = server.client().await;
    for _ in 0..3 {
        // 150 files are more than an instance may hold on to.
        for number in ["1", "2", "3"] {
            assert_eq!(client.get("/files").await.text(), number);
        }
    }
    assert_eq!(client.get("/outputs").await.status, 200);
    assert_eq!(client.get("/").await.text(), "1");
}

/// The last line of a request is in the log, and under its own name.
#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_its_own_requests() {
    let server = remembers(100).start().await;
    let mut client = server.client().await;
    for _ in 0..2 {
        assert_eq!(client.get("/print").await.status, 200);
    }
    let stopped = server.stop().await;
    let lines: Vec<_> = stopped.log.lines().collect();
    let names: Vec<_> = stopped
        .access_log
        .lines()
        .map(|line| {
            line.rsplit(' ')
                .next()
                .expect("it ends in the request's name")
        })
        .collect();
    assert_eq!((lines.len(), names.len()), (2, 2), "{stopped:?}");
    for number in [0, 1] {
        let printed = format!("stderr: printed by {}, without an end", number + 1);
        assert!(lines[number].ends_with(&printed), "{stopped:?}");
        assert!(lines[number].contains(names[number]), "{stopped:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_too_old_goes_although_nobody_asks() {
    let server = Test::serving("remembers").reuse(1000, "30ms").start().await;
    for _ in 0..3 {
        let suspended = Suspended::several(&server, "/read", 4).await;
        for request in suspended {
            request.finish().await;
        }
        until("has grown old", || server.waiting() == 0).await;
    }
    assert_eq!(text(&server, "/").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_apps_nor_versions_share() {
    let test = || remembers(100).inside("it replaces an app and looks at the one before");
    let (one, other) = (test().start().await, test().start().await);
    assert_eq!(text(&one, "/").await, "1");
    assert_eq!(text(&other, "/").await, "1");
    assert_eq!((one.waiting(), other.waiting()), (1, 1));

    let last = one.app();
    let suspended = Suspended::at(&one, "/read").await;
    until("is under way", || last.running() == 1).await;
    one.replace(remembers(100)).await;
    assert_eq!(last.waiting(), 0);
    assert_eq!(text(&one, "/").await, "1");
    // It goes on in the last version, and is not kept for one that has gone.
    let number = suspended.finish().await;
    assert!(["1", "2"].contains(&number.as_str()), "{number}");
    until("is answered", || last.running() == 0).await;
    assert_eq!(last.waiting(), 0);
    assert_eq!(other.waiting(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_server_is_to_stop_none_is_kept() {
    let test = remembers(100).inside("it looks at the app of a server that stops");
    let server = test.start().await;
    let app = server.app();
    for request in Suspended::several(&server, "/read", 4).await {
        request.finish().await;
    }
    let suspended = Suspended::several(&server, "/read", 2).await;
    assert!(app.waiting() >= 2, "{} wait", app.waiting());
    let stopping = server.begin_stop();
    until("are gone", || app.waiting() == 0).await;
    for request in suspended {
        request.finish().await;
    }
    stopping.finish().await;
    assert_eq!(app.waiting(), 0);
}

/// Those that wait have the slots of the pool, and give them to whoever is to serve.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_never_costs_another_its_slot() {
    let loaded = tokio::task::spawn_blocking(|| {
        let engines = Engines::new(1, Details::Names).expect("engines start");
        Arc::new(rhost_tests::load_in(&engines, "image-remembers"))
    });
    let loaded = loaded.await.unwrap();
    assert_eq!(loaded.class, SizeClass::Large);
    let slots = SizeClass::Large.slots();
    let serve = |requests| {
        let test = Test::serving("image-remembers").loaded(loaded.clone());
        test.reuse(requests, LONG).queue_timeout("1s").start()
    };
    let (greedy, other, once) = (serve(100).await, serve(100).await, serve(1).await);
    fill(&greedy, slots).await;
    assert_eq!(greedy.waiting(), slots);
    assert_eq!(text(&once, "/").await, "1");
    assert_eq!(greedy.waiting(), slots - 1);
    fill(&other, slots).await;
    assert_eq!((greedy.waiting(), other.waiting()), (0, slots));
}

/// Has as many requests at a time as there are places, and waits for their end.
async fn fill(server: &Server, places: usize) {
    assert_eq!(server.app().places(), places);
    for request in Suspended::several(server, "/read", places).await {
        request.finish().await;
    }
    until("are given back", || server.running() == 0).await;
}

/// An interpreter is kept as any other guest is.
#[tokio::test(flavor = "multi_thread")]
async fn python_keeps_its_modules() {
    let Some(zoo) = Test::program("python") else {
        return;
    };
    let server = zoo.reuse(3, LONG).start().await;
    let mut client = server.client().await;
    let mut seen: Vec<serde_json::Value> = Vec::new();
    for _ in 0..6 {
        let answer = client.get("/surroundings").await;
        seen.push(serde_json::from_slice(&answer.body).expect("it is JSON"));
        // It is put back after its answer has left.
        until("is given back", || server.running() == 0).await;
    }
    let served: Vec<_> = seen.iter().map(|seen| seen["served"].as_u64()).collect();
    let first = served[0].expect("a number");
    let again = [first, first + 1, first + 2].map(Some);
    assert_eq!(served, [again, again].concat());
    for one in &seen {
        assert_eq!(one["environ"]["wsgi.run_once"], false);
        assert_eq!(one["environ"]["wsgi.multiprocess"], true);
        // Nothing of chance is the same in two requests, or in two instances.
        for what in ["random", "uuid", "secret"] {
            let same = seen.iter().filter(|other| other[what] == one[what]);
            assert_eq!(same.count(), 1, "{what}");
        }
    }
    // A request that fails takes its interpreter with it.
    assert_eq!(client.get("/surroundings").await.status, 200);
    until("is given back", || server.running() == 0).await;
    assert_eq!(client.get("/fails/raise").await.status, 500);
    assert_eq!(server.waiting(), 0);
}
