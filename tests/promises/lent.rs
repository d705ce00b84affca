//! An app has what its settings name, and nothing else (hostile guests 24, 25, 27,
//! 30, 35).

use http::Request;
use http_body_util::{BodyExt, Full};
use rhost_tests::{Server, Test};
use std::fs;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn by_default_there_is_nothing() {
    let answer = Test::serving("lent").get("/").await;
    let text = answer.text();
    assert!(text.starts_with("env []\n"), "{text}");
    assert_eq!(text.matches("Ok(").count(), 0, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_is_there() {
    let home = tempfile::tempdir().unwrap();
    let (data, fixed) = (home.path().join("data"), home.path().join("static"));
    for dir in [&data, &fixed] {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("note"), "lent").unwrap();
    }
    fs::write(home.path().join("secret"), "not lent").unwrap();
    std::os::unix::fs::symlink("../secret", data.join("link")).unwrap();
    let answer = Test::serving("lent")
        .env("GREETING", "hi")
        .dir(&data, "/data", false)
        .dir(&fixed, "/static", true)
        .get("/")
        .await;
    let text = answer.text();
    for line in [
        "env [(\"GREETING\", \"hi\")]",
        "read /data/note: Ok(\"lent\")",
        "read /static/note: Ok(\"lent\")",
        "write /data/new: Ok(())",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    for refused in [
        "read /etc/passwd",
        "read /data/../etc/passwd",
        "read /data/link",
        "read note",
        "write /static/new",
        "write /tmp/new",
        "connect",
        "listen",
    ] {
        assert!(
            text.contains(&format!("{refused}: Err(")),
            "{refused} in\n{text}"
        );
    }
    assert_eq!(fs::read_to_string(data.join("new")).unwrap(), "written");
    assert!(!fixed.join("new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn output_becomes_tagged_and_escaped_lines() {
    let server = Test::serving("log-flood").start().await;
    server.get("/").await;
    let stopped = server.stop().await;
    let id = stopped.access_log.trim_end().rsplit(' ').next().unwrap();
    let lines: Vec<_> = stopped
        .log
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(
        lines,
        [
            format!("log-flood {id} stdout: to stdout\\r"),
            format!(
                "log-flood {id} stdout: \\u{{1b}}[31mred\\u{{1b}}[0m 2026-01-01 forged request line"
            ),
            format!("log-flood {id} stderr: to stderr, without an end"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_lines_is_bounded_and_counted() {
    let server = Test::serving("log-flood").log_rate("10KiB").start().await;
    assert_eq!(server.get("/flood").await.text(), "logged");
    // The share fills up again while the flood lasts, and the next line that fits
    // says what was lost.
    let log = server.stop().await.log;
    assert!(log.len() < 1 << 20, "{} octets were logged", log.len());
    assert!(
        log.contains("lines of this app were dropped (--log-rate)"),
        "{}",
        &log[log.len().saturating_sub(500)..]
    );
}

/// A server of the guest that locks, which is lent `data`.
async fn locking(data: &Path) -> Server {
    Test::serving("locks")
        .dir(data, "/data", false)
        .concurrency(1)
        .start()
        .await
}

/// Asks for `path`, does something when the answer begins, and leaves.
async fn leave_amid(server: &Server, path: &str, then: impl FnOnce()) {
    let mut client = server.client().await;
    let request = Request::get(path).header("host", "test");
    let request = request.body(Full::default()).unwrap();
    let mut response = client.send(request).await.expect("a head");
    response.body_mut().frame().await.expect("a block").unwrap();
    then();
    drop(response);
    client.leave();
}

/// As the locks of a process go with it.
#[tokio::test(flavor = "multi_thread")]
async fn the_locks_of_a_guest_that_is_stopped_go_with_it() {
    let data = tempfile::tempdir().unwrap();
    let server = locking(data.path()).await;
    leave_amid(&server, "/hold", || ()).await;
    // Its place is free when it is gone.
    assert_eq!(server.get("/take").await.text(), "Ok(())");
    // One that ended by itself has left it on purpose.
    assert_eq!(server.get("/take").await.text(), "Err(AlreadyExists)");
    fs::remove_dir(data.path().join("store.lock")).unwrap();
    assert_eq!(server.get("/trap").await.status, 500);
    assert_eq!(server.get("/take").await.text(), "Ok(())");
    // These are no locks.
    assert!(data.path().join("kept").exists());
    assert!(data.path().join("full.lock/owner").exists());
}

/// The host keeps a file open for each that it is to take away.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_locks_without_end_has_few_locks_taken_away() {
    let data = tempfile::tempdir().unwrap();
    let server = locking(data.path()).await;
    assert_eq!(server.get("/many").await.status, 500);
    assert_eq!(server.get("/take").await.status, 200);
    let left = fs::read_dir(data.path()).unwrap().count();
    assert_eq!(left, 100 - 8 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_given_back_is_another_s() {
    let data = tempfile::tempdir().unwrap();
    let server = locking(data.path()).await;
    let lock = data.path().join("store.lock");
    leave_amid(&server, "/given-back", || fs::create_dir(lock).unwrap()).await;
    assert_eq!(server.get("/take").await.text(), "Err(AlreadyExists)");
}
