//! The server of one program: the command, in a directory with the program's files.

use crate::program::Program;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A server, until it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addr: String,
    said: Arc<Mutex<String>>,
    _home: tempfile::TempDir,
}

impl Server {
    /// Builds and serves `program`; or what the command said instead.
    pub fn start(program: &Program) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        let place = home.path();
        for (name, text) in &program.files {
            let path = place.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let requirements = program.requirements.join("\n");
        fs::write(place.join("requirements.txt"), requirements).unwrap();
        fs::create_dir_all(place.join("data")).unwrap();
        let mut command = Command::new(binary());
        command
            .current_dir(place)
            .env_remove("VIRTUAL_ENV")
            .args([
                "serve",
                &program.app,
                "--addr",
                "127.0.0.1:0",
                "--cache-dir",
            ])
            .arg(cache())
            .args(["--dir", "./data:/data"])
            .args(&program.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let mut addr = None;
        for line in &mut lines {
            let line = line.unwrap_or_default();
            *said.lock().unwrap() += &format!("{line}\n");
            if line.starts_with("rhost: serving ") {
                let url = line.split("://").nth(1).expect("it says where");
                addr = Some(url.split('/').next().unwrap().to_owned());
                break;
            }
        }
        let Some(addr) = addr else {
            child.wait().unwrap();
            return Err(said.lock().unwrap().clone());
        };
        let kept = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) += &format!("{line}\n");
            }
        });
        Ok(Server {
            child,
            addr,
            said,
            _home: home,
        })
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the machine lacks what it takes.
pub fn is_lacking(said: &str) -> bool {
    ["python3 cannot", "the package index cannot be reached"]
        .iter()
        .any(|sign| said.contains(sign))
}

/// The command, or the one that RHOST names.
fn binary() -> PathBuf {
    let named = std::env::var_os("RHOST").map(PathBuf::from);
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_rhost").into())
}

/// Kept from one run to the next: what is installed, and what was built.
fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    // From target/debug/deps/programs-0123.
    let dir = program.ancestors().nth(3).unwrap().join("rhost-cache");
    let made = fs::DirBuilder::new().mode(0o700).create(&dir);
    assert!(made.is_ok() || dir.is_dir());
    dir
}
