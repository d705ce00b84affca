//! What is logged, as the server would read it: from another process' stderr.

use std::env;
use std::process::Command;

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

#[get("/levels")]
fn levels() {
    log::error!("an error");
    log::warn!(target: "shop::cart", "{} left", 2);
    log::info!("for {:?}", "a\nb");
    log::info!("a\nERROR shop: forged");
    log::debug!("a detail");
    log::trace!("a trace");
}

#[get("/tracing")]
fn events() {
    tracing::warn!(target: "shop", left = 2, "few");
    tracing::debug!(target: "shop", "a detail");
}

#[get("/quiet")]
fn quiet() -> String {
    log::max_level().to_string()
}

#[get("/level")]
fn level() -> String {
    log::error!("the first");
    log::max_level().to_string()
}

app!(levels, events, quiet, level);

/// Runs in a process of its own: a logger is installed once.
#[test]
#[ignore = "the other tests run it"]
fn child() {
    if let Ok(path) = env::var("LOG_TEST_PATH") {
        let answer = testing::get(&APP, &path).send();
        assert!(answer.status() < Status::MULTIPLE_CHOICES);
        eprintln!("<{}>", answer.text());
    }
}

/// What a request for the path writes to stderr.
fn stderr(path: &str, directives: Option<&str>) -> Vec<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env("LOG_TEST_PATH", path)
        .env_remove("RUST_LOG");
    if let Some(directives) = directives {
        command.env("RUST_LOG", directives);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    text.lines().map(str::to_owned).collect()
}

const FIRST: [&str; 4] = [
    "ERROR log: an error",
    "WARN shop::cart: 2 left",
    "INFO log: for \"a\\nb\"",
    "INFO log: a\\nERROR shop: forged",
];

#[test]
fn a_record_is_a_line_with_its_level() {
    for directives in [None, Some("")] {
        assert_eq!(
            stderr("/levels", directives),
            [&FIRST[..], &["<>"]].concat()
        );
    }
}

#[test]
fn the_environment_says_what_is_written() {
    for (directives, lines) in [
        ("off", &[][..]),
        ("shop=warn", &FIRST[1..2]),
        ("warn", &FIRST[..2]),
        ("error,shop=info", &FIRST[..2]),
        ("warn,shop=off", &FIRST[..1]),
    ] {
        assert_eq!(
            stderr("/levels", Some(directives)),
            [lines, &["<>"]].concat()
        );
    }
    let all = stderr("/levels", Some("trace"));
    assert_eq!(
        all[4..],
        ["DEBUG log: a detail", "TRACE log: a trace", "<>"]
    );
    let malformed = stderr("/levels", Some("loud=loud"));
    assert!(malformed[0].starts_with("WARN rhost_sdk::logger: RUST_LOG is malformed: "));
    assert_eq!(malformed[1..], [&FIRST[..], &["<>"]].concat());
}

#[test]
fn the_first_record_finds_out_what_is_written() {
    assert_eq!(stderr("/quiet", Some("warn")), ["<TRACE>"]);
    assert_eq!(
        stderr("/level", Some("warn")),
        ["ERROR log: the first", "<WARN>"]
    );
}

#[test]
fn tracing_needs_no_subscriber() {
    assert_eq!(stderr("/tracing", None), ["WARN shop: few left=2", "<>"]);
}
