//! `rhost config`, and `rhost serve -c`: what is said of a file, and what is done
//! about it.

use crate::loader::{Loader, Target};
use crate::serving::{Serving, get, rhost};
use rhost::config::{Config, catalogue, schema};
use rhost::package::Build;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A directory with a file in it, and the component of the example beside it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Home(tempfile::tempdir().unwrap());
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
        let built = Build::release(&hello).run().unwrap().remove(0);
        fs::copy(built, home.path("hello.wasm")).unwrap();
        home.write(text);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, text: &str) {
        // Whole, as whoever watches it expects.
        fs::write(self.path("rhost.new"), text).unwrap();
        fs::rename(self.path("rhost.new"), self.path("rhost.toml")).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        rhost()
            .current_dir(&self.0)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A server of the file.
    fn serve(&self, flags: &[&str]) -> Serving {
        let mut command = rhost();
        command.current_dir(&self.0);
        Serving::start(command, &[&["-c", "rhost.toml"], flags].concat())
    }
}

/// Each thing that can be wrong with a file, and what is said of it, word for word. The
/// file's first line is empty, and `ok.wasm` is a component.
const ERRORS: &[(&str, &[&str])] = &[
    (
        "",
        &["f.toml: apps: there is no app; add one, as [apps.shop] with component = \"shop.wasm\""],
    ),
    (
        "[server]\naddr = [1",
        &[
            "f.toml:3: not TOML: unclosed array, expected `]`",
            "f.toml:3: server.addr: expected an address as 127.0.0.1:8000 or unix:/run/rhost.sock, in quotes",
        ],
    ),
    (
        "[sever]\n[apps.a]\ncomponent = \"ok.wasm\"",
        &["f.toml:2: sever: unknown key; did you mean `server`?"],
    ),
    (
        "server = 1\n[apps.a]\ncomponent = \"ok.wasm\"",
        &["f.toml:2: server: expected a table, as [server]"],
    ),
    (
        "[apps.a]",
        &["f.toml:2: apps.a: it has no component; add component = \"app.wasm\""],
    ),
    (
        "[apps.a]\ncomponent = \"no.wasm\"",
        &["f.toml:3: apps.a.component: HOME/no.wasm: no such file or directory"],
    ),
    (
        "[apps.a]\ncomponent = \"core.wasm\"",
        &[
            "f.toml:3: apps.a.component: HOME/core.wasm: a core WebAssembly module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`",
        ],
    ),
    (
        "[apps.a]\ncomponent = \".\"",
        &[
            "f.toml:3: apps.a.component: HOME/.: a directory; build it first, and name what `rhost build` prints",
        ],
    ),
    (
        "[apps.a]\ncomponent = 7",
        &["f.toml:3: apps.a.component: expected a path, in quotes"],
    ),
    (
        "[apps.\"a b\"]\ncomponent = \"ok.wasm\"",
        &[
            "f.toml:2: apps.a b: expected a name of 1 to 64 letters, digits and -_. that begins with a letter or a digit, as shop-2",
        ],
    ),
    (
        "[apps]\na = 1",
        &["f.toml:3: apps.a: expected a table for each app, as [apps.a]"],
    ),
    (
        "APPmout = \"/x\"",
        &["f.toml:4: apps.a.mout: unknown key; did you mean `mount`?"],
    ),
    (
        "APPaddr = \"127.0.0.1:1\"",
        &["f.toml:4: apps.a.addr: it is a key of [server]; move it there"],
    ),
    (
        "APP[server]\nhosts = \"a.test\"",
        &["f.toml:5: server.hosts: it is a key of an app, [apps.NAME]; move it there"],
    ),
    (
        "APPmount = \"blog\"",
        &["f.toml:4: apps.a.mount: expected a path that begins with /, as /blog"],
    ),
    (
        "APPmount = [\"/a\", \"/b\"]",
        &["f.toml:4: apps.a.mount: expected a path that begins with /, as /blog, and only one"],
    ),
    (
        "APPhosts = [\"a.test\", \"a.test:80\"]",
        &[
            "f.toml:4: apps.a.hosts: the port is not part of it: an app has all that are listened on",
        ],
    ),
    (
        "APPhosts = [\"a.test\", \"A.test.\"]",
        &["f.toml:4: apps.a.hosts: `a.test` is there twice; take one out"],
    ),
    (
        "APPhosts = []",
        &[
            "f.toml:4: apps.a.hosts: there is no host in it; name one, or leave it out for every host that no other app has",
        ],
    ),
    (
        "APPcpu = 10",
        &[
            "f.toml:4: apps.a.cpu: a number has no unit; expected a time such as 50ms, 2s or 1m, in quotes",
        ],
    ),
    (
        "APPcpu = \"10\"",
        &["f.toml:4: apps.a.cpu: expected a time such as 50ms, 2s or 1m"],
    ),
    (
        "APPcpu = \"0s\"",
        &["f.toml:4: apps.a.cpu: must be more than nothing"],
    ),
    (
        "APPmemory = \"10s\"",
        &["f.toml:4: apps.a.memory: expected a size such as 4096, 64KiB or 1.5GiB"],
    ),
    (
        "APPmemory = -1",
        &["f.toml:4: apps.a.memory: expected a size such as 4096, 64KiB or 1.5GiB"],
    ),
    (
        "APPconcurrency = 0",
        &["f.toml:4: apps.a.concurrency: expected a whole number from 1 to 4294967295"],
    ),
    (
        "APPqueue = \"many\"",
        &["f.toml:4: apps.a.queue: expected a whole number, 0 or more"],
    ),
    (
        "APPdir = \"data\"",
        &[
            "f.toml:4: apps.a.dir: expected HOST:GUEST or HOST:GUEST:ro, as ./data:/data:ro; the guest's path begins with /",
        ],
    ),
    (
        "APPdir = \"data:/data\"",
        &["f.toml:4: apps.a.dir: HOME/data: no such file or directory"],
    ),
    (
        "APPenv = \"A=b\"",
        &["f.toml:4: apps.a.env: expected a table, as { GREETING = \"hi\" }"],
    ),
    (
        "APPenv = { A = 7 }",
        &["f.toml:4: apps.a.env.A: expected its value in quotes"],
    ),
    (
        "APPenv = { \"A=B\" = \"\" }",
        &["f.toml:4: apps.a.env.A=B: expected the name of a variable, without ="],
    ),
    (
        "APPsecrets = { A = \"hunter2\" }",
        &[
            "f.toml:4: apps.a.secrets.A: a secret is not written here; give { file = \"PATH\" } or { env = \"NAME\" }",
        ],
    ),
    (
        "APPsecrets = { A = { value = \"hunter2\" } }",
        &["f.toml:4: apps.a.secrets.A: expected { file = \"PATH\" } or { env = \"NAME\" }"],
    ),
    (
        "APPsecrets = { A = { file = \"no\" } }",
        &["f.toml:4: apps.a.secrets.A: HOME/no: no such file or directory"],
    ),
    (
        "APPsecrets = { A = { env = \"RHOST_TEST_UNSET\" } }",
        &[
            "f.toml:4: apps.a.secrets.A: the variable `RHOST_TEST_UNSET` is not set; set it for this process",
        ],
    ),
    (
        "APPenv = { A = \"\" }\nsecrets = { A = { file = \"token\" } }",
        &["f.toml:5: apps.a.secrets.A: `A` is a variable of env as well; take it out there"],
    ),
    (
        "APPtenant = \"acne\"\n[tenants.acme]",
        &["f.toml:4: apps.a.tenant: there is no tenant `acne`; did you mean `acme`?"],
    ),
    (
        "APPtenant = \"acme\"",
        &["f.toml:4: apps.a.tenant: there is no tenant `acme`; add [tenants.acme]"],
    ),
    (
        "APP[tenants.acme]\nqueue = 2",
        &[
            "f.toml:5: tenants.acme.queue: there is nothing to wait for without a share; add concurrency",
        ],
    ),
    (
        "APP[tenants.acme]\nweight = 2",
        &[
            "f.toml:5: tenants.acme.weight: unknown key; there are concurrency, queue, queue-timeout",
        ],
    ),
    (
        "APP[apps.b]\ncomponent = \"ok.wasm\"",
        &[
            "f.toml:4: apps.b.hosts: every other host at / is app `a`'s already (line 2); give one of them another host or mount",
        ],
    ),
    (
        "APPhosts = \"a.test\"\n[apps.b]\ncomponent = \"ok.wasm\"\nhosts = [\"b.test\", \"A.test\"]",
        &[
            "f.toml:7: apps.b.hosts: a.test/ is app `a`'s already (line 2); give one of them another host or mount",
        ],
    ),
    (
        "APPhosts = \"a.test\"\n[apps.b]\ncomponent = \"ok.wasm\"\nhosts = \"a.test\"\nmount = \"/b\"\ntenant = \"t\"\n[tenants.t]",
        &[
            "f.toml:7: apps.b.hosts: a.test has app `a` of another tenant (line 2), and to a browser both were one site; give it another host",
        ],
    ),
    (
        "APPhosts = \"a.test\"\ndir = \"lent:/d\"\n[apps.b]\ncomponent = \"ok.wasm\"\ntenant = \"t\"\ndir = \"lent/below:/d\"\n[tenants.t]",
        &[
            "f.toml:9: apps.b.dir: HOME/lent/below is within what app `a` of another tenant is lent (line 2); lend them different ones, or both read-only",
        ],
    ),
    (
        "APP[server]\naddr = \"localhost:80\"",
        &[
            "f.toml:5: server.addr: not an address; it is IP:PORT as 127.0.0.1:8000 or [::1]:8000, unix:PATH, or fd:N",
        ],
    ),
    (
        "APP[server]\naddr = [\"127.0.0.1:1\", \"x\"]",
        &[
            "f.toml:5: server.addr: not an address; it is IP:PORT as 127.0.0.1:8000 or [::1]:8000, unix:PATH, or fd:N",
        ],
    ),
    (
        "APP[server]\nadmin = \"0.0.0.0:1\"",
        &[
            "f.toml:5: server.admin: others could reach it, and it asks for no password; give an address of this machine only as 127.0.0.1:9000, or unix:PATH",
        ],
    ),
    (
        "APP[server]\nunix-mode = 600",
        &["f.toml:5: server.unix-mode: expected three digits from 0 to 7, as 660, in quotes"],
    ),
    (
        "APP[server]\nlog-format = \"jsno\"",
        &["f.toml:5: server.log-format: expected one of text, json; did you mean `json`?"],
    ),
    (
        "APP[server]\nunknown-host = 403",
        &["f.toml:5: server.unknown-host: expected one of 421, 404; did you mean `404`?"],
    ),
    (
        "APP[server]\nquiet = \"yes\"",
        &["f.toml:5: server.quiet: expected true or false"],
    ),
    (
        "APP[server]\nmax-request-line = \"1\"",
        &["f.toml:5: server.max-request-line: expected a size from 256 bytes to 1 MiB"],
    ),
    (
        "APP[server]\ntrusted-proxy = \"proxy.test\"",
        &["f.toml:5: server.trusted-proxy: "],
    ),
    (
        "APP[server]\nproxy-protocol = true",
        &["f.toml:5: server.proxy-protocol: it does nothing by itself; add trusted-proxy"],
    ),
    (
        "APP[server]\ntls-client-ca = \"token\"",
        &["f.toml:5: server.tls-client-ca: it does nothing by itself; add tls-cert and tls-key"],
    ),
    (
        "APP[server]\ntls-cert = \"token\"",
        &[
            "f.toml:5: server.tls-cert: there are 1 certificates (tls-cert) and 0 keys (tls-key); give a key for each, in the same order",
        ],
    ),
    (
        "APP[server]\ntls-cert = \"no.pem\"\ntls-key = \"token\"",
        &["f.toml:5: server.tls-cert: HOME/no.pem: no such file or directory"],
    ),
    (
        "APP[server]\ntls-cert = \"token\"\ntls-key = \"token\"\ntls-self-signed = true",
        &[
            "f.toml:7: server.tls-self-signed: there are certificates of your own (tls-cert); take one of the two out",
        ],
    ),
    (
        "APP[defaults]\ndir = \"lent:/d\"",
        &["f.toml:5: defaults.dir: it is a key of an app, [apps.NAME]; move it there"],
    ),
    // All at once, in the order of lines.
    (
        "APPcpu = 1\nmemry = 1\n[server]\ngrace = \"x\"",
        &[
            "f.toml:4: apps.a.cpu: a number has no unit; expected a time such as 50ms, 2s or 1m, in quotes",
            "f.toml:5: apps.a.memry: unknown key; did you mean `memory`?",
            "f.toml:7: server.grace: expected a time such as 50ms, 2s or 1m",
        ],
    ),
];

