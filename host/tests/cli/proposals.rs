//! Proposals of WebAssembly that are compiled in, as builds without them had faults, and that no
//! guest is lent.

use crate::by_hand::{ANSWERS, application, written};
use crate::serving::{Serving, rhost};
use std::fs;

/// What a module is made of that needs one of them, and what that is called.
const NEEDS: [(&str, &str); 11] = [
    ("(type (struct (field i32)))", "garbage collection"),
    ("(type (array i8))", "garbage collection"),
    (
        "(rec (type $t (func)) (type (func (param (ref null $t)))))",
        "garbage collection",
    ),
    (
        "(func (drop (ref.i31 (i32.const 1))))",
        "garbage collection",
    ),
    ("(func (param anyref))", "garbage collection"),
    (
        "(type $f (func)) (func (param (ref null $f)))",
        "function references",
    ),
    (
        "(type $f (func)) (func (param funcref) (call_ref $f (unreachable)))",
        "function references",
    ),
    ("(tag $e) (func (throw $e))", "exceptions"),
    ("(func (param exnref))", "exceptions"),
    ("(memory 1 1 shared)", "threads"),
    ("(func (drop (i32.atomic.load (i32.const 0))))", "threads"),
];

#[test]
fn those_that_are_off_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    for (module, word) in NEEDS {
        let path = written(home.path(), "app.wasm", &application(module, ANSWERS));
        let config = home.path().join("rhost.toml");
        fs::write(&config, "[apps.a]\ncomponent = \"app.wasm\"\n").unwrap();
        let (app, config) = (path.to_str().unwrap(), config.to_str().unwrap());
        for command in [
            &["serve", app][..],
            &["check", app],
            &["config", "check", "-c", config],
        ] {
            let output = rhost().args(command).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{command:?} {module}: {said}");
            assert!(
                said.contains("not a valid component: "),
                "{command:?} {module}: {said}"
            );
            let advice = format!("; rhost runs no guest that needs {word}: build it without");
            assert!(said.contains(&advice), "{command:?} {module}: {said}");
        }
    }
}

/// What every toolchain writes by now is no such proposal.
#[test]
fn those_that_are_standard_are_there() {
    let home = tempfile::tempdir().unwrap();
    let module = r#"
        (memory $second 1)
        (table $any 1 funcref)
        (func $sum (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
        (func $tail (result i32) (return_call $one))
        (func $one (result i32) (i32.const 1))
        (func (drop (i32x4.splat (i32.extend8_s (i32.trunc_sat_f32_s (f32.const 1))))))"#;
    let path = written(home.path(), "app.wasm", &application(module, ANSWERS));
    let serving = Serving::start(rhost(), &[path.to_str().unwrap()]);
    assert!(serving.get("/").starts_with("HTTP/1.1 200 "));
    let config = home.path().join("rhost.toml");
    fs::write(&config, "[apps.a]\ncomponent = \"app.wasm\"\n").unwrap();
    let checked = rhost()
        .args(["config", "check", "-c"])
        .arg(&config)
        .output();
    assert!(checked.unwrap().status.success());
}
