//! `rhost check`: each rule is broken by a guest, and found; what keeps them passes.

mod python;
mod rules;

use crate::guests::guest;
use crate::serving::rhost;
use serde_json::Value;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where compiled code is kept from one check to the next.
fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    // From target/debug/deps/cli-0123.
    let dir = program.ancestors().nth(3).unwrap().join("rhost-cache");
    let made = DirBuilder::new().mode(0o700).create(&dir);
    assert!(made.is_ok() || dir.is_dir());
    dir
}

/// `rhost check APP` with these flags.
fn check(app: &Path, flags: &[&str]) -> Command {
    let mut command = rhost();
    command.arg("check").arg(app).args(flags);
    command.arg("--cache-dir").arg(cache());
    command
}

/// What `--json` says, and the exit code.
fn report(mut command: Command) -> (Value, Option<i32>) {
    let output = command.arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    (
        report.unwrap_or_else(|_| panic!("{said}")),
        output.status.code(),
    )
}

/// The finding of `rule`, if it was broken.
fn finding<'r>(report: &'r Value, rule: &str) -> Option<&'r Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule"] == rule)
}

fn text(output: &Output) -> (String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

#[test]
fn the_examples_keep_the_rules() {
    for (name, paths) in [
        ("hello", &["/hello/w%C3%B6rld", "/json"][..]),
        ("environ", &[]),
        ("stream", &["/slow?lines=3&ms=1", "/echo"]),
        ("notes", &[]),
        ("chat", &[]),
    ] {
        let paths: Vec<_> = paths.iter().flat_map(|path| ["--path", path]).collect();
        let (report, code) = report(check(&example(name), &paths));
        assert_eq!(code, Some(0), "{name}: {report:#}");
        assert_eq!(report["passed"], true);
        // It was asked, and it was the app that answered.
        let asked = report["requests"].as_array().unwrap();
        assert!(asked.len() >= 30, "{name}: {report:#}");
        assert!(asked.iter().all(|it| it["failed"] == false), "{report:#}");
    }
}

#[test]
fn what_people_are_told() {
    let two = guest("two-answers");
    let output = check(&two, &[]).output().unwrap();
    let (told, said) = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "GET /                                            500 ",
        "error: start-response-twice: start-response is called once; a second call has exc-info.\n",
        "  rule: PEP 3333, The start_response() Callable; gateway.md, start-response\n",
        "  GET /: start-response was called twice, the second time without exc-info\n",
        "  the same: GET / (again), HEAD /, OPTIONS /, ...\n",
        "  do: call it once, or pass exc-info to replace an answer by that of an error\n",
    ] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    let last = told.lines().last().unwrap();
    assert!(
        last.starts_with("two_answers: ")
            && last.ends_with(" 1 error, 0 warnings, 0 notes: failed"),
        "{last}"
    );
    // No terminal, no colour.
    assert!(!told.contains('\u{1b}'));

    let coloured = |name: &str| {
        let mut command = check(&two, &["-q"]);
        let output = command.env("CLICOLOR_FORCE", "1").env(name, "1").output();
        text(&output.unwrap()).0.contains('\u{1b}')
    };
    assert!(coloured("CLICOLOR") && !coloured("NO_COLOR"));

    let (quiet, said) = text(&check(&two, &["--quiet"]).output().unwrap());
    assert!(
        quiet.starts_with("error: start-response-twice") && said.is_empty(),
        "{quiet}{said}"
    );
    let (nothing, said) = text(&check(&example("hello"), &["-q"]).output().unwrap());
    assert_eq!((nothing.as_str(), said.as_str()), ("", ""));
}

#[test]
fn help_has_examples() {
    let output = rhost().args(["check", "--help"]).output().unwrap();
    let (help, _) = text(&output);
    for part in [
        "Examples:",
        "rhost check app.wasm --strict",
        "Exit status:",
        "--wait",
    ] {
        assert!(help.contains(part), "{part} in\n{help}");
    }
}

#[test]
fn warnings_fail_only_where_it_is_strict() {
    let app = guest("breaks-rules");
    let flags = ["--path", "/content-type-missing", "--strict"];
    let (lenient, code) = report(check(&app, &flags[..2]));
    assert_eq!(
        (code, &lenient["passed"]),
        (Some(0), &true.into()),
        "{lenient:#}"
    );
    let (strict, code) = report(check(&app, &flags));
    assert_eq!(
        (code, &strict["passed"]),
        (Some(1), &false.into()),
        "{strict:#}"
    );
    assert_eq!(lenient["findings"], strict["findings"]);
}

#[test]
fn what_cannot_be_checked_is_a_line_and_2() {
    let home = tempfile::tempdir().unwrap();
    let core = home.path().join("core.wasm");
    std::fs::write(&core, b"\0asm\x01\0\0\0").unwrap();
    for (app, flags, said) in [
        (
            Path::new("nowhere.wasm"),
            &[][..],
            "no such file or directory",
        ),
        (&core, &[], "build it for wasm32-wasip2"),
        (home.path(), &[], "no Cargo.toml"),
        (&core, &["--dir", "nowhere:/data"], "--dir nowhere"),
        (
            &core,
            &["--path", "x"],
            "expected a path that begins with /",
        ),
    ] {
        let output = check(app, flags).output().unwrap();
        let (told, complaint) = text(&output);
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains(said) && told.is_empty(), "{complaint}");
    }
}

#[test]
fn an_app_is_checked_where_it_is_mounted_and_with_what_it_is_lent() {
    let app = example("environ");
    let (report, code) = report(check(&app, &["--mount", "/blog", "--path", "/a?b"]));
    assert_eq!(code, Some(0), "{report:#}");
    let asked = report["requests"].as_array().unwrap();
    let all = asked
        .iter()
        .all(|it| it["request"].as_str().unwrap().contains(" /blog/"));
    assert!(all && asked[0]["status"] == 200, "{report:#}");
    assert!(
        asked
            .iter()
            .any(|it| it["request"] == "GET /blog/a?b (HTTP/1.0)")
    );
}

#[test]
fn whatever_a_guest_does_the_check_ends() {
    // Where nothing but waiting is left, the rest is left out.
    for (name, flags, rule, skips) in [
        ("spin-forever", &["--cpu", "50ms"][..], "time-limit", true),
        ("spin-at-start", &["--cpu", "50ms"], "time-limit", true),
        ("sleep-forever", &["--timeout", "100ms"], "time-limit", true),
        ("memory-hog", &["--memory", "16MiB"], "space-limit", false),
        (
            "log-flood",
            &["--path", "/flood", "--cpu", "100ms", "--log-rate", "1KiB"],
            "log-rate",
            true,
        ),
        ("endless-body", &["--wait", "100ms"], "endless", false),
        ("slow-body", &["--wait", "100ms"], "endless", false),
        ("recurses", &[], "trap", false),
    ] {
        let (report, _) = report(check(&guest(name), flags));
        assert!(finding(&report, rule).is_some(), "{name}: {report:#}");
        assert_eq!(report["skipped"].as_u64() > Some(0), skips, "{report:#}");
    }
}
