//! What a token of one tenant names that is not its tenant's, and files that are none.

use super::admin::{Admin, Asked};
use super::{Home, greeting};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;
use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Bytes of memory that no file is behind.
fn memory(pid: rustix::process::Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}

fn pipe(home: &Home, name: &str) -> String {
    mkfifoat(CWD, home.path(name), Mode::RUSR | Mode::WUSR).unwrap();
    home.path(name).display().to_string()
}

/// Whatever it names, it is answered before anything of it is looked at: the same whether
/// it is there or not, at once, and nobody waits for it.
#[test]
fn what_a_tenant_may_not_name_is_not_looked_at() {
    let home = Home::new();
    home.write("rhost.toml", "[tenants.acme]\n[tenants.other]\n");
    let mut serving = home.serve(&["-c", "rhost.toml", "--admin", "127.0.0.1:0"]);
    let admin = Admin::of(&serving);
    let acme = home.token("acme");
    let pipe = pipe(&home, "pipe");
    let _socket = UnixListener::bind(home.path("socket")).unwrap();
    fs::write(home.path("file"), "secret").unwrap();
    let there = home.path("file").display().to_string();
    let before = memory(serving.pid());
    let secret =
        |source: &str| format!("{{\"secrets\": {{\"A\": {source}}}, \"hosts\": \"a.test\"}}");
    let file = |path: &str| secret(&format!("{{\"file\": \"{path}\"}}"));
    let dir = |path: &str| format!("{{\"dir\": \"{path}:/x\", \"hosts\": \"a.test\"}}");
    let tenant = |name: &str| format!("{{\"tenant\": \"{name}\", \"hosts\": \"a.test\"}}");
    for group in [
        vec![
            file("nowhere/at/all"),
            file(&there),
            file(&pipe),
            file("/dev/zero"),
            file("/dev/tty"),
            file("/dev/ptmx"),
            file("/etc/shadow"),
            file("/"),
            file("socket"),
            secret("{\"env\": \"PATH\"}"),
            secret("{\"env\": \"RHOST_NOT_SET\"}"),
        ],
        vec![
            dir("nowhere/at/all"),
            dir(&there),
            dir(&pipe),
            dir("/"),
            dir("/root"),
            dir("/dev/zero"),
        ],
        vec![tenant("other"), tenant("othe"), tenant("nobody")],
    ] {
        let mut answers = Vec::new();
        for settings in group {
            let asked = Asked::deploy("new").with(&format!("rhost-settings: {settings}"));
            let (status, said) = admin.ask(&asked.token(&acme).body(b"\0asm"));
            assert_eq!(status, 403, "{settings}: {said}");
            answers.push(said);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    let grown = memory(serving.pid()).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown}");
    // What it was given is looked at for it, and is not taken up by another's app.
    fs::write(home.path("lent"), "one").unwrap();
    let deploy = ["deploy", &home.component("first"), "--app", "shop"];
    let lends = ["--tenant", "acme", "--host", "shop.test", "--set"];
    let secrets = ["secrets={A={file=\"lent\"}}"];
    home.done(&[&deploy[..], &lends, &secrets].concat());
    let again = Asked::deploy("shop").token(&acme).body(b"");
    let (status, said) = admin.ask(&again);
    assert_eq!(status, 400, "{said}");
    let other = Asked::deploy("mine").with(&format!("rhost-settings: {}", file("lent")));
    assert_eq!(admin.ask(&other.token(&acme)).0, 403);
    // Nor is anything held that others need.
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert!(home.done(&["apps"]).contains("shop"));
    serving.signal(Signal::USR2);
    let line = serving.until(" has taken over");
    let pid = line.split(' ').nth(2).and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
}

/// The operator may name them, and is told what they are.
#[test]
fn what_is_no_regular_file_is_no_secret() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let component = home.component("first");
    home.deploy("blog", "other");
    let pipe = pipe(&home, "pipe");
    fs::write(home.path("large"), vec![b'x'; (128 << 10) + 1]).unwrap();
    fs::write(home.path("octets"), b"\xff").unwrap();
    for (path, says) in [
        (&*pipe, "it is a pipe, and not a regular file"),
        ("/dev/zero", "it is a device, and not a regular file"),
        ("/dev/ptmx", "it is a device, and not a regular file"),
        ("state/admin.sock", "it is a socket, and not a regular file"),
        ("/proc", "it is a directory, and not a regular file"),
        ("large", "it is larger than 128 KiB"),
        ("octets", "it is not UTF-8"),
        ("nowhere", "no such file or directory"),
    ] {
        let set = format!("secrets={{A={{file=\"{path}\"}}}}");
        let line = ["deploy", &component, "--app", "shop", "--host", "shop.test"];
        let said = home.refused(&[&line[..], &["--set", &set]].concat(), 1);
        assert!(said.contains("apps.shop.secrets.A: "), "{said}");
        assert!(said.contains(says), "{path}: {said}");
    }
    assert_eq!(greeting(&serving, "blog"), "Hello, other!");
}

