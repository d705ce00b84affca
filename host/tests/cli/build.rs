//! `rhost build`: a component that is smaller and still an app; or one clear
//! line, and nothing lost.

use crate::project::{complaint, project, rhost, said, target};
use crate::serving::Serving;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A new project called `name`, with the SDK of this checkout.
fn crate_called(name: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(name);
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk");
    let sdk = sdk.to_str().unwrap();
    project(&dir, &["--template", "stream", "--sdk", sdk]);
    assert!(!dir.join("vendor").exists());
    (home, dir)
}

/// Runs `rhost build` in `dir`.
fn build(dir: &Path, arguments: &[&str]) -> Output {
    rhost(dir).arg("build").args(arguments).output().unwrap()
}

fn report(dir: &Path, arguments: &[&str]) -> Value {
    let output = build(dir, &[arguments, &["--json", "-q"]].concat());
    serde_json::from_str(&said(output).0).unwrap()
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap();
    fs::write(path, before + text).unwrap();
}

#[test]
fn a_component_is_stripped_and_served() {
    let (_home, dir) = crate_called("stripped");
    let (stdout, stderr) = said(build(&dir, &[]));
    let path = stdout.strip_suffix('\n').unwrap();
    assert_eq!(Path::new(path), target().join("stripped.wasm"));
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("rhost: ") && last.contains(" as linked, "),
        "{stderr}"
    );
    assert!(
        last.contains("without component-name, target_features"),
        "{stderr}"
    );

    // With -q nothing but the path, for `rhost serve $(rhost build -q)`.
    assert_eq!(said(build(&dir, &["-q"])), (stdout.clone(), String::new()));

    let component = fs::read(path).unwrap();
    wasmparser::validate(&component).unwrap();
    let inspection = rhost::inspect::inspect(&component).unwrap();
    assert!(inspection.toolchain.iter().any(|tool| tool.name == "rustc"));
    assert!(
        inspection
            .parts
            .iter()
            .any(|part| part.name == "names" && part.size > 1000)
    );
    let answer = Serving::start(rhost(&dir), &[path]).get("/");
    assert!(answer.contains("new EventSource"), "{answer}");
}

#[test]
fn the_report_is_exact() {
    let (home, dir) = crate_called("reported");
    let output = home.path().join("app.wasm");
    let flags = ["-o", output.to_str().unwrap()];
    let facts = report(&dir, &flags);
    assert_eq!(facts["path"], json!(output));
    assert_eq!(
        facts["flags"],
        json!({"stack": 32768, "profile": {"lto": "fat", "codegen-units": 1}})
    );
    assert_eq!(facts["not_lent"], json!([]));
    assert_eq!(facts["size"], fs::metadata(&output).unwrap().len());
    let (linked, size) = (
        facts["linked"].as_u64().unwrap(),
        facts["size"].as_u64().unwrap(),
    );
    let removed: u64 = facts["removed"]
        .as_object()
        .unwrap()
        .values()
        .map(|it| it.as_u64().unwrap())
        .sum();
    assert!(removed > 0 && size + removed <= linked, "{facts}");

    let nameless = report(&dir, &[&flags[..], &["--strip-names"]].concat());
    assert!(
        nameless["removed"]["name"].as_u64() > Some(1000),
        "{nameless}"
    );
    assert!(
        nameless["size"].as_u64() < facts["size"].as_u64(),
        "{nameless}"
    );
    assert_eq!(nameless["linked"], facts["linked"]);
}

#[test]
fn settings_of_the_crate_win() {
    let (_home, dir) = crate_called("settled");
    let ours = report(&dir, &[]);
    append(
        &dir.join("Cargo.toml"),
        "\n[profile.release]\nlto = \"off\"\ncodegen-units = 16\n",
    );
    let theirs = report(&dir, &[]);
    assert_eq!(theirs["flags"]["profile"], json!({}));
    // That both were heeded shows in what came of them.
    let linked = |report: &Value| report["linked"].as_u64().unwrap();
    assert!(linked(&ours) * 10 < linked(&theirs) * 9, "{ours} {theirs}");
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("fat"), "{manifest}");
}

#[test]
fn a_build_that_fails_leaves_the_last_component() {
    let (home, dir) = crate_called("broken");
    let output = home.path().join("app.wasm");
    let flags = ["-o", output.to_str().unwrap()];
    said(build(&dir, &flags));
    let before = fs::read(&output).unwrap();

    let source = dir.join("src/lib.rs");
    let right = fs::read_to_string(&source).unwrap();
    fs::write(&source, right.replace("app!(index", "app!(absent")).unwrap();
    let lines = complaint(build(&dir, &flags));
    assert!(
        lines
            .iter()
            .any(|line| line.contains("cannot find") && line.contains("absent")),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("rhost: ") && last.ends_with("cargo's messages are above"),
        "{last}"
    );

    // A crate that makes a component which is no app.
    fs::write(&source, "").unwrap();
    let lines = complaint(build(&dir, &flags));
    let last = lines.last().unwrap();
    assert!(
        last.contains("does not export rhost:gateway/app@0.1.0"),
        "{last}"
    );
    assert_eq!(fs::read(&output).unwrap(), before);

    // Somewhere that cannot be written to.
    fs::write(&source, right).unwrap();
    let lines = complaint(build(&dir, &["-o", "nowhere/app.wasm"]));
    assert!(
        lines
            .last()
            .unwrap()
            .contains("choose another place with -o"),
        "{lines:?}"
    );
    let lines = complaint(build(&dir, &["-o", "src"]));
    assert!(
        lines
            .last()
            .unwrap()
            .contains("choose another place with -o"),
        "{lines:?}"
    );
    assert!(source.is_file());
}

#[test]
fn what_is_no_crate_is_told_in_a_line() {
    let home = tempfile::tempdir().unwrap();
    let lines = complaint(build(home.path(), &[]));
    assert_eq!(
        lines,
        [
            "rhost: . has no Cargo.toml; give the directory of a crate, or a WSGI program as wsgi_app:app, or make one with `rhost new`"
        ]
    );
    fs::write(home.path().join("Cargo.toml"), "[package").unwrap();
    let lines = complaint(build(home.path(), &[]));
    assert!(lines.len() > 1, "{lines:?}");
    assert!(
        lines
            .last()
            .unwrap()
            .ends_with("cargo's messages are above"),
        "{lines:?}"
    );
}

/// An app that also wants a database, of which the host has none.
const WANTS_MORE: &str = r#"
use rhost_sdk::prelude::*;

wit_bindgen::generate!({
    inline: "
        package acme:db;
        interface sql { count: func() -> u32; }
        world client { import sql; }
    ",
});

#[get("/")]
fn index() -> String {
    acme::db::sql::count().to_string()
}

app!(index);
"#;

#[test]
fn what_the_host_would_not_lend_is_told_and_built() {
    let (_home, dir) = crate_called("wants-more");
    fs::write(dir.join("src/lib.rs"), WANTS_MORE).unwrap();
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
    let manifest = manifest.replace("[dependencies]", "[dependencies]\nwit-bindgen = \"0.61\"");
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    // It goes wrong later, so that it is told with -q as well.
    let (stdout, stderr) = said(build(&dir, &["-q"]));
    assert!(stdout.ends_with("wants_more.wasm\n"), "{stdout}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains("it imports acme:db/sql, ") && stderr.contains("wac plug"),
        "{stderr}"
    );
    assert_eq!(report(&dir, &[])["not_lent"], json!(["acme:db/sql"]));
}
