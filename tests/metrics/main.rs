//! Each limit and time-out that fires is counted, once, under its own reason.
//!
//! Counters are those of a process, so this one has a single test, which does one
//! thing after the other.

use rhost::metrics::{self, Event};
use rhost_tests::frames::{Frames, HEADERS, NO_WINDOW, PING, RST_STREAM, frame, request};
use rhost_tests::{Authority, Received, Server, Test};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &[u8] = b"GET /200?1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// The samples as whoever collects them reads them.
fn samples() -> BTreeMap<String, i64> {
    let text = rhost::exposition::render();
    // What belongs to apps, and to what they run in, has its own tests.
    let others = [
        "#",
        "rhost_app_",
        "rhost_pool_",
        "rhost_compile_",
        "rhost_code_",
        "rhost_sandbox_",
        // Of as many as there happen to be.
        "rhost_guests_moved",
    ];
    let lines = text
        .lines()
        .filter(|line| !others.iter().any(|other| line.starts_with(other)));
    lines
        .map(|line| line.rsplit_once(' ').expect("a name and a value"))
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
        .collect()
}

/// What was counted since `before`, but for connections as such.
fn since(before: &BTreeMap<String, i64>) -> Vec<(String, i64)> {
    samples()
        .into_iter()
        .map(|(name, value)| (name.clone(), value - before[&name]))
        .filter(|(name, more)| *more != 0 && !name.starts_with("rhost_connections_open"))
        .filter(|(name, _)| name != "rhost_connections_total")
        .collect()
}

/// What `doing` counts, which is something. A connection may have ended for its
/// client before the host has counted why.
async fn counted<T>(doing: impl Future<Output = T>) -> Vec<(String, i64)> {
    let before = samples();
    doing.await;
    let something = async {
        while since(&before).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(60), something).await;
    since(&before)
}

/// That `doing` counts one of these, and nothing else.
async fn counts<T>(sample: &str, doing: impl Future<Output = T>) {
    let sample = match sample.split_once(' ') {
        Some((name, reason)) => format!("{name}_total{{reason=\"{reason}\"}}"),
        None => format!("{sample}_total"),
    };
    assert_eq!(counted(doing).await, [(sample, 1)]);
}

