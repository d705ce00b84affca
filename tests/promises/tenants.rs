//! Tenants who share a process, and what one of them can do to another.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::frames::{Frames, HEADERS, request};
use rhost_tests::{Client, Fleet};
use tokio::task::JoinHandle;

const TENANTS: &str = r#"
[tenants.greedy]
concurrency = 2
queue = 1
queue-timeout = "30s"
[tenants.modest]
concurrency = 2
[apps.one]
component = "hangs.wasm"
tenant = "greedy"
hosts = ["one.greedy.test"]
[apps.two]
component = "hangs.wasm"
tenant = "greedy"
hosts = ["two.greedy.test"]
[apps.shop]
component = "hangs.wasm"
tenant = "modest"
hosts = ["modest.test"]
"#;

type Held = (Client, hyper::Response<hyper::body::Incoming>);

/// Takes a place, and keeps it until the client is dropped.
async fn occupy(fleet: &Fleet, host: &str) -> Held {
    let mut client = fleet.server.client().await;
    let request = Request::get("/sleep").header("host", host);
    let request = request.body(Full::default()).unwrap();
    let mut response = client.send(request).await.unwrap();
    response.body_mut().frame().await.expect("begun").unwrap();
    (client, response)
}

/// Conformance 50: its share is over all its apps, and nobody else is told to wait.
#[tokio::test(flavor = "multi_thread")]
async fn who_saturates_its_share_is_shed_and_nobody_else() {
    let mut fleet = Fleet::start(&["hangs"], TENANTS).await;
    let first = occupy(&fleet, "one.greedy.test").await;
    let second = occupy(&fleet, "two.greedy.test").await;
    // One may wait, and no other one.
    let addr = fleet.server.addr;
    let wait = move |host: &'static str| {
        tokio::spawn(async move {
            let mut client = Client::http1(addr).await;
            let request = Request::get("/answer").header("host", host);
            let request = request.body(Full::default()).unwrap();
            client.send(request).await.unwrap().status().as_u16()
        })
    };
    let gauge = |fleet: &Fleet, name: &str| {
        let start = format!("rhost_tenant_requests_{name}{{tenant=\"greedy\"}} ");
        let text = fleet.server.metrics();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(&start));
        value.expect("it is told").to_owned()
    };
    assert_eq!(
        (gauge(&fleet, "running"), gauge(&fleet, "queued")),
        ("2".into(), "0".into())
    );
    let (mut one, mut other) = (wait("one.greedy.test"), wait("two.greedy.test"));
    let (shed, waiting) = tokio::select! {
        shed = &mut one => (shed.unwrap(), other),
        shed = &mut other => (shed.unwrap(), one),
    };
    assert_eq!(shed, 429);
    assert_eq!(gauge(&fleet, "queued"), "1");
    for _ in 0..3 {
        let answer = fleet.get("modest.test", "/answer").await;
        assert_eq!(answer.status, 200);
    }
    // What is applied meanwhile gives nobody a second share.
    let changes = fleet
        .apply(&format!("{TENANTS}env = {{ A = \"b\" }}\n"))
        .unwrap();
    assert_eq!((changes.changed, changes.kept), (1, 2));
    let answer = fleet.get("one.greedy.test", "/answer").await;
    assert_eq!((answer.status, answer.field("retry-after")), (429, "1"));
    assert_eq!(fleet.get("modest.test", "/answer").await.status, 200);
    drop(first);
    assert_eq!(waiting.await.unwrap(), 200);
    drop(second);
    // Every place comes back.
    while gauge(&fleet, "running") != "0" {
        tokio::task::yield_now().await;
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("tenant greedy: overloaded: every place is taken"),
        "{log}"
    );
}

/// Asks for some tenths of a second of work, and waits until it is done.
async fn work(mut client: Client, host: &'static str) {
    let request = Request::get("/?500000").header("host", host);
    let request = request.body(Full::default()).unwrap();
    let mut answer = client.send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    while answer.body_mut().frame().await.is_some() {}
}

/// A tenant with app `many` at a host of that name, and another with app `one` at host
/// `test`. Both do the work that they are asked for.
async fn many_and_one() -> Fleet {
    let text = "[tenants.greedy]\n[tenants.modest]\n\
                [apps.many]\ncomponent = \"works.wasm\"\ntenant = \"greedy\"\nhosts = [\"many\"]\n\
                [apps.one]\ncomponent = \"works.wasm\"\ntenant = \"modest\"\nhosts = [\"test\"]\n";
    Fleet::start(&["works"], text).await
}