/// A directory with what the errors above name.
fn errors_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(path("ok.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    fs::write(path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::create_dir_all(path("lent/below")).unwrap();
    fs::write(path("token"), "hunter2\n").unwrap();
    fs::set_permissions(path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    home
}

#[test]
fn each_error_has_its_line_its_key_and_what_to_do() {
    let home = errors_home();
    let shown = home.path().display().to_string();
    let mut wrong = String::new();
    for (text, expected) in ERRORS {
        let app = "[apps.a]\ncomponent = \"ok.wasm\"\n";
        let text = format!("\n{}\n", text.replace("APP", app));
        let found = Config::parse(&home.path().join("f.toml"), &text).unwrap_err();
        let found: Vec<String> = found
            .iter()
            .map(|problem| {
                problem
                    .to_string()
                    .replace(&format!("{shown}/f.toml"), "f.toml")
            })
            .map(|line| line.replace(&shown, "HOME"))
            .collect();
        let is_same = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, expected)| {
                // What another library says of its own is not ours to fix.
                found == expected || (expected.ends_with(": ") && found.starts_with(expected))
            });
        if !is_same {
            wrong += &format!("{text}\n expected {expected:#?}\n found {found:#?}\n");
        }
        assert!(!found.concat().contains("hunter2"), "{found:?}");
        assert!(found.iter().all(|line| !line.contains('\n')), "{found:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_most_likely_not_meant_is_told_and_served() {
    let home = errors_home();
    let token = home.path().join("token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let text = "[tenants.t]\n[apps.a]\ncomponent = \"ok.wasm\"\nhosts = \"*.test\"\n\
                secrets = { A = { file = \"token\" } }\n\
                [apps.b]\ncomponent = \"ok.wasm\"\nhosts = \"b.test\"\ntenant = \"t\"\n";
    let config = Config::parse(&home.path().join("f.toml"), text).unwrap();
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    let [secret, hosts] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(
        secret.contains("f.toml:5: warning: apps.a.secrets.A: "),
        "{secret}"
    );
    assert!(
        secret.ends_with("can be read by every user of this machine; chmod 600 it"),
        "{secret}"
    );
    assert!(
        hosts.contains(
            "f.toml:8: warning: apps.b.hosts: b.test overlaps *.test of app `a` (line 2)"
        ),
        "{hosts}"
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}

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
