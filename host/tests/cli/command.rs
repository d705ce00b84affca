//! The command as a person uses it: what it says, and how it ends.

use crate::serving::{Serving, rhost};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;

/// A directory with one file in it, called app.wasm.
fn app(file: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("app.wasm");
    std::fs::write(&path, file).unwrap();
    (home, path)
}

/// Serves `path`, which is to fail.
fn serve(path: &Path, flags: &[&str]) -> Output {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().join("cache");
    rhost()
        .arg("serve")
        .arg(path)
        .arg("--cache-dir")
        .arg(cache)
        .args(flags)
        .output()
        .unwrap()
}

/// What it said: one line that begins with the command's name, and no backtrace.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("compiling"))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].starts_with("rhost: "), "{text}");
    lines[0].to_owned()
}

fn hello() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello")
}

/// A component with these WIT-level imports and exports, and nothing in it.
fn component(text: &str) -> (tempfile::TempDir, PathBuf) {
    app(&wat::parse_str(text).unwrap())
}

#[test]
fn a_missing_file() {
    let said = complaint(&serve(Path::new("nowhere/app.wasm"), &[]));
    assert_eq!(said, "rhost: nowhere/app.wasm: no such file or directory");
}

#[test]
fn what_follows_dev_is_the_app() {
    let output = rhost()
        .args(["serve", "--dev", "nowhere/app.wasm"])
        .output();
    let said = complaint(&output.unwrap());
    assert!(said.contains("nowhere/app.wasm: no such file"), "{said}");
}

#[test]
fn a_core_module() {
    let (_home, path) = app(b"\0asm\x01\0\0\0");
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("not a component") && said.contains("wasm32-wasip2"),
        "{said}"
    );
}

#[test]
fn something_else() {
    for file in [
        &b"#!/bin/sh\n"[..],
        b"",
        b"\0asm",
        b"\0asm\x0d\0\x01\0garbage",
    ] {
        let (_home, path) = app(file);
        let said = complaint(&serve(&path, &[]));
        assert!(said.contains("component"), "{said}");
    }
}

#[test]
fn precompiled_code() {
    let (_home, path) = app(b"\x7fELF\x02\x01\x01\0 and more");
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("precompiled") && said.contains("never loaded"),
        "{said}"
    );
}

#[test]
fn a_component_that_exports_something_else() {
    let (_home, path) = component("(component)");
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("does not export rhost:gateway/app@0.1.0"),
        "{said}"
    );

    let (_home, path) =
        component(r#"(component (instance $run) (export "wasi:cli/run@0.2.0" (instance $run)))"#);
    let said = complaint(&serve(&path, &[]));
    assert!(said.contains("a command with a main function"), "{said}");

    let (_home, path) = component(
        r#"(component (instance $h) (export "wasi:http/incoming-handler@0.2.0" (instance $h)))"#,
    );
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("wasi:http") && said.contains("rhost-sdk"),
        "{said}"
    );
}

#[test]
fn an_import_that_the_host_does_not_have() {
    let (_home, path) = component(
        r#"(component
            (import "wasi:http/outgoing-handler@0.2.3" (instance (export "x" (func))))
            (import "acme:db/sql" (instance (export "query" (func))))
            (core module $m (func (export "handle")))
            (core instance $i (instantiate $m))
            (func $handle (canon lift (core func $i "handle")))
            (instance $app (export "handle" (func $handle)))
            (export "rhost:gateway/app@0.1.0" (instance $app)))"#,
    );
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("wasi:http/outgoing-handler@0.2.3 (outbound HTTP is not lent"),
        "{said}"
    );
    assert!(
        said.contains("acme:db/sql (compose the component"),
        "{said}"
    );
}

#[test]
fn a_handle_of_another_type() {
    let (_home, path) = component(
        r#"(component
            (core module $m (func (export "handle")))
            (core instance $i (instantiate $m))
            (func $handle (canon lift (core func $i "handle")))
            (instance $app (export "handle" (func $handle)))
            (export "rhost:gateway/app@0.1.0" (instance $app)))"#,
    );
    let said = complaint(&serve(&path, &[]));
    assert!(
        said.contains("handle") && said.contains("gateway"),
        "{said}"
    );
}

#[test]
fn a_directory_that_is_no_crate() {
    let home = tempfile::tempdir().unwrap();
    let said = complaint(&serve(home.path(), &[]));
    assert!(said.contains("no Cargo.toml"), "{said}");
}

