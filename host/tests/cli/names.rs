//! Names that a component gives its functions, and whatever else it is made of: they cost nobody
//! anything, and write no line that is not theirs.

use crate::by_hand::{application, written};
use crate::serving::{Serving, rhost};
use std::fs;
use std::process::Output;

/// A name as C++ mangles it. Each part stands for four of the one before: 1.5 MB from 80 bytes.
const GROWS: &str = "_Z1f1a1tIS_S_S_S_E1bIS0_S0_S0_S0_E1cIS2_S2_S2_S2_E1dIS4_S4_S4_S4_E\
1eIS6_S6_S6_S6_E1gIS8_S8_S8_S8_E1hISA_SA_SA_SA_E1iISC_SC_SC_SC_E1jISE_SE_SE_SE_E";

/// A name that a parser that goes back is at for seconds, and that stands for nothing.
const STALLS: &str = "_ZUlscDF16_ptS_gs1aSaOS_gs1aSaOS_IOS_IOS_gs1aOS_gs1aSaOS_gs1aSaS_gs1aSaOS_\
gs1aSaOS_gs1aSaOS_gs1aSaOSaOS_gsSaOS_gs1aSaOS_gs1aSaOS_gs1aSaOS_gs1a1aSaOS_gs1a1aSaOS_\
1a1aSaOS_gs1a1aSaOS_1aSaOS_1aSaOgs1a1aSaOS_gs1a1aSaOS_rcM1a1aSaOS_gs1a1aSaOS_gs1a1aSaOS_";

/// A name that is more than its line, on a terminal and in a file.
const FORGES: &str = r"f\0aT by-hand 0 rhost: forged\0d\1b[2J\u{202e}";

/// The component, in text, of an app that fails in functions with these names, each called by
/// the one before.
fn failing(names: &[&str]) -> String {
    let mut functions = String::new();
    for (number, name) in names.iter().enumerate() {
        let last = names.len() - 1 == number;
        let body = match last {
            true => "unreachable".to_owned(),
            false => format!("(call $nested{})", number + 1),
        };
        functions += &format!("(func $nested{number} (@name \"{name}\") {body})\n");
    }
    application(&functions, "(call $nested0)")
}

/// The most memory that the process has had, in bytes.
fn peak(serving: &Serving) -> u64 {
    let pid = serving.pid().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() << 10
}

#[test]
fn they_cost_no_more_than_others() {
    let home = tempfile::tempdir().unwrap();
    for (what, name) in [("grows", GROWS), ("stalls", STALLS)] {
        let path = written(home.path(), "by-hand.wasm", &failing(&[name; 20]));
        let arguments = [path.to_str().unwrap(), "--access-log", "off"];
        let serving = Serving::start(rhost(), &arguments);
        let before = peak(&serving);
        for _ in 0..3 {
            let answer = serving.get("/");
            assert!(answer.starts_with("HTTP/1.1 500 "), "{what}: {answer}");
        }
        let grown = peak(&serving).saturating_sub(before);
        assert!(grown < 64 << 20, "{what}: {grown}");
        let (_, _, said) = serving.stop();
        assert_eq!(said.matches("trapped: ").count(), 3, "{what}");
        let length = said.len();
        assert!(length < 128 << 10, "{what}: {length} bytes were logged");
    }
}

#[test]
fn a_backtrace_has_no_more_lines_than_its_app_may_write() {
    let home = tempfile::tempdir().unwrap();
    let path = written(
        home.path(),
        "by-hand.wasm",
        &failing(&["x".repeat(500).as_str(); 20]),
    );
    let arguments = [path.to_str().unwrap(), "--log-rate", "1KiB"];
    let serving = Serving::start(rhost(), &arguments);
    // One in a second is told whatever the share is, with how many lines were not.
    let (begun, mut asked) = (std::time::Instant::now(), 0);
    while asked < 100 || begun.elapsed() < std::time::Duration::from_millis(1100) {
        assert!(serving.get("/").starts_with("HTTP/1.1 500 "));
        asked += 1;
    }
    let (_, _, said) = serving.stop();
    let told = said.matches("trapped: ").count();
    assert!((2..50).contains(&told), "{told} are told");
    let before_last = said.rsplit("trapped: ").nth(1).unwrap_or_default();
    assert!(
        before_last.contains(" lines of this app were dropped ("),
        "{said}"
    );
    // All of them would be 1.2 MB.
    assert!(said.len() < 100 << 10, "{} bytes", said.len());
}

#[test]
fn they_forge_no_line() {
    let home = tempfile::tempdir().unwrap();
    let path = written(home.path(), "by-hand.wasm", &failing(&["g", FORGES]));
    let path = path.to_str().unwrap();
    for format in ["text", "json"] {
        let arguments = [path, "--log-format", format, "--access-log", "off", "--dev"];
        let serving = Serving::start(rhost(), &arguments);
        let page = serving.get_with("/", "host: localhost\r\n");
        assert!(page.contains("rhost: forged"), "{format}: {page}");
        harmless(&page, "\nT by-hand");
        let (_, _, said) = serving.stop();
        assert!(said.contains("rhost: forged"), "{format}: {said}");
        harmless(&said, "\nT by-hand");
    }
    let output = rhost().args(["check", path]).output().unwrap();
    assert!(text(&output).contains("rhost: forged"), "{}", text(&output));
    harmless(&text(&output), "\nT by-hand");
    let output = rhost().args(["check", "--json", path]).output().unwrap();
    harmless(&text(&output), "\nT by-hand");
}

/// Whatever a component is made of is quoted by those who refuse it, or look at it.
#[test]
fn names_of_imports_and_of_tools_forge_none_either() {
    let home = tempfile::tempdir().unwrap();
    let unmet = format!(
        r#"(component
            (core module $m (import "{FORGES}" "{FORGES}" (func)))
            (core instance (instantiate $m)))"#
    );
    let path = written(home.path(), "by-hand.wasm", &unmet);
    for command in ["serve", "check", "inspect"] {
        let output = rhost().arg(command).arg(&path).output().unwrap();
        assert!(!output.status.success(), "{command}");
        harmless(&text(&output), "\nT by-hand");
    }
    let tools = failing(&["g"]).replacen(
        "(component",
        &format!(r#"(component (@producers (processed-by "{FORGES}" "{FORGES}"))"#),
        1,
    );
    let path = written(home.path(), "by-hand.wasm", &tools);
    for flags in [
        &["inspect"][..],
        &["inspect", "--json"],
        &["inspect", "--wit"],
    ] {
        let output = rhost().args(flags).arg(&path).output().unwrap();
        let said = text(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("forged") || flags.contains(&"--wit"),
            "{said}"
        );
        harmless(&said, "\nT by-hand");
    }
}

/// Both that a command says.
fn text(output: &Output) -> String {
    let both = [&output.stdout[..], b"\n", &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

/// Fails if there is a line in `said` that begins like this, or what moves a cursor.
#[track_caller]
fn harmless(said: &str, line: &str) {
    assert!(!said.contains(line), "{said}");
    // The framing of HTTP has line ends of its own.
    let said = said.replace("\r\n", "\n");
    assert!(!said.contains(['\r', '\u{1b}', '\u{202e}']), "{said:?}");
}
