//! `rhost inspect`, and what rhost says of itself.

use rhost::package::Build;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn rhost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rhost"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a command that succeeds prints.
fn printed(arguments: &[&str]) -> String {
    let output = rhost(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn hello() -> String {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let built = Build::release(&example).run().unwrap();
    built[0].to_str().unwrap().to_owned()
}

fn file(octets: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("app.wasm");
    std::fs::write(&path, octets).unwrap();
    (home, path)
}

#[test]
fn an_app_is_told_whole() {
    let hello = hello();
    let text = printed(&["inspect", &hello]);
    for line in [
        "hello.wasm: a component of",
        "rhost:gateway/server@0.1.0             the gateway\n    [method]output.write\n    start-response\n",
        "--env, nothing else\n    get-environment",
        "rhost:gateway/app@0.1.0\n    handle\n",
        "the size class small",
        "64 KiB at the start",
        "processed-by  rustc ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let facts: serde_json::Value =
        serde_json::from_str(&printed(&["inspect", &hello, "--json"])).unwrap();
    let parts = facts["parts"].as_array().unwrap().iter();
    let sum: u64 = parts.map(|part| part["size"].as_u64().unwrap()).sum();
    assert_eq!(sum, std::fs::metadata(&hello).unwrap().len());
    assert_eq!(facts["memories"][0]["initial"], 65536);
    let wit = printed(&["inspect", &hello, "--wit"]);
    assert!(
        wit.contains("export rhost:gateway/app@0.1.0;") && wit.contains("record environ"),
        "{wit}"
    );
}

#[test]
fn what_is_not_lent_stands_out() {
    let text = r#"(component
        (import "wasi:http/outgoing-handler@0.2.3" (instance (export "x" (func)))))"#;
    let (_home, path) = file(&wat::parse_str(text).unwrap());
    let text = printed(&["inspect", path.to_str().unwrap()]);
    assert!(
        text.contains("wasi:http/outgoing-handler@0.2.3       NOT LENT: outbound HTTP is not lent"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_cut_short_or_damaged_is_an_error_of_one_line() {
    let whole = std::fs::read(hello()).unwrap();
    let cut = (0..whole.len())
        .step_by(whole.len() / 40)
        .map(|at| whole[..at].to_vec());
    let damaged = (8..whole.len()).step_by(whole.len() / 40).map(|at| {
        let mut file = whole.clone();
        file[at] ^= 0xff;
        file
    });
    for octets in cut.chain(damaged) {
        // A name that is damaged may still be a name; nothing may panic.
        if let Err(error) = rhost::inspect::inspect(&octets) {
            assert!(!error.to_string().is_empty());
        }
    }
    for (octets, reason) in [
        (&whole[..1000], "app.wasm: not a component: "),
        (
            b"\0asm\x01\0\0\0",
            "a core module; build it for wasm32-wasip2",
        ),
        (b"#!/bin/sh", "does not begin as WebAssembly does"),
    ] {
        let (_home, path) = file(octets);
        let output = rhost(&["inspect", path.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        assert!(
            script.contains("inspect") && script.contains("serve"),
            "{shell}"
        );
    }
    let page = printed(&["man"]);
    for part in [
        "RHOST SERVE",
        "RHOST INSPECT",
        "RHOST CHECK",
        "log\\-rate",
        ".TH rhost 1",
    ] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
}
