//! httpwg-cli: RFC 9113, frame by frame, against the host over cleartext HTTP/2.

use crate::fetch;
use crate::triage::Triage;
use rhost_tests::Test;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "0.2.5";

/// How many cases the suite has.
const CASES: usize = 107;

/// The one case that panics where it is not met.
const PANICS: &str = "RFC 9113 :: 7. error codes :: sends goaway frame with unknown error code";

/// Hostile client 43 among others. The guest reads what it is sent: one that
/// answers before it was sent everything may have a stream closed that a case goes
/// on with, and then the client sees another error than the one it provoked.
#[tokio::test(flavor = "multi_thread")]
async fn httpwg() {
    let fetched = tokio::task::spawn_blocking(installed).await;
    let Some(tool) = fetched.expect("it does not panic") else {
        return;
    };
    let server = Test::serving("reads-body").start().await;
    let addr = server.addr.to_string();
    let run = move || {
        // What it sends it waits for, in milliseconds; other tests run meanwhile.
        let patience = ["--connect-timeout", "5000", "--frame-timeout", "3000"];
        let mut command = Command::new(tool);
        command.args(["-a", &addr]).args(patience);
        command.env("NO_COLOR", "1").output().expect("it runs")
    };
    let output = tokio::task::spawn_blocking(run).await.expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = plain(&String::from_utf8_lossy(&text));
    let mut all = BTreeSet::new();
    let mut unmet = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((_, case)) = line.split_once("Test passed: ") {
            all.insert(case.trim().to_owned());
        } else if let Some((_, case)) = line.split_once("Test failed: ") {
            let why = lines.find(|line| line.trim().starts_with("0: "));
            all.insert(case.trim().to_owned());
            unmet.insert(case.trim().to_owned(), why.unwrap_or("").trim().to_owned());
        }
    }
    // A case that panics says no more than that.
    if all.insert(PANICS.to_owned()) {
        unmet.insert(PANICS.to_owned(), "the case panicked".to_owned());
    }
    assert_eq!(all.len(), CASES, "{text}");
    Triage::parse(include_str!("httpwg.toml")).check(&all, &unmet);
}

/// Without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().unwrap_or("").to_owned();
    pieces.fold(first, |plain, piece| {
        plain + piece.split_once('m').map_or("", |(_, rest)| rest)
    })
}

/// Installs the tool, if it is not there.
fn installed() -> Option<PathBuf> {
    let root = fetch::directory("httpwg");
    let tool = root.join("bin/httpwg");
    if tool.is_file() {
        return Some(tool);
    }
    let status = Command::new(env!("CARGO"))
        .args(["install", "httpwg-cli", "--version", VERSION, "--locked"])
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("target"))
        .status();
    if !status.is_ok_and(|status| status.success()) {
        fetch::is_missing("httpwg-cli", "cargo could not install it");
        return None;
    }
    Some(tool)
}