#[test]
fn a_lent_directory_that_is_not_there() {
    let (_home, path) = component("(component)");
    let said = complaint(&serve(&path, &["--dir", "nowhere:/data"]));
    assert!(
        said.contains("--dir nowhere: no such file or directory"),
        "{said}"
    );
}

#[test]
fn flags_that_make_no_sense() {
    for flags in [
        ["--cpu", "fast"],
        ["--memory", "much"],
        ["--env", "novalue"],
        ["--mount", "blog"],
        ["--dir", "x"],
    ] {
        let output = rhost()
            .args(["serve", "app.wasm"])
            .args(flags)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(
            text.contains(flags[0]) && (text.contains("expected") || text.contains("must be")),
            "{text}"
        );
    }
}

#[test]
fn help_has_examples() {
    let output = rhost().args(["serve", "--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success()
            && text.contains("Examples:")
            && text.contains("rhost serve app.wasm"),
        "{text}"
    );
}

/// A host that serves the example, built from its crate.
fn serving_hello(flags: &[&str]) -> Serving {
    let hello = hello();
    Serving::start(rhost(), &[&[hello.to_str().unwrap()], flags].concat())
}

#[test]
fn a_crate_is_built_and_served_and_stopped() {
    let serving = serving_hello(&[]);
    let answer = serving.get("/");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("Hello, world!\n"),
        "{answer}"
    );
    let (code, access_log, said) = serving.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(access_log.lines().count(), 1, "{access_log}");
    assert!(
        access_log.contains("127.0.0.1 \"GET / HTTP/1.1\" 200 14 "),
        "{access_log}"
    );
    assert!(said.contains("stopping"), "{said}");
}

#[test]
fn the_access_log_can_be_off() {
    let serving = serving_hello(&["--access-log", "off"]);
    serving.get("/");
    let (code, access_log, _) = serving.stop();
    assert_eq!((code, access_log.as_str()), (Some(0), ""));
}

#[test]
fn logs_can_be_json() {
    let serving = serving_hello(&["--log-format", "json"]);
    serving.get("/hello/%22%0a?q=%22");
    let (_, access_log, _) = serving.stop();
    let line: serde_json::Value = serde_json::from_str(access_log.trim_end()).unwrap();
    assert_eq!(line["target"], "/hello/%22%0a?q=%22");
    assert_eq!(
        (&line["status"], &line["octets"]),
        (&200.into(), &11.into())
    );
    assert_eq!(line["protocol"], "HTTP/1.1");
    assert_eq!(line["request"].as_str().unwrap().len(), 16);
}

#[test]
fn quiet_says_nothing() {
    // A cache of its own, so that there is something to compile and to be quiet about.
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let flags = ["--quiet", "--cache-dir", cache.to_str().unwrap()];
    // It does not say where it serves either, so it is told.
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = port.local_addr().unwrap().to_string();
    let output = rhost()
        .arg("serve")
        .arg(hello())
        .args(["--addr", &addr])
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // All that is said is what went wrong.
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("the port is in use"), "{said}");
}

#[test]
fn more_places_than_there_are() {
    for (asked, is_told) in [("100000", true), ("10", false)] {
        let serving = serving_hello(&["--concurrency", asked]);
        let said = serving.said.clone();
        serving.stop();
        let told = said.contains(&format!("--concurrency {asked}"));
        assert_eq!(told, is_told, "{said}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut serving = serving_hello(&["--grace", "1h"]);
    // A request whose head never ends would hold it for the whole hour.
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\nGET / HTTP/1.1\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 16]).unwrap();
    serving.signal(Signal::TERM);
    serving.until("stopping");
    // It may have drained already; if not, this ends it.
    serving.signal(Signal::INT);
    let (code, ..) = serving.end();
    assert!(matches!(code, Some(0 | 130)), "{code:?}");
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = rhost()
        .arg("serve")
        .arg(hello())
        .args(["--addr", &addr])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("rhost: cannot listen on ") && last.contains("--addr"),
        "{text}"
    );
}

#[test]
fn more_memory_to_start_with_than_allowed() {
    let output = rhost()
        .arg("serve")
        .arg(hello())
        .args(["--addr", "127.0.0.1:0", "--memory", "32KiB"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.lines().last().unwrap().contains("--memory"), "{text}");
}

#[test]
fn a_cache_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, path) = component("(component)");
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = rhost()
        .arg("serve")
        .arg(path)
        .arg("--cache-dir")
        .arg(cache.path())
        .output()
        .unwrap();
    let said = complaint(&output);
    assert!(
        said.contains("open to others") && said.contains("chmod 700"),
        "{said}"
    );
}
