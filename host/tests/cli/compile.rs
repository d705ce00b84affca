//! Components that cost much to compile end the process that compiles, and that one
//! alone.

use crate::serving::{Serving, rhost};
use rhost::package::Build;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A small file that keeps Cranelift busy: functions of many values that live long.
pub fn bomb() -> Vec<u8> {
    let mut body = String::new();
    for value in 0..200 {
        write!(body, "(local.get 0) (i32.const {value}) (i32.mul) ").unwrap();
    }
    body += &"(i32.xor) ".repeat(199);
    let function = format!("(func (param i32) (result i32) {body})");
    wat::parse_str(format!(
        "(component (core module {}))",
        function.repeat(12_000)
    ))
    .unwrap()
}

/// The status and what was said of serving `file` with `flags`.
fn serve(file: &[u8], flags: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bomb.wasm");
    fs::write(&path, file).unwrap();
    let output = rhost()
        .args(["serve", path.to_str().unwrap(), "--addr", "127.0.0.1:0"])
        .arg("--cache-dir")
        .arg(home.path().join("cache"))
        .args(flags)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn beyond_a_limit_it_is_refused_and_the_flag_named() {
    let bomb = bomb();
    let (code, said) = serve(&bomb, &["--compile-cpu", "1s"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(
            "takes more than 1s of CPU time to compile; allow it more with --compile-cpu"
        ),
        "{said}"
    );
    let (code, said) = serve(&bomb, &["--compile-memory", "64MiB"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--compile-memory"), "{said}");
}

#[test]
fn what_is_no_component_is_told_as_before() {
    let (code, said) = serve(b"\0asm\x0d\0\x01\0\xff", &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not a valid component: "), "{said}");
    // It is found by whoever compiles: a function that leaves nothing to return.
    let text = "(component (core module (func (result i32))))";
    let (code, said) = serve(&wat::parse_str(text).unwrap(), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not a valid component: ") && said.contains("type mismatch"),
        "{said}"
    );
}

#[test]
fn what_serves_is_not_touched() {
    let home = tempfile::tempdir().unwrap();
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let app = home.path().join("app.wasm");
    fs::copy(Build::release(&hello).run().unwrap().remove(0), &app).unwrap();
    let config = home.path().join("rhost.toml");
    fs::write(
        &config,
        "[server]\ncompile-cpu = \"1s\"\n[apps.hello]\ncomponent = \"app.wasm\"\n",
    )
    .unwrap();
    let flags = ["-c", config.to_str().unwrap(), "--cache-dir"];
    let cache = home.path().join("cache");
    let mut serving = Serving::start(rhost(), &[&flags[..], &[cache.to_str().unwrap()]].concat());
    fs::write(&app, bomb()).unwrap();
    rustix::process::kill_process(serving.pid(), rustix::process::Signal::HUP).unwrap();
    let said = serving.until("what was served is served on");
    assert!(said.contains("takes more than 1s of CPU time"), "{said}");
    assert!(serving.get("/").ends_with("Hello, world!\n"));
}
