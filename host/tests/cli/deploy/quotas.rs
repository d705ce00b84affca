//! What a tenant may have and do by deploying, and how little others notice of it.

use super::{Home, answer, greeting};
use crate::compile::bomb;
use crate::serving::Serving;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes, on however busy a machine.
const LONG: Duration = Duration::from_secs(300);

/// A server of these tenants, with a token of each in a file of its name.
fn serve(tenants: &[&str], file: &str, flags: &[&str]) -> (Home, Serving) {
    let home = Home::new();
    home.write("rhost.toml", file);
    let flags = [&["-c", "rhost.toml", "--cache-dir", "cache"], flags].concat();
    let serving = home.serve(&flags);
    for tenant in tenants {
        let token = home.done(&["token", "create", "--tenant", tenant]);
        fs::write(home.path(tenant), token).unwrap();
    }
    (home, serving)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::yield_now();
    }
}

/// A deploy on its way.
fn begin(home: &Home, tenant: &str, app: &str, file: &str) -> Child {
    let host = format!("{app}.{tenant}.test");
    let line = [
        "deploy",
        file,
        "--app",
        app,
        "--host",
        &host,
        "--token-file",
        tenant,
    ];
    let mut command = home.command();
    command
        .args(line)
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    command.spawn().unwrap()
}

/// Components that are being compiled by `serving` now.
fn compiling(serving: &Serving) -> Vec<String> {
    let pid = serving.pid().as_raw_nonzero();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let children = tasks.flatten().filter_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).ok()?;
        Some(
            children
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    });
    let is_compiler = |pid: &String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        memchr::memmem::find(&line, b"compile-apart").is_some()
    };
    children.flatten().filter(is_compiler).collect()
}

/// A tenant whose components take long has one of them compiled at a time; another's is
/// not behind them, nor is the operator's, nor is anything else that is asked.
#[test]
fn slow_deploys_of_one_tenant_hold_up_nobody_else() {
    let tenants = ["slow", "victim"];
    let file = "[tenants.slow]\nmax-deploys = 4\nuploads = 5\n[tenants.victim]\n";
    let (home, serving) = serve(&tenants, file, &["--compile-cpu", "60s"]);
    let bomb = bomb();
    fs::write(home.path("bomb.wasm"), &bomb).unwrap();
    let mut slow: Vec<Child> = (0..4)
        .map(|number| begin(&home, "slow", &format!("slow-{number}"), "bomb.wasm"))
        .collect();
    // All of them are uploaded, and wait.
    until("they are there", || {
        let all = fs::read_dir(home.path("state/components"))
            .unwrap()
            .flatten();
        let whole = |size: u64| size == bomb.len() as u64;
        let sizes = all.filter_map(|entry| Some(entry.metadata().ok()?.len()));
        sizes.filter(|size| whole(*size)).count() == 4
    });
    until("one is compiled", || !compiling(&serving).is_empty());
    assert_eq!(compiling(&serving).len(), 1);
    // A fifth is one too many.
    let other = home.component("other");
    let line = ["deploy", &other, "--app", "more", "--host", "more.test"];
    let said = home.refused(&[&line[..], &["--token-file", "slow"]].concat(), 1);
    assert!(said.contains("max-deploys"), "{said}");
    let done = |slow: &mut Vec<Child>| {
        let ended = slow
            .iter_mut()
            .filter_map(|child| child.try_wait().unwrap());
        ended.count()
    };
    let line = ["deploy", &other, "--app", "victim", "--host", "victim.test"];
    home.done(&[&line[..], &["--token-file", "victim"]].concat());
    assert_eq!(greeting(&serving, "victim"), "Hello, other!");
    home.deploy("operators", "first");
    home.done(&["app", "disable", "victim"]);
    assert!(home.done(&["apps"]).contains("disabled"));
    let ended = done(&mut slow);
    assert!(ended <= 2, "{ended} slow ones were done before the others'");
    for mut child in slow {
        let _ = child.kill();
        child.wait().unwrap();
    }
}

