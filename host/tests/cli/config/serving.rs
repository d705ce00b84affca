//! A server of a file, and what becomes of it when the file changes.

use super::Home;
use crate::loader::{Loader, Target};
use crate::serving::{Serving, get};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

fn ask(serving: &Serving, host: &str) -> String {
    get(&serving.addr, "/", &format!("host: {host}\r\n"))
}

#[test]
fn sighup_applies_the_file_and_a_bad_one_changes_nothing() {
    let app = |host: &str| {
        format!("[apps.{host}]\ncomponent = \"hello.wasm\"\nhosts = \"{host}.test\"\n")
    };
    let home = Home::new(&app("one"));
    let mut serving = home.serve(&["--access-log", "off"]);
    assert!(
        serving.said.contains("serving 1 app on "),
        "{}",
        serving.said
    );
    assert!(
        serving
            .said
            .contains("(SIGHUP applies rhost.toml, Ctrl-C stops)"),
        "{}",
        serving.said
    );
    assert!(ask(&serving, "one.test").ends_with("Hello, world!\n"));
    assert!(ask(&serving, "two.test").starts_with("HTTP/1.1 421 "));
    // The rest of the world is asked meanwhile, by the host that it is called.
    home.write(&(app("one") + &app("test")));
    serving.signal(Signal::HUP);
    let said = serving.until("rhost.toml is applied");
    assert!(
        said.contains("1 added, 0 changed, 0 removed, 1 as before"),
        "{said}"
    );
    home.write(&(app("one") + "[apps.rest]\ncomponent = \"hello.wasm\"\n"));
    serving.signal(Signal::HUP);
    serving.until("1 added, 0 changed, 1 removed, 1 as before");
    let addr = serving.addr.parse().unwrap();
    let loader = Loader::start(&[Target::Http1(addr), Target::Http2(addr)], true);
    let rest = "[apps.rest]\ncomponent = \"hello.wasm\"\n";
    for round in 0..20 {
        loader.wait_for(10);
        let file = match round % 2 {
            0 => format!("{rest}cpu = \"{}s\"\n", round + 1),
            _ => format!("{rest}cpu = {round}\n{}", app("one")),
        };
        home.write(&file);
        serving.signal(Signal::HUP);
        let said = serving.until("applied");
        let is_bad = said.contains(
            "is not applied, and what was served is served on: rhost.toml:3: apps.rest.cpu: ",
        );
        assert_eq!(is_bad, round % 2 == 1, "{said}");
    }
    let tally = loader.stop();
    assert!(tally.failed.is_empty(), "{tally:?}");
    home.write("[server]\naddr = \"127.0.0.1:1\"\ngrace = \"1s\"\n[apps.rest]\ncomponent = \"hello.wasm\"\n");
    serving.signal(Signal::HUP);
    let said = serving.until("is not applied");
    assert!(said.contains("rhost.toml:2: server.addr: it holds for the life of a process; send SIGUSR2, or restart it (and 1 other error;"), "{said}");
    let (code, _, said) = serving.stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn with_watch_a_change_is_enough() {
    let app = |name: &str| {
        format!(
            "[server]\nwatch = true\n[apps.{name}]\ncomponent = \"hello.wasm\"\nhosts = \"{name}.test\"\n"
        )
    };
    let home = Home::new(&app("one"));
    let mut serving = home.serve(&["--access-log", "off"]);
    assert!(
        serving.said.contains("(SIGHUP or a change applies"),
        "{}",
        serving.said
    );
    // What lies beside the files is nobody's business.
    fs::write(home.path("note"), "").unwrap();
    home.write(&app("two"));
    let said = serving.until("rhost.toml is");
    assert!(
        said.contains("is applied: 1 added, 0 changed, 1 removed, 0 as before"),
        "{said}"
    );
    assert!(ask(&serving, "two.test").ends_with("Hello, world!\n"));
    home.write("[apps.two]\n");
    serving.until("is not applied");
    home.write(&app("three"));
    serving.until("is applied: 1 added");
    fs::write(home.path("hello.new"), b"no component").unwrap();
    fs::rename(home.path("hello.new"), home.path("hello.wasm")).unwrap();
    let said = serving.until("is not applied");
    assert!(said.contains("apps.three.component"), "{said}");
    assert!(ask(&serving, "three.test").ends_with("Hello, world!\n"));
}

#[test]
fn flags_beside_the_file_win_but_for_those_of_one_app() {
    let home = Home::new(
        "[server]\naddr = \"127.0.0.1:1\"\naccess-log = false\nthreads = 1\n[apps.a]\ncomponent = \"hello.wasm\"\n",
    );
    // Serving::start gives --addr, without which this fails: port 1 is not ours.
    let serving = home.serve(&["--access-log", "on"]);
    assert!(ask(&serving, "any.test").ends_with("Hello, world!\n"));
    let (_, access_log, _) = serving.stop();
    assert!(access_log.contains(" a "), "{access_log}");
    for flags in [
        &["--cpu", "1s"][..],
        &["--env", "A=b"],
        &["--mount", "/x"],
        &["--stack", "1MiB"],
        &["hello.wasm"],
    ] {
        let output = home.run(&[&["serve", "-c", "rhost.toml"], flags].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.ends_with("is for one app, and the file of -c may have several; put it there, or leave out -c\n"), "{said}");
    }
}

#[test]
fn a_component_that_does_not_load_is_named() {
    let home = Home::new(
        "[apps.good]\ncomponent = \"hello.wasm\"\nhosts = \"a.test\"\n[apps.bad]\ncomponent = \"bad.wasm\"\n[apps.worse]\ncomponent = \"worse.wasm\"\nmount = \"/x\"\n",
    );
    fs::write(
        home.path("bad.wasm"),
        wat::parse_str("(component)").unwrap(),
    )
    .unwrap();
    fs::write(home.path("worse.wasm"), b"\0asm\x0d\0\x01\0\xff").unwrap();
    let output = home.run(&["serve", "-c", "rhost.toml", "--quiet"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0].starts_with(
            "rhost: rhost.toml:5: apps.bad.component: bad.wasm: the component does not export"
        ),
        "{said}"
    );
    assert!(
        lines[1].starts_with(
            "rhost: rhost.toml:7: apps.worse.component: worse.wasm: not a valid component"
        ),
        "{said}"
    );
    assert_eq!(
        lines[2],
        "rhost: rhost.toml: 2 apps cannot be served; nothing is served until that is mended"
    );
}

/// What holds for the life of a process holds for the next one, and the file with it.
#[test]
fn sigusr2_has_another_process_serve_the_file_as_it_is_now() {
    let app = |name: &str| {
        format!("[apps.{name}]\ncomponent = \"hello.wasm\"\nhosts = \"{name}.test\"\n")
    };
    let home = Home::new(&app("one"));
    let mut serving = home.serve(&["--access-log", "off"]);
    home.write(&format!("[server]\ngrace = \"5s\"\n{}", app("two")));
    serving.signal(Signal::HUP);
    let said = serving.until("is not applied");
    assert!(said.contains("send SIGUSR2"), "{said}");
    serving.signal(Signal::USR2);
    let line = serving.until(" has taken over");
    let pid = line.split(' ').nth(2).and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(Pid::from_raw).expect("it says which");
    // The last one still takes what came before it said so.
    let mut answers = (0..10_000).map(|_| ask(&serving, "two.test"));
    assert!(answers.any(|answer| answer.ends_with("Hello, world!\n")));
    let mut answers = (0..10_000).map(|_| ask(&serving, "one.test"));
    assert!(answers.any(|answer| answer.starts_with("HTTP/1.1 421 ")));
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(serving.rest().0, Some(0));
}
