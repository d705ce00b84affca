//! Tenants who share a process, and what one of them can do to another.

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::{Client, Fleet};
use std::net::SocketAddr;

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
    assert_eq!(fleet.taken("greedy"), 2);
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
    let (mut one, mut other) = (wait("one.greedy.test"), wait("two.greedy.test"));
    let (shed, waiting) = tokio::select! {
        shed = &mut one => (shed.unwrap(), other),
        shed = &mut other => (shed.unwrap(), one),
    };
    assert_eq!(shed, 429);
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
    while fleet.taken("greedy") > 0 {
        tokio::task::yield_now().await;
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("tenant greedy: overloaded: every place is taken"),
        "{log}"
    );
}

/// Asks for some tenths of a second of work, and waits until it is done.
async fn work(addr: SocketAddr, host: &'static str) {
    let mut client = Client::http1(addr).await;
    let request = Request::get("/?300000").header("host", host);
    let request = request.body(Full::default()).unwrap();
    let mut answer = client.send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    while answer.body_mut().frame().await.is_some() {}
}

/// CPU time is shared by tenants and not by requests: who has one is answered before any
/// of eight that another began before, and that take as long.
#[tokio::test(flavor = "multi_thread")]
async fn many_requests_have_no_more_time_than_one() {
    let text = "[tenants.greedy]\n[tenants.modest]\n\
                [apps.many]\ncomponent = \"works.wasm\"\ntenant = \"greedy\"\nhosts = [\"many.test\"]\n\
                [apps.one]\ncomponent = \"works.wasm\"\ntenant = \"modest\"\nhosts = [\"one.test\"]\n";
    let fleet = Fleet::start(&["works"], text).await;
    let addr = fleet.server.addr;
    let many: Vec<_> = (0..8)
        .map(|_| tokio::spawn(work(addr, "many.test")))
        .collect();
    while fleet.app("many").running() < 8 {
        tokio::task::yield_now().await;
    }
    work(addr, "one.test").await;
    assert!(many.iter().all(|one| !one.is_finished()));
    for one in many {
        one.await.unwrap();
    }
}

/// Apps of one size share the sandboxes of that size; who gets none is told to come
/// again, and not that the app is broken.
#[tokio::test(flavor = "multi_thread")]
async fn when_all_sandboxes_are_taken_it_is_overload() {
    let text = "[apps.a]\ncomponent = \"big-hangs.wasm\"\nhosts = [\"a.test\"]\nqueue = 0\n\
                [apps.b]\ncomponent = \"big-hangs.wasm\"\nhosts = [\"b.test\"]\n";
    // Sandboxes of its own: other tests need theirs.
    let fleet = Fleet::apart(&["big-hangs"], text).await;
    let mut held = Vec::new();
    for _ in 0..fleet.app("a").places() {
        held.push(occupy(&fleet, "a.test").await);
    }
    let answer = fleet.get("b.test", "/answer").await;
    assert_eq!((answer.status, answer.field("retry-after")), (503, "1"));
    drop(held);
    // They come back.
    while fleet.get("b.test", "/answer").await.status != 200 {
        tokio::task::yield_now().await;
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("apps have all sandboxes of this size together"),
        "{log}"
    );
}
