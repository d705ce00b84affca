//! `rhost new`: what it makes builds, tests and serves at once, and what it
//! cannot make leaves everything as it was.

use crate::project::{command, complaint, project, rhost, said};
use crate::serving::Serving;
use std::fs;
use std::path::{Path, PathBuf};

/// A directory of an empty workspace, in which a project must be one of its own.
fn workspace() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    home
}

/// Goes the way that the README of a new project shows.
fn comes_up(template: &str, path: &str, expected: &str) {
    let home = workspace();
    let dir = home.path().join(format!("my-{template}"));
    project(&dir, &["--template", template]);

    let cargo = || command(Path::new("cargo"), &dir);
    said(cargo().args(["fmt", "--check"]).output().unwrap());
    let (stdout, stderr) = said(cargo().arg("test").output().unwrap());
    assert!(stdout.contains("test result: ok"), "{stdout}");
    assert!(!stderr.contains("warning"), "{stderr}");

    let serving = Serving::start(rhost(&dir), &[]);
    let answer = serving.get(path);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains(expected),
        "{answer}"
    );
    drop(serving);

    // All that was asked for is the project: the workspace is as it was.
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn a_site_comes_up() {
    comes_up("site", "/", "<form method=\"post\">");
}

#[test]
fn an_api_comes_up() {
    comes_up(
        "api",
        "/products/2",
        r#"{"id":2,"name":"Rake","cents":1990}"#,
    );
}

#[test]
fn a_stream_comes_up() {
    comes_up("stream", "/squares.csv", "number,square\n1,1\n2,4\n");
}

/// Runs `rhost new` in `dir`.
fn new(dir: &Path, arguments: &[&str]) -> std::process::Output {
    rhost(dir).arg("new").args(arguments).output().unwrap()
}

/// All that lies in `dir`.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn it_says_what_it_made_and_what_comes_next() {
    let home = tempfile::tempdir().unwrap();
    let (stdout, stderr) = said(new(home.path(), &["shop"]));
    assert_eq!(stdout, "");
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "rhost: made shop from the template site: .gitignore, Cargo.toml, README.md, src, static, templates, vendor",
            "Next:",
            "  cd shop",
            "  rhost serve --watch",
        ]
    );
    let (_, stderr) = said(new(home.path(), &["quiet", "--quiet"]));
    assert_eq!(stderr, "");
    let readme = fs::read_to_string(home.path().join("shop/README.md")).unwrap();
    assert!(
        readme.starts_with("# shop\n") && readme.contains("not on crates.io yet"),
        "{readme}"
    );
}

#[test]
fn it_is_a_repository_unless_it_lies_in_one_or_shall_be_none() {
    let home = tempfile::tempdir().unwrap();
    let is_repository = |project: &str| home.path().join(project).join(".git").exists();
    said(new(home.path(), &["outer", "--vcs", "none"]));
    assert!(!is_repository("outer"));
    said(new(home.path(), &["shop"]));
    assert!(is_repository("shop"));
    said(new(home.path(), &["shop/inner"]));
    assert!(!is_repository("shop/inner"));
    // What the repository around it ignores needs one of its own.
    said(new(home.path(), &["shop/target/scratch"]));
    assert!(is_repository("shop/target/scratch"));
}

#[test]
fn a_machine_without_git_gets_its_project_too() {
    let home = tempfile::tempdir().unwrap();
    let output = rhost(home.path())
        .args(["new", "shop"])
        .env("PATH", home.path())
        .output();
    let (_, stderr) = said(output.unwrap());
    assert!(stderr.contains("`git init` failed"), "{stderr}");
    assert!(home.path().join("shop/src/lib.rs").is_file());
}

#[test]
fn names_that_will_not_do_make_nothing() {
    let home = tempfile::tempdir().unwrap();
    for (name, reason) in [
        ("test", "comes with Rust"),
        ("fn", "word of the Rust language"),
        ("7up", "begins with a digit"),
        ("My App", "other letters"),
        ("askama", "depends on a crate of that name"),
        ("..", "is empty"),
    ] {
        let said = complaint(new(home.path(), &[name]));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("rhost: ") && said[0].contains(reason),
            "{said:?}"
        );
        assert!(said[0].contains("; choose another, as "), "{said:?}");
    }
    assert!(entries(home.path()).is_empty());
}

#[test]
fn what_is_there_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let shop = home.path().join("shop");
    fs::create_dir(&shop).unwrap();
    fs::write(shop.join("Cargo.toml"), "mine").unwrap();
    fs::write(home.path().join("file"), "mine").unwrap();
    for (name, reason) in [("shop", "is not empty"), ("file", "is no directory")] {
        let said = complaint(new(home.path(), &[name]));
        assert!(said.len() == 1 && said[0].contains(reason), "{said:?}");
    }
    assert_eq!(fs::read(shop.join("Cargo.toml")).unwrap(), b"mine");
    assert_eq!(entries(&shop).len(), 1);
    assert_eq!(fs::read(home.path().join("file")).unwrap(), b"mine");
}

#[test]
fn an_sdk_that_is_none_is_refused_before_anything_is_made() {
    let home = tempfile::tempdir().unwrap();
    let said = complaint(new(home.path(), &["shop", "--sdk", "."]));
    assert!(said.len() == 1 && said[0].contains("--sdk ."), "{said:?}");
    assert!(entries(home.path()).is_empty());
}
