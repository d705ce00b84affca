//! What all sandboxes have together is bounded, and nobody has all of it (hostile guests 5
//! and 14).

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost::commons::{Good, Sizes};
use rhost_tests::{Client, Fleet, Test};

const MIB: u64 = 1 << 20;

type Held = (Client, hyper::Response<hyper::body::Incoming>);

/// Asks `host` to hold what `path` says for as long as the client is there; the status if
/// it does not.
async fn hold(fleet: &Fleet, host: &str, path: &str) -> Result<Held, u16> {
    let mut client = fleet.server.client().await;
    let request = Request::get(path).header("host", host);
    let request = request.body(Full::default()).unwrap();
    let mut response = client.send(request).await.unwrap();
    if response.status() != 200 {
        let field = response.headers().get("retry-after");
        assert_eq!(field.expect("it may come again"), "1");
        return Err(response.status().as_u16());
    }
    response.body_mut().frame().await.expect("begun").unwrap();
    Ok((client, response))
}

/// As many as `host` holds, and what one more gets.
async fn hold_all(fleet: &Fleet, host: &str, path: &str) -> (Vec<Held>, u16) {
    let mut held = Vec::new();
    loop {
        match hold(fleet, host, path).await {
            Ok(one) => held.push(one),
            Err(status) => return (held, status),
        }
    }
}

/// All sandboxes have given back what they had.
async fn all_is_given_back(fleet: &Fleet, good: Good) {
    let taken = || match good {
        Good::Memory => fleet.memory_taken(),
        good => fleet.commons().taken(good),
    };
    while taken() > 0 {
        tokio::task::yield_now().await;
    }
}

/// An app of each of these tenants, called as it is.
fn apps(tenants: &[(&str, &str)], more: &str) -> String {
    let app = |(name, keys): &(&str, &str)| {
        format!(
            "[tenants.{name}]\n{keys}\n[apps.{name}]\ncomponent = \"holds.wasm\"\n\
             tenant = \"{name}\"\nhosts = [\"{name}.test\"]\n{more}\n"
        )
    };
    tenants.iter().map(app).collect()
}

