//! `rhost config check`, `show` and `schema`.

use super::Home;
use super::errors::errors_home;
use crate::by_hand::{ANSWERS, application};
use crate::serving::{get, rhost};
use rhost::config::{Config, catalogue, schema};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const GOOD: &str = "\
[server]
grace = \"5s\"
[defaults]
memory = \"64MiB\"
env = { COMMON = \"yes\" }
[tenants.acme]
concurrency = 10
[apps.shop]
component = \"hello.wasm\"
tenant = \"acme\"
hosts = [\"shop.test\", \"*.shop.test\"]
mount = \"/shop\"
cpu = \"500ms\"
secrets = { TOKEN = { env = \"RHOST_TEST_TOKEN\" } }
";

#[test]
fn check_says_all_and_ends_with_2() {
    let home = Home::new("[apps.a]\nmount = \"x\"\ncpu = 1\n");
    for arguments in [&["config", "check"][..], &["serve", "-c", "rhost.toml"]] {
        let output = home.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 4, "{said}");
        assert!(
            lines[1].starts_with("rhost: rhost.toml:2: apps.a.mount: "),
            "{said}"
        );
        assert_eq!(
            lines[3],
            "rhost: rhost.toml: 3 errors; nothing is done with it until that is mended"
        );
    }
    home.write("[apps.a]\ncomponent = \"hello.wasm\"\n");
    let output = home.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "rhost.toml: 1 app, no errors\n"
    );
    let output = home.run(&["config", "check", "-c", "absent.toml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.starts_with("rhost: absent.toml: no such file or directory\n"),
        "{said}"
    );
}

/// A file of tenants is what a server has beside what is deployed: check takes what serve
/// takes.
#[test]
fn a_file_without_apps_is_checked_as_it_is_served() {
    let home = Home::new("[tenants.acme]\n");
    for command in ["check", "show"] {
        let output = home.run(&["config", command]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(
            said,
            "rhost: rhost.toml: warning: apps: there is no app; serve it with --state DIR, or add one, as [apps.shop]\n"
        );
    }
    let output = home.run(&["config", "check"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "rhost.toml: no app, no errors\n"
    );
    let serving = home.serve(&["--state", "state"]);
    assert_eq!(serving.stop().0, Some(0));
    // Without a place for what is deployed it is an error.
    let output = home.run(&["serve", "-c", "rhost.toml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && said.contains("there is no app"),
        "{said}"
    );
    home.write("[server]\nstate = \"state\"\n");
    let output = home.run(&["config", "check"]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    home.write("[tenants.acme]\nmax-app = 1\n");
    assert_eq!(home.run(&["config", "check"]).status.code(), Some(2));
}

/// A component that is refused, with the settings of its app, and what is said of it.
fn refused() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let app = |module: &str| wat::parse_str(application(module, ANSWERS)).unwrap();
    let beside = |text: &str| {
        let text = application("", ANSWERS).replace("(;imports;)", text);
        wat::parse_str(text).unwrap()
    };
    let several = "(core module $m (memory 900) (table 1001 funcref))
        (core instance (instantiate $m)) (core instance (instantiate $m))";
    vec![
        (
            b"\0asm\x0d\0\x01\0\xff".to_vec(),
            "",
            "not a valid component: ",
        ),
        (
            wat::parse_str("(component)").unwrap(),
            "",
            "the component does not export rhost:gateway/app@0.1.0: it exports nothing",
        ),
        (
            beside("(import \"acme:db/sql@1.0.0\" (instance))"),
            "",
            "the component imports what rhost does not lend: acme:db/sql@1.0.0 (",
        ),
        (
            app("(func (result i32) (i64.const 1))"),
            "",
            "type mismatch: expected i32, found i64",
        ),
        (app("(memory i64 1)"), "", "not a valid component: "),
        (
            app(&format!("(elem func {})", "$spin ".repeat(9_000))),
            "",
            "it has 288064 octets of passive element segments in its instances, and may have 131072",
        ),
        (
            app("(memory 1) (memory 1)"),
            "",
            "it has 2 memories in one module, and may have 1",
        ),
        // Each of them is within the limit.
        (
            beside(several),
            "memory = \"64MiB\"\n",
            "it starts with 113.5 MiB of memory and may have 64 MiB; allow it more with --memory",
        ),
        (
            beside(several),
            "table-elements = 1000\n",
            "it starts with a table of 1001 elements and may have 1000; allow it more with --table-elements",
        ),
    ]
}

#[test]
fn check_refuses_the_components_that_a_reload_refuses() {
    const APP: &str = "[apps.a]\ncomponent = \"app.wasm\"\n";
    let home = Home::new(APP);
    fs::copy(home.path("hello.wasm"), home.path("app.wasm")).unwrap();
    let mut serving = home.serve(&[]);
    for (component, settings, says) in refused() {
        fs::write(home.path("new.wasm"), component).unwrap();
        fs::rename(home.path("new.wasm"), home.path("app.wasm")).unwrap();
        home.write(&format!("{APP}{settings}"));
        let output = home.run(&["config", "check"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{says}: {said}");
        let line = if settings.is_empty() { 2 } else { 3 };
        let first = said.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("rhost: rhost.toml:{line}: apps.a."))
                && first.contains(": app.wasm: ")
                && first.contains(says),
            "{says}: {said}"
        );
        serving.signal(Signal::HUP);
        let said = serving.until("applied");
        assert!(
            said.contains("is not applied") && said.contains(": app.wasm: ") && said.contains(says),
            "{says}: {said}"
        );
    }
    // What is refused for its settings is not refused for itself.
    home.write(&format!("{APP}table-elements = 1001\n"));
    let output = home.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(0));
    serving.signal(Signal::HUP);
    serving.until("is applied");
    let answer = get(&serving.addr, "/", "host: any.test\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn show_has_every_key_and_no_secret() {
    let home = Home::new(GOOD);
    let show = |flags: &[&str]| {
        let mut command = rhost();
        command
            .current_dir(&home.0)
            .args(["config", "show"])
            .args(flags);
        let output = command.env("RHOST_TEST_TOKEN", "hunter2").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains("hunter2"));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = show(&[]);
    for line in [
        "grace = \"5s\"  # line 2",
        "max-connections = 16384  # default",
        "memory = \"64MiB\"  # [defaults], line 4",
        "cpu = \"500ms\"  # line 13",
        "env = { COMMON = \"yes\" }  # [defaults], line 5",
        "hosts = [\"shop.test\", \"*.shop.test\"]  # line 11",
        "mount = \"/shop/\"  # line 12",
        "secrets = { TOKEN = { env = \"RHOST_TEST_TOKEN\" } }  # line 14",
        "# concurrency: what memory allows for an app of its size, at most 1000",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    assert!(!text.contains("hunter2"));
    for key in catalogue::SERVER.iter().chain(catalogue::APP) {
        let is_there = |line: &str| {
            let line = line.trim_start_matches("# ");
            line.strip_prefix(key.name)
                .is_some_and(|rest| rest.starts_with([':', ' ']))
        };
        assert!(text.lines().any(is_there), "{}", key.name);
    }
    let json: serde_json::Value = serde_json::from_str(&show(&["--json"])).unwrap();
    assert_eq!(json["apps"]["shop"]["memory"]["value"], "64MiB");
    assert_eq!(json["apps"]["shop"]["memory"]["from"]["table"], "defaults");
    assert_eq!(json["apps"]["shop"]["table-elements"]["from"], "default");
    assert_eq!(json["tenants"]["acme"]["concurrency"]["value"], 10);
    assert!(!json.to_string().contains("hunter2"));
    // What is shown is a file that says the same.
    home.write(&text);
    let again = show(&["--json"]);
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    for key in catalogue::APP {
        let value = |json: &serde_json::Value| json["apps"]["shop"][key.name]["value"].clone();
        assert_eq!(value(&again), value(&json), "{}", key.name);
    }
}

/// The schema, the table of the book and what is read have the same keys.
#[test]
fn schema_book_and_parser_agree() {
    let schema = schema();
    let of_schema = |pointer: &str| -> BTreeSet<String> {
        let found = schema.pointer(pointer).and_then(|found| found.as_object());
        found.expect("it is there").keys().cloned().collect()
    };
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let book = fs::read_to_string(book).unwrap();
    for (title, pointer, keys) in [
        (
            "## `[server]`",
            "/properties/server/properties",
            catalogue::SERVER,
        ),
        (
            "## `[defaults]`",
            "/properties/defaults/properties",
            catalogue::DEFAULTS,
        ),
        (
            "## `[tenants.NAME]`",
            "/properties/tenants/additionalProperties/properties",
            catalogue::TENANT,
        ),
        (
            "## `[apps.NAME]`",
            "/properties/apps/additionalProperties/properties",
            catalogue::APP,
        ),
    ] {
        let names: BTreeSet<String> = keys.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(of_schema(pointer), names, "{title}");
        let section = book.split(title).nth(1).expect(title);
        let section = section.split("\n## ").next().unwrap();
        let rows: Vec<&str> = section
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let told: BTreeSet<String> = rows
            .iter()
            .map(|row| row.split('`').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(told, names, "{title}");
        for key in keys {
            let row = rows
                .iter()
                .find(|row| row.starts_with(&format!("| `{}` ", key.name)));
            let columns: Vec<&str> = row.unwrap().split('|').map(str::trim).collect();
            let default = key.default.trim_matches(['(', ')']);
            assert_eq!(columns[2].trim_matches('`'), default, "{}", key.name);
        }
    }
    // What the schema says is a value is read as one.
    let home = errors_home();
    for (keys, table) in [
        (catalogue::SERVER, "[server]"),
        (catalogue::DEFAULTS, "[defaults]"),
    ] {
        for key in keys.iter().filter(|key| !key.default.starts_with('(')) {
            // By itself it would need others.
            if key.name == "proxy-headers" {
                continue;
            }
            let text = format!(
                "[apps.a]\ncomponent = \"ok.wasm\"\n{table}\n{} = {}\n",
                key.name, key.default
            );
            let read = Config::parse(&home.path().join("f.toml"), &text);
            assert!(read.is_ok(), "{}: {read:?}", key.name);
        }
    }
}
