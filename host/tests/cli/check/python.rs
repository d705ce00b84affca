//! `rhost check wsgi_app:app`. A machine without Python or a network skips these
//! tests and says so, unless RHOST_REQUIRE_PYTHON=1 is set.

use super::{check, example, finding};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Breaks a rule on each path.
const PROGRAM: &str = r#"
TYPED = ("Content-Type", "text/plain")


def app(environ, start_response):
    match environ["PATH_INFO"]:
        case "/twice":
            start_response("200 OK", [TYPED])
            start_response("200 OK", [TYPED])
        case "/never":
            pass
        case "/raises":
            raise KeyError("no such thing")
        case "/beyond":
            start_response("200 OK", [TYPED, ("Content-Length", "2")])
            return [b"four"]
        case "/short":
            start_response("200 OK", [TYPED, ("Content-Length", "20")])
            return [b"four"]
        case "/hop":
            start_response("200 OK", [TYPED, ("Connection", "close")])
        case _:
            start_response("200 OK", [TYPED])
    return [b"body"]
"#;

/// What the check says of it, with its exit code; none where nothing can be built.
fn report(mut command: Command, dir: &Path) -> Option<(Value, Option<i32>)> {
    command.current_dir(dir).env_remove("VIRTUAL_ENV");
    let output = command.arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lacking = ["python3 cannot", "the package index cannot be reached"];
    if lacking.iter().any(|sign| said.contains(sign)) {
        let required = std::env::var_os("RHOST_REQUIRE_PYTHON");
        assert!(required.is_none_or(|value| value != "1"), "{said}");
        eprintln!("SKIPPED, since {said}");
        return None;
    }
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|_| panic!("{said}"));
    Some((report, output.status.code()))
}

#[test]
fn a_program_that_breaks_rules() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("app.py"), PROGRAM).unwrap();
    let paths = ["/twice", "/never", "/raises", "/beyond", "/short", "/hop"];
    let flags: Vec<_> = paths.iter().flat_map(|path| ["--path", path]).collect();
    let Some((report, code)) = report(check(Path::new("app:app"), &flags), home.path()) else {
        return;
    };
    assert_eq!(code, Some(1), "{report:#}");
    for (rule, path, how) in [
        // What Python can tell before the gateway can is raised there.
        (
            "exception",
            "GET /twice",
            "start_response was called a second time",
        ),
        ("exception", "GET /never", "before it called start_response"),
        (
            "exception",
            "GET /hop",
            "the header Connection is hop-by-hop",
        ),
        ("exception", "GET /raises", "KeyError: 'no such thing'"),
        ("content-length-exceeded", "GET /beyond", "2 octets beyond"),
        ("content-length-short", "GET /short", "16 bytes less"),
    ] {
        let found = finding(&report, rule).unwrap_or_else(|| panic!("{rule}: {report:#}"));
        let occurrences = found["occurrences"].as_array().unwrap();
        let occurrence = occurrences.iter().find(|it| it["request"] == path);
        let occurrence = occurrence.unwrap_or_else(|| panic!("{path}: {found:#}"));
        let happened = occurrence["happened"].as_str().unwrap();
        assert!(happened.contains(how), "{path}: {happened}");
    }
}

#[test]
fn the_examples_keep_the_rules() {
    let data = tempfile::tempdir().unwrap();
    let lent = format!("{}:/data", data.path().display());
    for name in ["wsgi", "flask", "cgi"] {
        let app = example(name);
        let Some((report, code)) = report(check(&app, &["--dir", &lent]), &app) else {
            return;
        };
        assert_eq!(code, Some(0), "{report:#}");
        let asked = report["requests"].as_array().unwrap();
        assert!(asked[0]["status"] == 200 && asked.len() >= 30, "{report:#}");
    }
}
