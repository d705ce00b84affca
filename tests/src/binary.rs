//! The command `rhost`, as cargo builds it beside the tests.

use crate::start::target;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The command's file: the one that RHOST_TESTS_BINARY names, or the one of this
/// workspace, which is built if it is not up to date.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("RHOST_TESTS_BINARY") {
        Some(path) => path.into(),
        None => build(),
    })
}

/// Builds it as `cargo test` does: with the tests of the command, so that no dependency is
/// built again with other features.
fn build() -> PathBuf {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["test", "--no-run", "--test", "cli", "--message-format=json"])
        .arg("--target-dir")
        .arg(target())
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    forget_this_package(&mut cargo);
    let output = cargo.output().expect("cargo can be run");
    assert!(output.status.success(), "the command does not build");
    let lines = String::from_utf8(output.stdout).expect("cargo speaks JSON");
    let mut messages = lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let found = messages.find_map(|message: Value| {
        let target = &message["target"];
        let is_it = target["name"] == "rhost" && target["kind"][0] == "bin";
        is_it.then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    found.expect("cargo says where the command is")
}

/// What cargo says of the package of a test is not to be said of another.
pub(crate) fn forget_this_package(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_NAME"];
        if of_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}
