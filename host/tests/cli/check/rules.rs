//! Each rule is broken by a guest, and found by its name.

use super::{check, finding, guest, report};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rules of which no guest can break its part: the host has to fail first.
const HOSTS: [&str; 2] = ["not-started", "cut"];

/// Guests, each with flags and with the rules that it breaks so.
const GUESTS: [(&str, &[&str], &[&str]); 14] = [
    ("no-answer", &[], &["start-response-missing"]),
    ("two-answers", &[], &["start-response-twice"]),
    (
        "replaced-answer",
        &["--path", "/late"],
        &["start-response-late", "superseded-output"],
    ),
    (
        "bad-heads",
        &[],
        &[
            "status",
            "field-name",
            "field-value",
            "hop-by-hop",
            "content-length",
        ],
    ),
    ("header-flood", &[], &["fields-too-large"]),
    (
        "wrong-length",
        &["--path", "/7"],
        &["content-length-exceeded"],
    ),
    (
        "wrong-length",
        &["--path", "/3"],
        &["content-length-short", "trap"],
    ),
    ("reports-failure", &["--path", "/late"], &["exception"]),
    ("exit", &[], &["exit"]),
    ("trap-after-headers", &[], &["trap"]),
    (
        "endless-body",
        &["--max-response-body", "1MiB"],
        &["response-too-large"],
    ),
    ("memory-hog", &["--memory", "16MiB"], &["space-limit"]),
    ("spin-after-headers", &["--cpu", "50ms"], &["time-limit"]),
    ("log-flood", &["--log-rate", "100B"], &["log-rate"]),
];

/// Rules of HTTP, each of which breaks-rules breaks on a path of that name.
const PATHS: [&str; 17] = [
    "again",
    "allow-missing",
    "at-once",
    "body-not-allowed",
    "challenge-missing",
    "content-type-missing",
    "content-type-of-nothing",
    "field-not-ascii",
    "head-fields",
    "head-status",
    "if-none-match",
    "incomplete-accepted",
    "location-missing",
    "not-modified-fields",
    "protocol",
    "range",
    "range-ignored",
];

/// ... and on any path.
const ANYWHERE: [&str; 4] = [
    "cookie-pieces",
    "server-error",
    "unknown-method",
    "unknown-path",
];

/// Components that are no apps, in text.
fn components() -> Vec<(String, &'static [&'static str], &'static str)> {
    let with = |before: &str, handle: &str| {
        format!(
            r#"(component {before}
            (core module $m (func (export "handle")) {handle})
            (core instance $i (instantiate $m))
            (func $handle (canon lift (core func $i "handle")))
            (instance $app (export "handle" (func $handle)))
            (export "rhost:gateway/app@0.1.0" (instance $app)))"#
        )
    };
    let import = r#"(import "wasi:cli/enviroment@0.2.0" (instance (export "x" (func))))"#;
    vec![
        ("(component)".into(), &[], "export"),
        (with(import, ""), &[], "import"),
        (with("", ""), &[], "types"),
        (
            with("", "(memory 100)"),
            &["--memory", "1MiB"],
            "initial-memory",
        ),
        (
            with("", "(table 100 funcref)"),
            &["--table-elements", "10"],
            "initial-table",
        ),
    ]
}

/// Checks that `rule` was found as it is told: with its source and advice, and in a
/// request, if there were any, that names `what`.
fn assert_found(report: &Value, rule: &str, what: &str) {
    let found = finding(report, rule).unwrap_or_else(|| panic!("{rule} in {report:#}"));
    for told in ["says", "source", "advice", "level"] {
        assert!(!found[told].as_str().unwrap().is_empty(), "{found:#}");
    }
    let occurrences = found["occurrences"].as_array().unwrap();
    let shown = occurrences
        .iter()
        .any(|it| it["request"].as_str().is_none_or(|it| it.contains(what)));
    assert!(shown, "{found:#}");
}

#[test]
fn rules_of_the_gateway_are_held() {
    for (name, flags, rules) in GUESTS {
        let (report, code) = report(check(&guest(name), flags));
        for rule in rules {
            assert_found(&report, rule, "/");
        }
        let has_errors = report["errors"].as_u64() > Some(0);
        assert_eq!(code, Some(i32::from(has_errors)), "{name}: {report:#}");
    }
}

#[test]
fn rules_of_http_are_held() {
    let data = tempfile::tempdir().unwrap();
    let dir = format!("{}:/data", data.path().display());
    let paths = PATHS.map(|rule| format!("/{rule}"));
    let mut flags = vec!["--dir", &dir, "--path", "/server-error"];
    flags.extend(paths.iter().flat_map(|path| ["--path", path]));
    let (report, code) = report(check(&guest("breaks-rules"), &flags));
    assert_eq!(code, Some(1));
    for rule in PATHS {
        assert_found(&report, rule, &format!("/{rule}"));
    }
    for rule in ANYWHERE {
        assert_found(&report, rule, "/");
    }
}

#[test]
fn rules_of_the_component_are_held_before_anything_runs() {
    for (text, flags, rule) in components() {
        let home = tempfile::tempdir().unwrap();
        let path: PathBuf = home.path().join("app.wasm");
        fs::write(&path, wat::parse_str(&text).unwrap()).unwrap();
        let (report, code) = report(check(&path, flags));
        assert_eq!(code, Some(1), "{rule}: {report:#}");
        assert_found(&report, rule, "/");
        assert_eq!(report["requests"], Value::Array(vec![]), "{report:#}");
        if rule == "import" {
            let found = finding(&report, rule).unwrap()["occurrences"][0]["happened"].clone();
            let found = found.as_str().unwrap();
            assert!(
                found.contains("the nearest that is: wasi:cli/environment@0.2"),
                "{found}"
            );
        }
    }
}

/// A rule that nothing breaks may be one that nothing would ever find.
#[test]
fn every_rule_is_among_them() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/rules");
    let name = Regex::new(r#"= (?:error|warning|note)\(\s*"([a-z-]+)""#).unwrap();
    let mut stated = BTreeSet::new();
    for file in ["component.rs", "gateway.rs", "http.rs"] {
        let text = fs::read_to_string(rules.join(file)).unwrap();
        let names = name.captures_iter(&text).map(|found| found[1].to_owned());
        stated.extend(names);
    }
    assert!(stated.len() > 40, "{stated:?}");
    let mut held: BTreeSet<&str> = GUESTS
        .iter()
        .flat_map(|(_, _, rules)| *rules)
        .copied()
        .collect();
    held.extend(PATHS.iter().chain(&ANYWHERE).chain(&HOSTS));
    held.extend(components().iter().map(|(_, _, rule)| *rule));
    // What has no end is seen where checks are shown to end.
    held.insert("endless");
    let held: BTreeSet<String> = held.into_iter().map(str::to_owned).collect();
    assert_eq!(stated, held);
}