/// Others deploy while a file is applied that names such, or that is one.
#[test]
fn a_file_that_names_a_pipe_is_not_applied_and_holds_nobody_up() {
    let home = Home::new();
    home.component("first");
    let pipe = pipe(&home, "pipe");
    let app = "[apps.mine]\ncomponent = \"first.wasm\"\nhosts = \"mine.test\"\n";
    fs::write(home.path("secret"), "one\n").unwrap();
    let whole = format!("{app}secrets = {{ A = {{ file = \"secret\" }} }}\n");
    home.write("rhost.toml", &whole);
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    for (text, says) in [
        (whole.replace("secret\"", "pipe\""), "it is a pipe"),
        (whole.replace("secret\"", "/dev/zero\""), "it is a device"),
        (app.replace("first.wasm", "pipe"), "it is a pipe"),
        (app.replace("first.wasm", "/dev/zero"), "it is a device"),
    ] {
        home.write("rhost.toml", &text);
        serving.signal(Signal::HUP);
        let line = serving.until("rhost.toml is not applied");
        assert!(line.contains(says), "{line}");
        home.deploy("shop", "other");
    }
    // What a name leads to may change after it was written.
    home.write("rhost.toml", &whole);
    for name in ["secret", "first.wasm", "rhost.toml"] {
        let kept = home.path("kept");
        fs::rename(home.path(name), &kept).unwrap();
        fs::rename(&pipe, home.path(name)).unwrap();
        serving.signal(Signal::HUP);
        let line = serving.until("rhost.toml is not applied");
        assert!(line.contains("it is a pipe"), "{name}: {line}");
        home.deploy("shop", "later");
        fs::rename(home.path(name), &pipe).unwrap();
        fs::rename(&kept, home.path(name)).unwrap();
    }
    serving.signal(Signal::HUP);
    serving.until("rhost.toml is applied");
    assert_eq!(greeting(&serving, "mine"), "Hello, first!");
}

/// A deploy is about one app: what another names is not read for it.
#[test]
fn another_apps_files_are_not_read_for_a_deploy() {
    let home = Home::new();
    home.component("first");
    fs::write(home.path("secret"), "one\n").unwrap();
    home.write(
        "rhost.toml",
        "[apps.mine]\ncomponent = \"first.wasm\"\nhosts = \"mine.test\"\nsecrets = { A = { file = \"secret\" } }\n",
    );
    let serving = home.serve(&["-c", "rhost.toml"]);
    fs::remove_file(home.path("secret")).unwrap();
    fs::rename(home.path("first.wasm"), home.path("gone")).unwrap();
    home.deploy("shop", "other");
    home.done(&["app", "disable", "shop"]);
    home.done(&["app", "enable", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    assert_eq!(greeting(&serving, "mine"), "Hello, first!");
}

/// Whatever a file is that a setting names, the command says so and ends.
#[test]
fn commands_wait_for_no_pipe() {
    let home = Home::new();
    let pipe = pipe(&home, "pipe");
    home.component("first");
    let app = "[apps.mine]\ncomponent = \"first.wasm\"\n";
    for (name, text) in [
        ("component", app.replace("first.wasm", "pipe")),
        (
            "secret",
            format!("{app}secrets = {{ A = {{ file = \"pipe\" }} }}\n"),
        ),
        (
            "cert",
            format!("[server]\ntls-cert = \"pipe\"\ntls-key = \"pipe\"\n{app}"),
        ),
        (
            "ca",
            format!("[server]\notlp = \"https://localhost\"\notlp-ca = \"pipe\"\n{app}"),
        ),
    ] {
        home.write(&format!("{name}.toml"), &text);
    }
    let (is_pipe, is_large) = ("it is a pipe", "it is larger than 256 MiB");
    for (line, says) in [
        (&["config", "check", "-c", "component.toml"][..], is_pipe),
        (&["config", "check", "-c", "secret.toml"], is_pipe),
        (&["config", "check", "-c", "cert.toml"], is_pipe),
        (&["config", "check", "-c", "ca.toml"], is_pipe),
        (&["config", "check", "-c", &pipe], is_pipe),
        (&["serve", "--addr", "127.0.0.1:0", "-c", &pipe], is_pipe),
        (&["serve", "--addr", "127.0.0.1:0", "/dev/zero"], is_large),
    ] {
        let mut command = home.command();
        command
            .args(line)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                let _ = child.kill();
                panic!("it waits: {line:?}");
            }
            std::thread::yield_now();
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{line:?}: {said}");
        assert!(said.contains(says), "{line:?}: {said}");
    }
}
