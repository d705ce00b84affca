//! What is said of a file that is wrong, and of one that is odd.

use rhost::config::Config;
use std::fs;
use std::os::unix::fs::PermissionsExt;

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
        "APP[defaults]\nmemory = 64",
        &[
            "f.toml:5: defaults.memory: a number without a unit is bytes; expected a size such as 4096, 64KiB or 1.5GiB, with its unit in quotes",
        ],
    ),
    (
        "APPmemory = 64",
        &[
            "f.toml:4: apps.a.memory: a number without a unit is bytes; expected a size such as 4096, 64KiB or 1.5GiB, with its unit in quotes",
        ],
    ),
    (
        "APP[tenants.t]\nmemory = 64",
        &[
            "f.toml:5: tenants.t.memory: a number without a unit is bytes; expected a size such as 4096, 64KiB or 1.5GiB, with its unit in quotes",
        ],
    ),
    (
        "APP[server]\nmemory-budget = 64",
        &["f.toml:5: server.memory-budget: expected a size of 1 MiB or more"],
    ),
    (
        "[apps.a]\ncomponent = \"large.wasm\"\nmemory = \"1MiB\"",
        &[
            "f.toml:4: apps.a.memory: HOME/large.wasm: it starts with 2 MiB of memory and may have 1 MiB; allow it more with --memory",
        ],
    ),
    (
        "APP[apps.b]\ncomponent = \"large.wasm\"\nhosts = \"b.test\"\n[defaults]\nmemory = \"1MiB\"",
        &[
            "f.toml:4: apps.b.memory: HOME/large.wasm: it starts with 2 MiB of memory and may have 1 MiB; allow it more with --memory",
        ],
    ),
    (
        "APPtimeout = \"18446744073709551615s\"",
        &["f.toml:4: apps.a.timeout: must be 100 years or less"],
    ),
    (
        "APP[tenants.t]\nconcurrency = 1\nqueue-timeout = \"9223372036854775807s\"",
        &["f.toml:6: tenants.t.queue-timeout: must be 100 years or less"],
    ),
    (
        "APP[server]\nkeep-alive = \"101y\"",
        &["f.toml:5: server.keep-alive: must be 100 years or less"],
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
        "APP[tenants.acme]\nshare = 2",
        &[
            "f.toml:5: tenants.acme.share: unknown key; there are concurrency, queue, queue-timeout, weight, memory, followers, uploads, log-rate, hosts, max-apps, max-versions, max-hosts, max-state, max-deploys, deploys-per-minute, compile-time",
        ],
    ),
    (
        "APP[tenants.acme]\nweight = 0",
        &["f.toml:5: tenants.acme.weight: expected a whole number from 1 to 10000"],
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
    // Hosts that are given to two tenants.
    (
        "APP[tenants.a]\nhosts = \"shop.example\"\n[tenants.b]\nhosts = \"*.example\"",
        &[
            "f.toml:5: tenants.a.hosts: shop.example overlaps *.example of tenant `b` (line 7), and each may deploy to its own; give them names that are apart",
        ],
    ),
    (
        "APP[tenants.a]\nhosts = [\"a.example\", \"x.example\"]\n[tenants.b]\nhosts = [\"b.example\", \"*.x.example\"]",
        &[
            "f.toml:7: tenants.b.hosts: *.x.example overlaps x.example of tenant `a` (line 5), and each may deploy to its own; give them names that are apart",
        ],
    ),
    (
        "APP[tenants.a]\nhosts = \"a.example\"\n[tenants.b]\nhosts = \"b.x.a.example\"",
        &[
            "f.toml:7: tenants.b.hosts: b.x.a.example overlaps a.example of tenant `a` (line 5), and each may deploy to its own; give them names that are apart",
        ],
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
pub(super) fn errors_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(path("ok.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    let large = "(component (core module $m (memory 32)) (core instance (instantiate $m)))";
    fs::write(path("large.wasm"), wat::parse_str(large).unwrap()).unwrap();
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

/// What is given to a tenant and is, or is above or below, another's app.
#[test]
fn hosts_that_are_given_and_are_anothers_are_told() {
    let home = errors_home();
    let warnings = |given: &str, app: &str| {
        let text = format!(
            "[tenants.t]\nhosts = {given}\n[tenants.u]\n[apps.a]\ncomponent = \"ok.wasm\"\n{app}\n"
        );
        let config = Config::parse(&home.path().join("f.toml"), &text).unwrap();
        let warnings = config.warnings.iter().map(|warning| warning.text.clone());
        warnings.collect::<Vec<_>>()
    };
    let one = |host: &str, given: &str| {
        vec![format!(
            "{host} overlaps {given}, to which tenant `t` may deploy (line 2); a browser lets each set cookies for the other"
        )]
    };
    for (given, host) in [
        ("*.shop.test", "shop.test"),
        ("shop.test", "*.shop.test"),
        ("x.shop.test", "shop.test"),
        ("y.x.shop.test", "*.shop.test"),
        ("*.shop.test", "y.x.shop.test"),
        ("shop.test", "shop.test"),
    ] {
        let list = format!("[\"apart.test\", \"{given}\"]");
        for tenant in ["", "tenant = \"u\"\n"] {
            let app = format!("{tenant}hosts = \"{host}\"");
            assert_eq!(warnings(&list, &app), one(host, given), "{given} {app}");
        }
        let own = format!("tenant = \"t\"\nhosts = \"{host}\"");
        assert!(warnings(&list, &own).is_empty());
    }
    assert!(warnings("\"shop.test\"", "hosts = \"myshop.test\"").is_empty());
    assert!(warnings("\"shop.test\"", "").is_empty());
}
