//! `rhost top`: what it shows of a server that is busy, and how it fails.

use crate::loader::{Loader, Target};
use crate::serving::{Serving, rhost};
use rhost::package::Build;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn top(arguments: &[&str]) -> Output {
    let mut command = rhost();
    command.env_remove("RHOST_ADMIN").arg("top").args(arguments);
    command.output().unwrap()
}

fn stdout(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_shows_who_uses_what() {
    let home = tempfile::tempdir().unwrap();
    let admin = home.path().join("admin.sock");
    let admin = admin.to_str().unwrap();
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let hello = Build::release(&hello).run().unwrap().remove(0);
    let socket = format!("unix:{admin}");
    let arguments = [
        hello.to_str().unwrap(),
        "--access-log",
        "off",
        "--admin",
        &socket,
    ];
    let server = Serving::start(rhost(), &arguments);

    let quiet = stdout(top(&["--once", "--interval", "10ms", "--admin", admin]));
    assert_eq!(quiet, "0 req/s, 0% CPU, 0 apps asked for\n");

    let loader = Loader::start(&[Target::Http1(server.addr.parse().unwrap())], false);
    loader.wait_for(10);
    let json = stdout(top(&[
        "--once",
        "--json",
        "--interval",
        "1s",
        "--admin",
        admin,
    ]));
    let rates: Value = serde_json::from_str(&json).unwrap();
    let app = &rates["apps"][0];
    assert_eq!(app["app"], "hello", "{json}");
    let number = |name: &str| {
        app[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {json}"))
    };
    assert!(number("requests_per_second") > 0.0, "{json}");
    assert!(number("cpu") > 0.0 && number("memory_peak") > 0.0, "{json}");
    assert!(number("p50_millis") <= number("p99_millis"), "{json}");

    let table = stdout(top(&["--once", "--interval", "100ms", "--admin", admin]));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].ends_with(", 1 app asked for"), "{table}");
    assert!(lines[2].starts_with("APP    TENANT  REQ/S"), "{table}");
    assert!(lines[3].starts_with("hello  -"), "{table}");
    let tally = loader.stop();
    assert!(tally.failed.is_empty(), "{tally:?}");
    let (code, ..) = server.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let output = top(&["--once"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("RHOST_ADMIN"));
    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("admin.sock");
    let output = top(&["--once", "--admin", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("rhost: no server is at "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
