//! The commands, as somebody who deploys uses them.

use super::{Home, greeting, heard};
use crate::by_hand::{ANSWERS, application, written};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

#[test]
fn from_nothing_to_two_versions_and_back() {
    let home = Home::new();
    let serving = home.serve(&[]);
    assert!(
        serving
            .said
            .contains("admin listener on unix:state/admin.sock"),
        "{}",
        serving.said
    );
    assert!(
        serving.said.contains("serving no app yet on "),
        "{}",
        serving.said
    );
    let mode = |name| fs::metadata(home.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state"), mode("state/admin.sock")), (0o700, 0o600));
    let (one, two) = (home.component("first"), home.component("other"));
    let said = home.done(&["deploy", &one, "--app", "shop", "--host", "shop.test"]);
    assert_eq!(said, "shop: version 1 is served at shop.test/\n");
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    // Its settings stay, but for what is said.
    let said = home.done(&[
        "deploy", &two, "--app", "shop", "--set", "queue=5", "--env", "A=b c",
    ]);
    assert_eq!(said, "shop: version 2 is served at shop.test/\n");
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    let shown = home.done(&["app", "show", "shop"]);
    for line in [
        "state     serving",
        "setting   env = {\"A\":\"b c\"}",
        "setting   queue = 5",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert_eq!(
        home.done(&["rollback", "shop"]),
        "shop: version 1 is served at shop.test/\n"
    );
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert!(!home.done(&["app", "show", "shop"]).contains("queue"));
    assert!(
        home.refused(&["rollback", "shop"], 1)
            .contains("has no version before 1")
    );
    home.done(&["rollback", "shop", "2"]);
    home.done(&[
        "deploy", &two, "--app", "shop", "--unset", "queue", "--unset", "env.A",
    ]);
    let shown = home.done(&["app", "show", "shop", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["version"], 3);
    assert_eq!(
        shown["settings"],
        serde_json::json!({ "hosts": ["shop.test"], "env": {} })
    );
    home.done(&["app", "disable", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "503");
    assert!(home.done(&["apps"]).contains("shop  disabled  3"));
    // Its host is its own all the same.
    let said = home.refused(&["deploy", &one, "--app", "new", "--host", "shop.test"], 1);
    assert!(said.contains("app `shop`'s already"), "{said}");
    home.done(&["app", "enable", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    home.done(&["app", "delete", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "421");
    assert_eq!(
        fs::read_dir(home.path("state/components")).unwrap().count(),
        0
    );
}

#[test]
fn what_is_wrong_is_said_in_a_line_and_changes_nothing() {
    let home = Home::new();
    let file = home.component("first");
    assert!(
        home.refused(&["apps"], 1)
            .starts_with("no server is at state/admin.sock: ")
    );
    let serving = home.serve(&["--max-component", "130KiB"]);
    home.deploy("shop", "first");
    fs::write(home.path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(home.path("bad.wasm"), b"\0asm\x0d\0\x01\0\xff").unwrap();
    fs::write(
        home.path("empty.wasm"),
        wat::parse_str("(component)").unwrap(),
    )
    .unwrap();
    let several = application("", ANSWERS).replace(
        "(;imports;)",
        "(core module $m (memory 900) (table 1001 funcref))
         (core instance (instantiate $m)) (core instance (instantiate $m))",
    );
    written(&home.path(""), "several.wasm", &several);
    let mut large = b"\0asm\x0d\0\x01\0".to_vec();
    large.resize(131 << 10, 0);
    fs::write(home.path("large.wasm"), large).unwrap();
    for (arguments, code, says) in [
        (&["deploy", "none.wasm"][..], 1, "none.wasm: No such file"),
        (
            &["deploy", "core.wasm"],
            1,
            "core.wasm: a core WebAssembly module",
        ),
        (
            &["deploy", "bad.wasm", "--app", "shop"],
            1,
            "not a valid component",
        ),
        (
            &["deploy", "empty.wasm", "--app", "shop"],
            1,
            "does not export",
        ),
        (
            &[
                "deploy",
                "several.wasm",
                "--app",
                "shop",
                "--set",
                "memory=64MiB",
            ],
            1,
            "it starts with 113.5 MiB of memory and may have 64 MiB",
        ),
        (
            &[
                "deploy",
                "several.wasm",
                "--app",
                "shop",
                "--set",
                "table-elements=1000",
            ],
            1,
            "it starts with a table of 1001 elements and may have 1000",
        ),
        (
            &["deploy", "large.wasm", "--app", "shop"],
            1,
            "larger than 130 KiB",
        ),
        (&["deploy", "."], 2, "--app : expected a name"),
        (
            &["deploy", ".", "--app", "shop"],
            2,
            "is a directory; build it first",
        ),
        (&["deploy", &file, "--app", "a/b"], 2, "expected a name"),
        (
            &["deploy", &file, "--app", "shop", "--set", "cpu=2"],
            1,
            "apps.shop.cpu: a number has no unit",
        ),
        (
            &["deploy", &file, "--app", "shop", "--set", "memroy=1"],
            1,
            "did you mean `memory`?",
        ),
        (
            &["deploy", &file, "--app", "shop", "--set", "memory=1KiB"],
            1,
            "and may have 1 KiB",
        ),
        (
            &["deploy", &file, "--app", "shop", "--tenant", "acme"],
            1,
            "there is no tenant `acme`",
        ),
        (
            &["deploy", &file, "--app", "new", "--host", "shop.test"],
            1,
            "app `shop`'s already",
        ),
        (&["app", "show", "none"], 1, "there is no app `none`"),
        (&["app", "delete", "none"], 1, "there is no app `none`"),
        (&["rollback", "shop", "7"], 1, "app `shop` has no version 7"),
        (&["logs", "none"], 1, "there is no app `none`"),
        (&["token", "revoke", "00"], 1, "there is no token `00`"),
        (
            &["token", "revoke", "rhost_secret"],
            2,
            "by what it is called",
        ),
        (
            &["apps", "--admin", "http://localhost:1/"],
            2,
            "give it as HOST:PORT",
        ),
    ] {
        let said = home.refused(arguments, code);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let output = home
        .command()
        .env_remove("RHOST_ADMIN")
        .arg("apps")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("which server?")
    );
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert_eq!(
        fs::read_dir(home.path("state/components")).unwrap().count(),
        1
    );
    let said = home.refused(&["serve", &file, "--state", "other"], 2);
    assert!(
        said.contains("an app is for one app, and with --state apps are deployed"),
        "{said}"
    );
    let said = home.refused(&["serve", "--state", "state", "--addr", "127.0.0.1:0"], 1);
    assert_eq!(
        said,
        "the state directory state is another server's; stop that, or choose another"
    );
}

#[test]
fn a_log_is_followed_as_it_is_written() {
    let home = Home::new();
    let serving = home.serve(&[]);
    home.deploy("shop", "first");
    home.deploy("blog", "other");
    // The host says why a request was not answered by the app.
    home.done(&[
        "deploy",
        "first.wasm",
        "--app",
        "shop",
        "--set",
        "max-response-body=1",
    ]);
    assert_eq!(greeting(&serving, "shop"), "500");
    let logs = home.done(&["logs", "shop"]);
    assert_eq!(logs.lines().count(), 1, "{logs}");
    assert!(
        logs.contains(" rhost: ") && logs.contains("--max-response-body"),
        "{logs}"
    );
    assert!(home.done(&["logs", "blog"]).is_empty());
    let mut follower = home
        .command()
        .args(["logs", "shop", "-f", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: serde_json::Value =
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            (&line["app"], &line["from"]),
            (&"shop".into(), &"rhost".into())
        );
        line["request"].as_str().unwrap().to_owned()
    };
    let first = next();
    assert_eq!(greeting(&serving, "shop"), "500");
    assert_ne!(next(), first);
    home.done(&["app", "delete", "shop"]);
    // Whoever has the name next has none of it.
    assert_eq!(follower.wait().unwrap().code(), Some(1));
    home.deploy("shop", "first");
    assert!(home.done(&["logs", "shop"]).is_empty());
}

#[test]
fn what_was_deployed_is_served_after_a_restart_beside_the_file() {
    let home = Home::new();
    home.component("files");
    home.write("rhost.toml", "[server]\nstate = \"state\"\n");
    let serving = home.serve(&["-c", "rhost.toml"]);
    for (app, name) in [("shop", "first"), ("blog", "other"), ("late", "later")] {
        home.deploy(app, name);
    }
    home.done(&["app", "disable", "late"]);
    let (code, _, said) = serving.stop();
    assert_eq!(code, Some(0), "{said}");
    // The file goes before what is deployed: by name, and by place.
    home.write(
        "rhost.toml",
        "[apps.blog]\ncomponent = \"files.wasm\"\nhosts = \"blog.test\"\n",
    );
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    assert!(
        serving.said.contains("serving 2 apps on "),
        "{}",
        serving.said
    );
    heard(
        &mut serving,
        "app `blog` is deployed and cannot be served: the file has an app of this name",
    );
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert_eq!(greeting(&serving, "blog"), "Hello, files!");
    // It is disabled, and its host is its own.
    assert_eq!(greeting(&serving, "late"), "503");
    let said = home.refused(&["deploy", "other.wasm", "--app", "blog"], 1);
    assert!(
        said.contains("app `blog` is one of rhost.toml; change it there"),
        "{said}"
    );
    home.write(
        "rhost.toml",
        "[apps.mine]\ncomponent = \"files.wasm\"\nhosts = \"shop.test\"\n",
    );
    serving.signal(rustix::process::Signal::HUP);
    serving.until("rhost.toml is applied");
    assert_eq!(greeting(&serving, "shop"), "Hello, files!");
    assert_eq!(greeting(&serving, "blog"), "Hello, other!");
    let apps = home.done(&["apps"]);
    assert!(
        apps.contains("shop  faulty") && apps.contains("app `mine`'s already"),
        "{apps}"
    );
    // A bad file changes nothing, of neither.
    home.write("rhost.toml", "[apps.mine]\n");
    serving.signal(rustix::process::Signal::HUP);
    serving.until("rhost.toml is not applied");
    assert_eq!(greeting(&serving, "shop"), "Hello, files!");
    home.write("rhost.toml", "");
    serving.signal(rustix::process::Signal::HUP);
    serving.until("rhost.toml is applied");
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
}
