//! The command, crates for it, and a host that it runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

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

/// A host that serves.
pub struct Serving {
    child: Child,
    addr: String,
}

impl Serving {
    /// Runs `rhost serve` in `dir`, with these arguments.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut child = rhost(dir)
            .arg("serve")
            .args(arguments)
            .args(["--addr", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let addr = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            if let Some((_, url)) = line.split_once(" on http://") {
                break url.split('/').next().unwrap().to_owned();
            }
            said += &line;
        };
        Serving { child, addr }
    }

    /// The answer, head and body.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