/// The value of a metric with these labels, if it is told.
fn metric(fleet: &Fleet, name: &str) -> Option<u64> {
    let text = fleet.server.metrics();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_all_memory() {
    let text = apps(&[("greedy", ""), ("modest", "")], "");
    let fleet = Fleet::within_memory(&["holds"], &text, 320 * MIB).await;
    let (held, status) = hold_all(&fleet, "greedy.test", "/memory/64/hold").await;
    assert_eq!((held.len(), status), (3, 429));
    // Others have what they need, and who needs little needs nobody's leave.
    let answer = fleet.get("modest.test", "/memory/64/answer").await;
    assert_eq!((answer.status, answer.text()), (200, "held"));
    assert_eq!(
        fleet.get("greedy.test", "/memory/0/answer").await.status,
        200
    );
    let hits = |app: &str| {
        let labels = format!("app=\"{app}\",tenant=\"{app}\",limit=\"tenant_memory\"");
        metric(&fleet, &format!("rhost_app_limit_hits_total{{{labels}}}"))
    };
    assert_eq!((hits("greedy"), hits("modest")), (Some(1), Some(0)));
    drop(held);
    all_is_given_back(&fleet, Good::Memory).await;
    let (held, status) = hold_all(&fleet, "greedy.test", "/memory/64/hold").await;
    assert_eq!((held.len(), status), (3, 429));
    drop(held);
    all_is_given_back(&fleet, Good::Memory).await;
    let log = fleet.stop().await.log;
    assert!(
        log.contains("share of its tenant reached, of the 320 MiB of memory that all sandboxes")
            && log.contains("(--sandbox-memory; memory, of [tenants])"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_so_much_memory_whoever_serves_it() {
    let capped = |memory: &str| {
        let keys = format!("memory = \"{memory}\"");
        apps(&[("capped", &keys), ("rich", "memory = \"1GiB\"")], "")
    };
    let mut fleet = Fleet::within_memory(&["holds"], &capped("100MiB"), 320 * MIB).await;
    let told = |fleet: &Fleet| metric(fleet, "rhost_tenant_memory_bytes{tenant=\"capped\"}");
    let gauge = |fleet: &Fleet| told(fleet).expect("it is told");
    let (held, status) = hold_all(&fleet, "capped.test", "/memory/64/hold").await;
    assert_eq!((held.len(), status), (1, 429));
    // The first MiB of each is not counted.
    assert!((63 * MIB..100 * MIB).contains(&gauge(&fleet)));
    // While requests of the tenant as it was are running, those as it is count on.
    let changes = fleet.apply(&capped("200MiB")).unwrap();
    assert_eq!((changes.changed, changes.kept), (0, 2));
    let (more, status) = hold_all(&fleet, "capped.test", "/memory/64/hold").await;
    assert_eq!((more.len(), status), (2, 429));
    assert!((189 * MIB..200 * MIB).contains(&gauge(&fleet)));
    // What is not there nobody has, whatever a limit says.
    let (rich, status) = hold_all(&fleet, "rich.test", "/memory/64/hold").await;
    assert_eq!((rich.len(), status), (2, 503));
    drop((held, more, rich));
    all_is_given_back(&fleet, Good::Memory).await;
    assert_eq!(gauge(&fleet), 0);
    fleet.apply(&apps(&[("capped", "")], "")).unwrap();
    assert_eq!(told(&fleet), None);
    let log = fleet.stop().await.log;
    for says in [
        "limit of 100 MiB for the memory of all sandboxes of its tenant reached (memory, of [tenants]), then the guest trapped",
        "limit of 200 MiB for the memory of all sandboxes of its tenant reached",
        "limit of 320 MiB for the memory of all sandboxes together reached (--sandbox-memory)",
    ] {
        assert!(log.contains(says), "{says}: {log}");
    }
}

/// However it fails on what it was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_without_memory_is_to_come_again() {
    for then in ["answer", "report", "exit"] {
        let test = Test::serving("holds").sandbox_memory("50MiB");
        let answer = test.get(&format!("/memory/64/{then}")).await;
        assert_eq!(
            (answer.status, answer.field("retry-after")),
            (503, "1"),
            "{then}: {}",
            answer.log
        );
        let says =
            "limit of 50 MiB for the memory of all sandboxes together reached (--sandbox-memory)";
        assert!(answer.log.contains(says), "{then}: {}", answer.log);
    }
    // One that takes a refusal well is let go on.
    let test = Test::serving("holds").sandbox_memory("50MiB");
    assert_eq!(test.get("/memory/64/told").await.status, 200);
    // A developer is told as well.
    let test = Test::serving("holds").sandbox_memory("50MiB").dev();
    let server = test.start().await;
    let request = Request::get("/memory/64/answer").header("host", "localhost");
    let mut client = server.client().await;
    let request = request.body(Full::default()).unwrap();
    let page = rhost_tests::Answer::read(client.send(request).await.unwrap()).await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("--sandbox-memory"), "{}", page.text());
}

/// One that starts with much may not even start.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_sandbox_waits_for_its_memory() {
    let app = "[apps.big]\ncomponent = \"big-hangs.wasm\"\nhosts = [\"big.test\"]\n";
    let fleet = Fleet::within_memory(&["big-hangs"], app, 40 * MIB).await;
    let (held, status) = hold_all(&fleet, "big.test", "/sleep").await;
    assert_eq!((held.len(), status), (1, 503));
    drop(held);
    all_is_given_back(&fleet, Good::Memory).await;
    assert_eq!(fleet.get("big.test", "/answer").await.status, 200);
    all_is_given_back(&fleet, Good::Memory).await;
}

/// With `--reuse` an instance that waits has what it took, until others need it.
#[tokio::test(flavor = "multi_thread")]
async fn instances_that_wait_give_their_memory() {
    let tenants = [("keeps", "memory = \"1GiB\""), ("needs", "")];
    let text = apps(&tenants, "reuse = 10");
    let fleet = Fleet::within_memory(&["holds"], &text, 100 * MIB).await;
    assert_eq!(
        fleet.get("keeps.test", "/memory/60/answer").await.status,
        200
    );
    while fleet.running("keeps") > 0 {
        tokio::task::yield_now().await;
    }
    assert!(fleet.memory_taken() > 59 * MIB);
    assert_eq!(
        fleet.get("needs.test", "/memory/60/answer").await.status,
        200
    );
    // What it kept is gone.
    assert!(fleet.memory_taken() < 119 * MIB);
    if fleet.is_here() {
        assert_eq!(fleet.app("keeps").waiting(), 0);
    }
}

/// Files that sandboxes have open out of a directory which they are lent.
async fn lent(files: u64) -> (tempfile::TempDir, Fleet) {
    let (home, memory) = (tempfile::tempdir().unwrap(), 1 << 40);
    let dirs = ["greedy", "modest"].map(|name| home.path().join(name));
    for dir in &dirs {
        std::fs::create_dir(dir).unwrap();
        std::fs::write(dir.join("file"), "").unwrap();
    }
    let of = |name, dir: &std::path::Path| {
        apps(&[(name, "")], &format!("dir = \"{}:/data\"", dir.display()))
    };
    let text = of("greedy", &dirs[0]) + &of("modest", &dirs[1]);
    let sizes = Sizes { memory, files };
    (home, Fleet::within(&["holds"], &text, sizes).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_all_open_files() {
    let (_home, fleet) = lent(100).await;
    let (held, status) = hold_all(&fleet, "greedy.test", "/files/20/hold").await;
    assert!((2..=3).contains(&held.len()), "{}", held.len());
    assert_eq!(status, 429);
    let taken = fleet.commons().taken(Good::Files);
    assert!((40..=75).contains(&taken), "{taken}");
    // A program is told so, as it would be of a system that has no more.
    let answer = fleet.get("greedy.test", "/files/60/told").await;
    assert_eq!((answer.status, answer.text()), (200, "OutOfMemory"));
    let answer = fleet.get("modest.test", "/files/5/answer").await;
    assert_eq!((answer.status, answer.text()), (200, "held"));
    drop(held);
    all_is_given_back(&fleet, Good::Files).await;
    let answer = fleet.get("greedy.test", "/files/40/answer").await;
    assert_eq!(answer.status, 200);
    all_is_given_back(&fleet, Good::Files).await;
    let log = fleet.stop().await.log;
    assert!(
        log.contains("share of its tenant reached, of the 100 files that all sandboxes may have open together"),
        "{log}"
    );
}

/// A directory that is lent is one as well, for whoever asks for anything of WASI.
#[tokio::test(flavor = "multi_thread")]
async fn directories_are_open_files() {
    let (_home, fleet) = lent(2).await;
    let answer = fleet.get("modest.test", "/files/1/answer").await;
    assert_eq!((answer.status, answer.field("retry-after")), (503, "1"));
    // Who asks for none needs none.
    assert_eq!(
        fleet.get("modest.test", "/files/0/answer").await.status,
        200
    );
    let log = fleet.stop().await.log;
    let says = "the lent directories cannot be opened: limit of 2 open files of all sandboxes together reached";
    assert!(log.contains(says), "{log}");
}

/// Who opens one after the other has one open.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_closed_are_open_no_more() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let test = Test::serving("holds").dir(home.path(), "/data", true);
    let server = test.open_files(40).reuse(1000, "1h").start().await;
    for _ in 0..50 {
        assert_eq!(server.get("/files/20/answer").await.status, 200);
    }
    assert_eq!(server.get("/files/40/answer").await.status, 503);
}
