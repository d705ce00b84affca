//! Instructions that work on much memory at once are stopped like all others, and nobody waits
//! for them.

use crate::by_hand::{ANSWERS, application, written};
use crate::serving::{Serving, get, rhost};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

/// Has 230 MiB of memory.
const GROWS: &str = "(drop (memory.grow (i32.const 3664)))";

/// Each is one instruction that takes far longer than the limit of 2 ms.
const LONG: [(&str, &str); 3] = [
    (
        "memory.fill",
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 241172480))",
    ),
    (
        "memory.copy",
        "(memory.copy (i32.const 0) (i32.const 120586240) (i32.const 120586240))",
    ),
    // From its end, as it overlaps.
    (
        "memory.copy",
        "(memory.copy (i32.const 65536) (i32.const 0) (i32.const 241106944))",
    ),
];

#[test]
fn one_is_stopped_before_it_is_done() {
    let home = tempfile::tempdir().unwrap();
    for (name, instruction) in LONG {
        let text = application("", &format!("{GROWS} {instruction} {ANSWERS}"));
        let path = written(home.path(), "by-hand.wasm", &text);
        let arguments = [path.to_str().unwrap(), "--cpu", "2ms"];
        let serving = Serving::start(rhost(), &arguments);
        let answer = serving.get("/");
        assert!(answer.starts_with("HTTP/1.1 504 "), "{name}: {answer}");
        let (_, _, said) = serving.stop();
        assert!(said.contains("CPU limit of 2ms reached (--cpu)"), "{said}");
        // That is where it was, and not behind.
        assert!(said.contains(&format!("   0: {name}\n")), "{said}");
    }
}

#[test]
fn what_it_does_is_done_whole() {
    let home = tempfile::tempdir().unwrap();
    // 0..n is copied by one that overlaps itself, and all of it is looked at after.
    let module = r#"
        (func $differs (param $shift i32) (result i32) (local $at i32) (local $found i32)
          (loop $next
            (local.set $found (i32.or (local.get $found) (i32.ne
              (i32.load8_u (i32.add (local.get $at) (local.get $shift)))
              (i32.rem_u (local.get $at) (i32.const 251)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 3000000))))
          (local.get $found))
        (func $writes (local $at i32)
          (loop $next
            (i32.store8 (local.get $at) (i32.rem_u (local.get $at) (i32.const 251)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 3000000)))))"#;
    let handle = format!(
        "(drop (memory.grow (i32.const 64)))
         (call $writes)
         (memory.copy (i32.const 1001) (i32.const 0) (i32.const 3000000))
         (if (call $differs (i32.const 1001)) (then unreachable))
         (memory.copy (i32.const 0) (i32.const 1001) (i32.const 3000000))
         (if (call $differs (i32.const 0)) (then unreachable))
         {ANSWERS}"
    );
    let path = written(home.path(), "by-hand.wasm", &application(module, &handle));
    let serving = Serving::start(rhost(), &[path.to_str().unwrap()]);
    let answer = serving.get("/");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // One that is out of bounds writes nothing, and traps as ever.
    let handle = format!("(memory.fill (i32.const 8) (i32.const 7) (i32.const 1048576)) {ANSWERS}");
    let path = written(home.path(), "by-hand.wasm", &application("", &handle));
    let serving = Serving::start(rhost(), &[path.to_str().unwrap()]);
    assert!(serving.get("/").starts_with("HTTP/1.1 500 "));
    let (_, _, said) = serving.stop();
    assert!(said.contains("out of bounds memory access"), "{said}");
}

/// Four that fill 230 MiB again and again, beside a neighbour of another tenant.
#[test]
fn others_are_answered_beside_them() {
    let home = tempfile::tempdir().unwrap();
    let endless = format!("{GROWS} (loop $again {} (br $again))", LONG[0].1);
    written(home.path(), "fills.wasm", &application("", &endless));
    written(home.path(), "answers.wasm", &application("", ANSWERS));
    let config = home.path().join("rhost.toml");
    fs::write(
        &config,
        "[tenants.one]\n[tenants.other]\n\
         [apps.fills]\ncomponent = \"fills.wasm\"\ntenant = \"one\"\nhosts = \"fills.test\"\ncpu = \"1s\"\ntimeout = \"10m\"\n\
         [apps.answers]\ncomponent = \"answers.wasm\"\ntenant = \"other\"\nhosts = \"answers.test\"\n",
    )
    .unwrap();
    let serving = Serving::start(rhost(), &["-c", config.to_str().unwrap()]);
    let ask = |host: &str| get(&serving.addr, "/", &format!("host: {host}\r\n"));
    assert!(ask("answers.test").starts_with("HTTP/1.1 200 "));
    let (running, answered) = (AtomicU32::new(4), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = ask("fills.test");
                running.fetch_sub(1, Ordering::Relaxed);
                assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
            });
        }
        while running.load(Ordering::Relaxed) > 0 {
            assert!(ask("answers.test").starts_with("HTTP/1.1 200 "));
            answered.fetch_add(1, Ordering::Relaxed);
        }
    });
    // Of those that waited for whole instructions it had nine, on two busy cores, and some 400 since.
    let answered = answered.into_inner();
    assert!(answered >= 100, "{answered} answers");
    let (_, _, said) = serving.stop();
    assert_eq!(said.matches("CPU limit of 1s reached").count(), 4, "{said}");
}