/// Sends this, and reads until the host closes.
async fn send(server: &Server, octets: &[u8]) {
    Received::to(server.addr, octets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_counted() {
    heads().await;
    bodies().await;
    apps().await;
    instances().await;
    connections().await;
    http2().await;
    handshakes().await;
    accepting().await;
    spans().await;
    moves().await;
}

/// Hostile clients 42 and 46.
async fn heads() {
    let test = Test::serving("answers").max_header_fields(2);
    let server = test.max_header_size("1KiB").start().await;
    let refused = "rhost_requests_refused ";
    let head = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nhost: a\r\n{more}\r\n");
    let long = "x".repeat(9000);
    for (reason, head) in [
        ("request_line", head(&format!("GET /{long}"), "")),
        ("header_fields", head("GET /", "a: b\r\nc: d\r\n")),
        ("header_size", head("GET /", &format!("a: {long}\r\n"))),
        ("malformed", head("GET *", "")),
    ] {
        counts(
            &format!("{refused}{reason}"),
            send(&server, head.as_bytes()),
        )
        .await;
    }
    let before = samples();
    send(&server, GET).await;
    assert_eq!(since(&before), []);
    assert!(samples()["rhost_connections_total"] > before["rhost_connections_total"]);
}

async fn bodies() {
    let test = Test::serving("reads-body").body_timeout("50ms");
    let server = test.max_request_body("10B").start().await;
    let failed = "rhost_request_bodies_failed ";
    let post = |length: &str, body: &str| {
        format!("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{length}\r\n\r\n{body}")
    };
    for (reason, request) in [
        ("too_large", post("content-length: 11", "")),
        (
            "too_large",
            post(
                "transfer-encoding: chunked",
                "b\r\n12345678901\r\n0\r\n\r\n",
            ),
        ),
        ("timeout", post("content-length: 3", "a")),
        ("incomplete", post("transfer-encoding: chunked", "x\r\n")),
    ] {
        counts(
            &format!("{failed}{reason}"),
            send(&server, request.as_bytes()),
        )
        .await;
    }
}

async fn apps() {
    let failed = "rhost_requests_failed ";
    for (reason, test) in [
        ("cpu", Test::serving("spin-forever").cpu("50ms")),
        ("cpu", Test::serving("spin-after-headers").cpu("50ms")),
        ("timeout", Test::serving("sleep-forever").timeout("50ms")),
        ("memory", Test::serving("memory-hog").memory("16MiB")),
        (
            "response_body",
            Test::serving("endless-body").max_response_body("1MiB"),
        ),
        ("app", Test::serving("no-answer")),
    ] {
        counts(&format!("{failed}{reason}"), test.get("/")).await;
    }
    for (reason, queue) in [("queue", 0), ("queue_timeout", 1)] {
        let test = Test::serving("hangs").concurrency(1).queue(queue);
        let server = test.queue_timeout("20ms").start().await;
        let mut held = server.connect().await;
        let sleep = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
        held.write_all(sleep).await.unwrap();
        held.read_exact(&mut [0; 12]).await.unwrap();
        counts(&format!("{failed}{reason}"), server.get("/answer")).await;
    }
}

/// Where they are reused; elsewhere nothing is counted of them, as above.
async fn instances() {
    let remembers = |time| Test::serving("remembers").reuse(2, time);
    let dropped = "rhost_instances_dropped ";
    let server = remembers("1h").start().await;
    // One connection, and thus one lane.
    let mut client = server.client().await;
    counts("rhost_instances_made", client.get("/")).await;
    counts(&format!("{dropped}reuse"), client.get("/")).await;
    let expected = [
        "rhost_instances_dropped_total{reason=\"unfit\"}",
        "rhost_instances_made_total",
        "rhost_requests_failed_total{reason=\"app\"}",
    ];
    let trapped = counted(client.get("/trap")).await;
    assert_eq!(trapped, expected.map(|sample| (sample.to_owned(), 1)));
    counts("rhost_instances_made", client.get("/")).await;
    let replaced = server.replace(remembers("20ms"));
    counts(&format!("{dropped}replaced"), replaced).await;
    let times = metrics::counted(Event::InstanceAged) + 1;
    assert_eq!(client.get("/").await.status, 200);
    until(Event::InstanceAged, times).await;
    server.stop().await;
}

/// Hostile clients 40 and 45.
async fn connections() {
    let closed = "rhost_connections_closed ";
    let test = Test::serving("answers").header_timeout("50ms");
    let server = test.keep_alive("50ms").start().await;
    counts(&format!("{closed}header_timeout"), send(&server, b"GET /")).await;
    let kept = b"GET /200?1 HTTP/1.1\r\nhost: test\r\n\r\n";
    counts(&format!("{closed}keep_alive"), send(&server, kept)).await;

    let test = Test::serving("answers").max_requests_per_connection(1);
    let server = test.start().await;
    counts(&format!("{closed}max_requests"), send(&server, kept)).await;

    let test = Test::serving("hangs").write_timeout("50ms").concurrency(1);
    let server = test.queue_timeout("60s").start().await;
    let reads_nothing = async {
        let mut stream = server.connect().await;
        let write = b"GET /write HTTP/1.1\r\nhost: test\r\n\r\n";
        stream.write_all(write).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        // This one gets the place of a client that was given up.
        assert_eq!(server.get("/answer").await.status, 200);
        drop(stream);
    };
    counts(&format!("{closed}write_timeout"), reads_nothing).await;

    let test = Test::serving("hangs").half_close("50ms");
    let server = test.start().await;
    let ends_its_side = async {
        let mut stream = server.connect().await;
        let sleep = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
        stream.write_all(sleep).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    counts(&format!("{closed}half_close"), ends_its_side).await;

    let test = Test::serving("answers").max_connections_per_peer(1);
    let server = test.start().await;
    let mut held = server.client().await;
    assert_eq!(held.get("/200?1").await.status, 200);
    counts("rhost_connections_refused per_peer", send(&server, GET)).await;

    let server = Test::serving("answers").max_connections(1).start().await;
    let mut held = server.client().await;
    assert_eq!(held.get("/200?1").await.status, 200);
    assert!(samples()["rhost_connections_open"] > 0);
    let waits = async {
        let times = metrics::counted(Event::AcceptWaited) + 1;
        let mut stream = server.connect().await;
        stream.write_all(GET).await.unwrap();
        until(Event::AcceptWaited, times).await;
        assert!(stream.try_read(&mut [0]).is_err());
        held.leave();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with("block"), "{text}");
    };
    counts("rhost_accept_waits", waits).await;
}

/// Waits until it has happened so often.
async fn until(event: Event, times: u64) {
    while metrics::counted(event) < times {
        tokio::task::yield_now().await;
    }
}

/// Hostile clients 43 and 44.
async fn http2() {
    let reset = "rhost_http2_streams_reset ";
    for (reason, test) in [
        (
            "write_timeout",
            Test::serving("hangs").write_timeout("50ms"),
        ),
        ("timeout", Test::serving("hangs").timeout("50ms")),
    ] {
        let server = test.start().await;
        let takes_nothing = async {
            let mut client = Frames::connect(server.addr, NO_WINDOW).await;
            client.send(&request(1, "/write")).await;
            client.until(RST_STREAM).await.expect("a reset");
        };
        let mut expected = vec![(
            format!("rhost_http2_streams_reset_total{{reason=\"{reason}\"}}"),
            1,
        )];
        if reason == "timeout" {
            // The guest's limit was reached as well.
            expected.push(("rhost_requests_failed_total{reason=\"timeout\"}".into(), 1));
        }
        assert_eq!(counted(takes_nothing).await, expected);
    }

    let test = Test::serving("answers").max_requests_per_connection(1);
    let server = test.http2_max_streams(1).start().await;
    let goes_on = async {
        let mut client = Frames::connect(server.addr, b"").await;
        for stream in [1, 3] {
            client.send(&request(stream, "/200?0")).await;
            client.until(HEADERS).await.expect("an answer");
        }
        client.send(&request(5, "/200?0")).await;
        client.until(RST_STREAM).await.expect("a reset");
    };
    let counted = counted(goes_on).await;
    let spent = (
        "rhost_connections_closed_total{reason=\"max_requests\"}".into(),
        1,
    );
    let refused = (
        format!("{}_total{{reason=\"max_requests\"}}", reset.trim_end()),
        1,
    );
    assert_eq!(counted, [spent, refused]);

    let server = Test::serving("answers").start().await;
    let flood = "rhost_connections_closed http2_flood";
    let pings = (0..100_000).map(|_| frame(PING, 0, 0, b"anything"));
    let client = Frames::connect(server.addr, b"").await;
    counts(flood, client.flood(pings)).await;
    // This one h2 finds.
    let resets = (0..100_000u32).map(|n| {
        let reset = frame(RST_STREAM, 0, 2 * n + 1, &8u32.to_be_bytes());
        [request(2 * n + 1, "/200?1"), reset].concat()
    });
    let client = Frames::connect(server.addr, b"").await;
    counts(flood, client.flood(resets)).await;
}

/// No core is idle as long as a guest waits for one: of two on a connection, which is one
/// thread's, one goes to the other thread, and is answered over its own.
async fn moves() {
    let server = Test::serving("works").start().await;
    let moved = || {
        let text = rhost::exposition::render();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix("rhost_guests_moved_total "));
        line.expect("it is counted").parse::<u64>().unwrap()
    };
    let before = moved();
    let mut client = Frames::connect(server.addr, b"").await;
    let requests: Vec<u8> = [1, 3].map(|stream| request(stream, "/?100000")).concat();
    client.send(&requests).await;
    for _ in 0..2 {
        let head = client.until(HEADERS).await.expect("an answer");
        // Indexed in HPACK's table: 200.
        assert_eq!(head.payload[0], 0x88, "{head:?}");
    }
    assert!(moved() > before);
}

/// Hostile client 47.
async fn handshakes() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let test = Test::serving("answers").tls(files, None);
    let server = test.handshake_timeout("50ms").start().await;
    let failed = "rhost_tls_handshakes_failed ";
    counts(&format!("{failed}timeout"), send(&server, b"")).await;
    counts(&format!("{failed}error"), send(&server, GET)).await;
}

/// Spans that no collector takes.
async fn spans() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let unsent = async {
        let test = Test::serving("answers").otlp(&collector, 1.0);
        let server = test.start().await;
        send(&server, GET).await;
        server.stop().await;
    };
    counts("rhost_spans_dropped collector", unsent).await;
}

/// An accept that fails is tried again.
async fn accepting() {
    let server = Test::serving("answers").start().await;
    // What it opens when it first answers is open by now.
    send(&server, GET).await;
    let limit = getrlimit(Resource::Nofile);
    let spare = std::fs::File::open("/dev/null").unwrap();
    let next = std::os::fd::AsRawFd::as_raw_fd(&spare) as u64;
    drop(spare);
    let lowered = rustix::process::Rlimit {
        // Room for the client's end of the connection, and not for the host's.
        current: Some(next + 1),
        ..limit
    };
    setrlimit(Resource::Nofile, lowered).unwrap();
    let times = metrics::counted(Event::AcceptFailed) + 1;
    let mut stream = server.connect().await;
    until(Event::AcceptFailed, times).await;
    setrlimit(Resource::Nofile, limit).unwrap();
    stream.write_all(GET).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("block"), "{text}");
    assert!(samples()["rhost_accept_errors_total"] > 0);
}