/// Nobody waits for the file's components to be compiled.
#[test]
fn what_is_asked_while_the_file_is_applied_is_answered() {
    let (home, serving) = serve(&[], "", &["--compile-cpu", "60s"]);
    home.deploy("shop", "first");
    fs::write(home.path("bomb.wasm"), bomb()).unwrap();
    home.write(
        "rhost.toml",
        "[apps.bomb]\ncomponent = \"bomb.wasm\"\nhosts = \"bomb.test\"\n",
    );
    serving.signal(rustix::process::Signal::HUP);
    until("it is compiled", || !compiling(&serving).is_empty());
    let compiler = compiling(&serving);
    assert!(home.done(&["apps"]).contains("shop"));
    home.done(&["app", "disable", "shop"]);
    home.done(&["app", "enable", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert_eq!(compiling(&serving), compiler);
}

#[test]
fn a_tenant_has_as_much_as_it_may() {
    let file = "[tenants.acme]\nmax-apps = 2\nmax-versions = 2\nmax-hosts = 3\n";
    let (home, serving) = serve(&["acme"], file, &[]);
    let first = home.component("first");
    let deploy = |app: &str, more: &[&str]| {
        let line = ["deploy", &first, "--app", app, "--token-file", "acme"];
        let line: Vec<String> = [&line[..], more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect();
        line
    };
    let done = |app: &str, more: &[&str]| {
        let line = deploy(app, more);
        home.done(&line.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |app: &str, more: &[&str]| {
        let line = deploy(app, more);
        home.refused(&line.iter().map(String::as_str).collect::<Vec<_>>(), 1)
    };
    done("one", &["--host", "one.test"]);
    let said = refused(
        "two",
        &["--host", "a.test", "--host", "b.test", "--host", "c.test"],
    );
    assert!(said.contains("max-hosts"), "{said}");
    done("two", &["--host", "two.test", "--host", "too.test"]);
    let said = refused("three", &["--host", "three.test"]);
    assert!(
        said.contains("max-hosts") || said.contains("max-apps"),
        "{said}"
    );
    // One that is disabled counts, and the operator is bound by none of it.
    home.done(&["app", "disable", "one"]);
    let said = refused("three", &["--host", "three.test"]);
    assert!(said.contains("max-apps"), "{said}");
    let line = deploy("given", &["--host", "given.test", "--tenant", "acme"]);
    let own = line
        .iter()
        .filter(|word| !["--token-file", "acme"].contains(&word.as_str()));
    let own: Vec<&str> = own.map(String::as_str).chain(["acme"]).collect();
    home.done(&own);
    // What is there already may be deployed on, and the oldest version goes.
    for round in 0..3 {
        done("two", &["--env", &format!("ROUND={round}")]);
    }
    let shown = home.done(&["app", "show", "two", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let numbers = shown["versions"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers.map(|version| version["version"].as_u64()).collect();
    assert_eq!(numbers, [Some(4), Some(3)]);
    home.done(&["app", "delete", "one"]);
    home.done(&["app", "delete", "given"]);
    done("three", &["--host", "three.test"]);
    assert_eq!(greeting(&serving, "three"), "Hello, first!");
}

/// Asks on the socket with the token of `tenant`.
fn ask(home: &Home, tenant: &str, line: &str, fields: &str, body: &[u8]) -> (u16, String) {
    let mut stream = UnixStream::connect(home.path("state/admin.sock")).unwrap();
    let token = fs::read_to_string(home.path(tenant)).unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n{fields}\r\n",
        token.trim_end(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    answer(&mut stream)
}

fn post(home: &Home, tenant: &str, app: &str, file: &str) -> (u16, String) {
    let body = fs::read(home.path(file)).unwrap();
    let fields = format!("rhost-settings: {{\"hosts\": \"{app}.{tenant}.test\"}}\r\n");
    let line = format!("POST /v1/apps/{app}/versions");
    ask(home, tenant, &line, &fields, &body)
}

#[test]
fn what_a_tenant_has_on_the_disk_is_bounded() {
    let (home, serving) = serve(&["acme"], "[tenants.acme]\nmax-versions = 1\n", &[]);
    let files = ["first", "other", "third"].map(|name| home.component(name));
    let octets = fs::metadata(home.path(&files[0])).unwrap().len();
    home.write(
        "rhost.toml",
        &format!(
            "[tenants.acme]\nmax-versions = 1\nmax-state = {}\n",
            2 * octets + 1024
        ),
    );
    drop(serving.stop());
    let serving = home.serve(&["-c", "rhost.toml", "--cache-dir", "cache"]);
    assert_eq!(post(&home, "acme", "one", &files[0]).0, 201);
    assert_eq!(post(&home, "acme", "two", &files[1]).0, 201);
    let (status, said) = post(&home, "acme", "three", &files[2]);
    assert_eq!(status, 507, "{said}");
    assert!(
        said.contains("max-state") && said.contains("delete an app"),
        "{said}"
    );
    // The same component is there once, and another version takes the place of the last.
    assert_eq!(post(&home, "acme", "three", &files[0]).0, 201);
    assert_eq!(post(&home, "acme", "two", &files[2]).0, 201);
    let kept = fs::read_dir(home.path("state/components")).unwrap();
    let kept: u64 = kept
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(kept <= 2 * octets, "{kept}");
    home.deploy("operators", "newer");
    assert_eq!(greeting(&serving, "operators"), "Hello, newer!");
}

/// What is above a quota by the time that it holds stays, and may be deployed on; it does
/// not grow.
#[test]
fn what_is_above_a_quota_by_then_is_deployed_on() {
    let (home, mut serving) = serve(&["acme"], "[tenants.acme]\n", &[]);
    let files = ["first", "other", "third", "newer"].map(|name| home.component(name));
    let put = |app: &str, hosts: &str, file: &str| {
        let body = fs::read(home.path(file)).unwrap();
        let fields = format!("rhost-settings: {{\"hosts\": {hosts}}}\r\n");
        let line = format!("POST /v1/apps/{app}/versions");
        ask(&home, "acme", &line, &fields, &body)
    };
    let two = "[\"two.test\", \"too.test\"]";
    for (app, hosts, file) in [
        ("one", "\"one.test\"", 0),
        ("one", "\"one.test\"", 1),
        ("two", two, 0),
    ] {
        let (status, said) = put(app, hosts, &files[file]);
        assert_eq!(status, 201, "{said}");
    }
    home.write(
        "rhost.toml",
        "[tenants.acme]\nmax-apps = 1\nmax-hosts = 1\nmax-state = 1\n",
    );
    serving.signal(rustix::process::Signal::HUP);
    super::heard(&mut serving, "rhost.toml is applied");
    // Other components, in the place of versions that go.
    for (app, hosts, file) in [
        ("one", "\"one.test\"", 2),
        ("two", two, 3),
        ("two", "[\"two.test\", \"mov.test\"]", 3),
    ] {
        let (status, said) = put(app, hosts, &files[file]);
        assert_eq!(status, 201, "{said}");
    }
    assert_eq!(greeting(&serving, "one"), "Hello, third!");
    assert_eq!(greeting(&serving, "mov"), "Hello, newer!");
    for (app, hosts, status, says) in [
        ("three", "\"three.test\"", 403, "max-apps"),
        (
            "two",
            "[\"two.test\", \"too.test\", \"three.test\"]",
            403,
            "max-hosts",
        ),
    ] {
        let said = put(app, hosts, &files[3]);
        assert!(said.0 == status && said.1.contains(says), "{said:?}");
    }
    // What it has does not grow by a component that is larger.
    let mut larger = fs::read(home.path(&files[3])).unwrap();
    larger.extend_from_slice(b"\0\x81\x20\x01a");
    larger.resize(larger.len() + 4096 - 2, 0);
    fs::write(home.path("larger.wasm"), larger).unwrap();
    let said = put("two", two, "larger.wasm");
    assert!(said.0 == 507 && said.1.contains("max-state"), "{said:?}");
}

#[test]
fn settings_count_as_what_is_on_the_disk() {
    let (home, mut serving) = serve(&["acme"], "[tenants.acme]\n", &[]);
    let first = home.component("first");
    let octets = fs::metadata(home.path(&first)).unwrap().len();
    let most = octets + 8192;
    home.write(
        "rhost.toml",
        &format!("[tenants.acme]\nmax-state = {most}\n"),
    );
    serving.signal(rustix::process::Signal::HUP);
    super::heard(&mut serving, "rhost.toml is applied");
    let body = fs::read(home.path(&first)).unwrap();
    let put = |length: usize| {
        let value = "x".repeat(length);
        let fields = format!(
            "rhost-settings: {{\"hosts\": \"one.test\", \"env\": {{\"A\": \"{value}\"}}}}\r\n"
        );
        ask(&home, "acme", "POST /v1/apps/one/versions", &fields, &body)
    };
    // The component is there once, each version's settings by themselves.
    assert_eq!(put(3000).0, 201);
    assert_eq!(put(3001).0, 201);
    let (status, said) = put(3002);
    assert_eq!(status, 507, "{said}");
    assert!(said.contains("max-state"), "{said}");
    assert_eq!(put(1000).0, 201);
}

#[test]
fn a_tenant_deploys_and_compiles_as_often_as_it_may() {
    let file = "[tenants.often]\ndeploys-per-minute = 3\n[tenants.much]\ncompile-time = \"1ms\"\n";
    let (home, serving) = serve(&["often", "much"], file, &[]);
    let files = ["first", "other"].map(|name| home.component(name));
    let waits = |said: &str| {
        let field = said
            .lines()
            .find_map(|line| line.strip_prefix("retry-after: "));
        field.and_then(|seconds| seconds.trim().parse::<u64>().ok())
    };
    assert_eq!(post(&home, "often", "one", &files[0]).0, 201);
    // Each change counts, a refused one too.
    let change = |what: &str| {
        ask(
            &home,
            "often",
            &format!("POST /v1/apps/one/{what}"),
            "",
            b"",
        )
    };
    assert_eq!(change("disable").0, 200);
    assert_eq!(change("enable").0, 200);
    let (status, said) = change("disable");
    assert_eq!(status, 429, "{said}");
    assert!(said.contains("deploys-per-minute"), "{said}");
    assert!(
        waits(&said).is_some_and(|wait| (1..=20).contains(&wait)),
        "{said}"
    );
    assert_eq!(post(&home, "often", "one", &files[1]).0, 429);
    // The first takes more than a tenant may in a minute, and is not cut short.
    assert_eq!(post(&home, "much", "two", &files[1]).0, 201);
    let third = home.component("third");
    let (status, said) = post(&home, "much", "two", &third);
    assert_eq!(status, 429, "{said}");
    assert!(said.contains("compile-time"), "{said}");
    assert!(waits(&said).is_some_and(|wait| wait > 60), "{said}");
    // It may still do what takes no compiling: deploy what is kept, with other settings or
    // another's too, and go back to a version.
    assert_eq!(post(&home, "much", "two", &files[1]).0, 201);
    assert_eq!(post(&home, "much", "two", &files[0]).0, 201);
    let back = ask(&home, "much", "POST /v1/apps/two/rollback", "", b"");
    assert_eq!(back.0, 200, "{}", back.1);
    let off = ask(&home, "much", "POST /v1/apps/two/disable", "", b"");
    assert_eq!(off.0, 200, "{}", off.1);
    // The operator may do anything.
    home.deploy("operators", "newer");
    assert_eq!(greeting(&serving, "operators"), "Hello, newer!");
}

/// Its code may be lost, or be another engine's since an upgrade: nobody's visitor is sent
/// away for that, and for no quota.
#[test]
fn all_apps_of_a_tenant_are_served_when_their_code_is_lost() {
    const APPS: usize = 12;
    let file = "[tenants.acme]\ncompile-time = \"1ms\"\n";
    let (home, serving) = serve(&["acme"], file, &[]);
    for number in 10..10 + APPS {
        let (app, name) = (format!("app{number}"), format!("no.{number}"));
        let (file, host) = (home.component(&name), format!("{app}.test"));
        let line = ["deploy", &file, "--app", &app, "--host", &host];
        home.done(&[&line[..], &["--tenant", "acme"]].concat());
    }
    drop(serving.stop());
    for entry in fs::read_dir(home.path("cache")).unwrap().flatten() {
        if entry.path().extension().is_some_and(|end| end == "cwasm") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let serving = home.serve(&["-c", "rhost.toml", "--cache-dir", "cache"]);
    let (serving, start) = (&serving, &std::sync::Barrier::new(APPS));
    std::thread::scope(|scope| {
        let asked = (10..10 + APPS).map(|number| {
            let ask = move || {
                start.wait();
                greeting(serving, &format!("app{number}"))
            };
            (number, scope.spawn(ask))
        });
        for (number, asked) in asked.collect::<Vec<_>>() {
            assert_eq!(asked.join().unwrap(), format!("Hello, no.{number}!"));
        }
    });
}
