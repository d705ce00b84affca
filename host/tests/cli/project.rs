//! The command in the directory of a crate, and crates for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the crates of these tests are built: they have dependencies in common.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates")
}

/// The command, in `dir`.
pub fn rhost(dir: &Path) -> Command {
    command(Path::new(env!("CARGO_BIN_EXE_rhost")), dir)
}

/// Any command, in `dir`.
pub fn command(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        // Those of the test, and not of the crate in `dir`.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_PROFILE_") {
            command.env_remove(name);
        }
    }
    command
}

/// What it wrote, as (standard output, standard error), if it succeeds.
pub fn said(output: Output) -> (String, String) {
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    (stdout, stderr)
}

/// The lines of standard error, if it fails as a command should: with 1, and
/// nothing on standard output.
pub fn complaint(output: Output) -> Vec<String> {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty(), "{stderr}");
    stderr.lines().map(str::to_owned).collect()
}

/// Makes the project `dir`, with the dependencies of the workspace's own lock, so
/// that little comes over the network.
pub fn project(dir: &Path, flags: &[&str]) {
    let output = rhost(dir.parent().unwrap())
        .arg("new")
        .arg(dir)
        .args(["--vcs", "none"])
        .args(flags)
        .output();
    said(output.unwrap());
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    std::fs::copy(lock, dir.join("Cargo.lock")).unwrap();
}