/// Has `many` work for eight clients. All are connected before the first begins, so that
/// none is far ahead; whoever else takes part is to be connected already.
async fn keep_many_busy(fleet: &Fleet) -> Vec<JoinHandle<()>> {
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(fleet.server.client().await);
    }
    let begun = clients
        .into_iter()
        .map(|client| tokio::spawn(work(client, "many")))
        .collect();
    while fleet.running("many") < 8 {
        tokio::task::yield_now().await;
    }
    begun
}

/// CPU time is shared by tenants and not by requests: who has one is answered before any
/// of eight that another began before, and that take as long.
#[tokio::test(flavor = "multi_thread")]
async fn many_requests_have_no_more_time_than_one() {
    let fleet = many_and_one().await;
    let one = fleet.server.client().await;
    let many = keep_many_busy(&fleet).await;
    work(one, "test").await;
    for one in many {
        one.await.unwrap();
    }
    let log = fleet.stop().await.access_log;
    let first = log.lines().next().unwrap();
    assert!(first.contains(" one "), "{log}");
}

/// What a tenant has of one thread's time is not all: four requests over one connection,
/// which is one thread's, have a half of both, and not of this one.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_one_connection_has_its_share_of_each_core() {
    let fleet = many_and_one().await;
    let mut one = Frames::connect(fleet.server.addr, b"").await;
    let many = keep_many_busy(&fleet).await;
    // Together they are three times what one of the others is: done before any of these if
    // they have a half of all, and after four of them if they have a quarter.
    let requests = [1, 3, 5, 7].map(|stream| request(stream, "/?375000"));
    one.send(&requests.concat()).await;
    for _ in 0..4 {
        one.until(HEADERS).await.expect("an answer");
    }
    for one in many {
        one.await.unwrap();
    }
    let log = fleet.stop().await.access_log;
    let first: Vec<_> = log.lines().take(4).collect();
    assert!(first.iter().all(|line| line.contains(" one ")), "{log}");
}

/// As many as `host` gets, each kept.
async fn occupy_all(fleet: &Fleet, host: &str) -> Vec<Held> {
    let mut held = Vec::new();
    loop {
        let mut client = fleet.server.client().await;
        let request = Request::get("/sleep").header("host", host);
        let request = request.body(Full::default()).unwrap();
        let response = client.send(request).await.unwrap();
        if response.status() != 200 {
            assert_eq!(response.status(), 429);
            return held;
        }
        held.push((client, response));
    }
}

/// Apps of one size share the sandboxes of that size. However many one asks for, and
/// without any limit being set, there are some left for others, and for others than those.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_all_sandboxes() {
    let app = |name, tenant: &str| {
        format!(
            "[apps.{name}]\ncomponent = \"big-hangs.wasm\"\nhosts = [\"{name}.test\"]\nqueue = 0\n{tenant}"
        )
    };
    let text = [
        "[tenants.two]\n",
        &app("a", "tenant = \"two\"\n"),
        &app("b", "tenant = \"two\"\n"),
        &app("c", ""),
        &app("d", ""),
    ]
    .concat();
    // Sandboxes of its own: other tests need theirs.
    let fleet = Fleet::apart(&["big-hangs"], &text).await;
    // Who shares with others is known from its first request on.
    for host in ["a.test", "b.test", "c.test", "d.test"] {
        assert_eq!(fleet.get(host, "/answer").await.status, 200);
    }
    let all = match fleet.is_here() {
        true => fleet.app("a").places(),
        false => {
            let metrics = fleet.server.metrics();
            let mut lines = metrics.lines();
            let slots =
                lines.find_map(|line| line.strip_prefix("rhost_pool_slots{class=\"large\"} "));
            slots.expect("it is told").parse().unwrap()
        }
    };
    let mut first = occupy_all(&fleet, "a.test").await;
    // Another app of the same tenant has no share of its own.
    first.extend(occupy_all(&fleet, "b.test").await);
    let taken = first.len();
    assert!(taken > all / 2 && taken < all, "{taken} of {all}");
    let second = occupy_all(&fleet, "c.test").await;
    assert_eq!(fleet.get("d.test", "/answer").await.status, 200);
    // They come back.
    drop((first, second));
    while fleet.get("b.test", "/answer").await.status != 200 {
        tokio::task::yield_now().await;
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("its tenant has its share of the sandboxes of this size"),
        "{log}"
    );
}
