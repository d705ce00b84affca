//! Servers as child processes, each on a port that the system chose.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::artefacts::Artefacts;
use crate::ask;
use crate::home::Home;
use crate::limits;
use crate::process;
use crate::request::Request;
use crate::work::Work;

/// How long a server may take until it listens, with compiling its app.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lines of a server's complaints that are kept.
const LAST_LINES: usize = 10;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// hyper alone, no guest.
    BareHyper,
    /// `rhost serve --access-log off`.
    Rhost,
    /// `rhost serve` with its access log written to a file.
    RhostLogging,
    /// `wasmtime serve`, wasi:http 0.2.
    Wasmtime,
}

impl Kind {
    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BareHyper => "bare hyper",
            Kind::Rhost => "rhost",
            Kind::RhostLogging => "rhost, access log on",
            Kind::Wasmtime => "wasmtime serve",
        }
    }

    /// Starts one that can do `work`, and sees that its answer is right.
    pub fn start(self, artefacts: &Artefacts, work: Work) -> Result<Server> {
        let server = match self {
            Kind::BareHyper => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("serve-hyper");
                Server::start(command, Stdio::null())
            }
            Kind::Rhost => rhost(artefacts, &artefacts.example(work.app())?, &[]),
            Kind::RhostLogging => rhost_logging(artefacts, work),
            Kind::Wasmtime => wasmtime(artefacts),
        };
        let server = server.with_context(|| format!("{} does not start", self.name()))?;
        let checked = work.verify(server.addr).and_then(|()| {
            if self == Kind::Wasmtime {
                fresh_for_each(server.addr)?;
            }
            Ok(())
        });
        checked.context(self.name())?;
        Ok(server)
    }
}

/// `rhost serve` without an access log, with its limits as they are but for what
/// `arguments` say. A loop is stopped on it.
pub fn rhost(artefacts: &Artefacts, app: &Path, arguments: &[&str]) -> Result<Server> {
    let all = [&["--access-log", "off"], arguments].concat();
    limited(artefacts, app, &all, Stdio::null())
}

/// `rhost serve` of a component that has a loop besides what it does, or of a program that
/// has one. It has been stopped when this returns.
fn limited(
    artefacts: &Artefacts,
    app: &Path,
    arguments: &[&str],
    stdout: impl Into<Stdio>,
) -> Result<Server> {
    let own = std::env::temp_dir().join(format!("rhost-bench-{}-{}", std::process::id(), {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        STARTED.fetch_add(1, Relaxed)
    }));
    let served = match app.is_file() {
        true => limits::write_endless(app, &own)?,
        false => app.to_owned(),
    };
    let mut command = rhost_command(artefacts, &served);
    command.args(arguments);
    // Either stops it.
    if !["--cpu", "--timeout"]
        .iter()
        .any(|limit| arguments.contains(limit))
    {
        command.args(["--cpu", limits::CPU]);
    }
    let mut server = Server::start(command, stdout)?;
    server.own = Some(own);
    limits::prove(server.addr, "localhost").with_context(|| server.said())?;
    Ok(server)
}

/// `rhost serve` of what `home` says, beside an app with a loop, which has been stopped
/// when this returns.
pub fn configured(artefacts: &Artefacts, home: &Home) -> Result<Server> {
    let component = artefacts.example("hello")?;
    let component = limits::write_endless(&component, &home.path().join("endless"))?;
    home.append(&limits::app(&component))?;
    let mut command = Command::new(&artefacts.rhost);
    command.args(["serve", "-c"]).arg(home.config());
    let server = Server::start(command, Stdio::null())?;
    limits::prove(server.addr, limits::HOST).with_context(|| server.said())?;
    Ok(server)
}

/// `rhost serve` on a port that the system chooses.
pub fn rhost_command(artefacts: &Artefacts, app: &Path) -> Command {
    let mut command = Command::new(&artefacts.rhost);
    command
        .arg("serve")
        .arg(app)
        .args(["--addr", "127.0.0.1:0"]);
    command
}

fn rhost_logging(artefacts: &Artefacts, work: Work) -> Result<Server> {
    let name = format!("rhost-bench-{}.access.log", std::process::id());
    let log = std::env::temp_dir().join(name);
    let app = artefacts.example(work.app())?;
    let mut server = limited(
        artefacts,
        &app,
        &["--access-log", "on"],
        File::create(&log)?,
    )?;
    server.log = Some(log);
    Ok(server)
}

fn wasmtime(artefacts: &Artefacts) -> Result<Server> {
    let (wasmtime, guest) = artefacts.wasmtime.as_ref().context("it is not installed")?;
    let mut command = Command::new(wasmtime);
    command
        .args(["serve", "--addr", "127.0.0.1:0", "-Scli"])
        .arg(guest);
    Server::start(command, Stdio::null())
}

/// The comparison is of servers that give each request an instance of its own.
fn fresh_for_each(addr: SocketAddr) -> Result<()> {
    for _ in 0..3 {
        let nth = ask::ask_for_body(addr, &Request::get("/nth"))?;
        ensure!(
            nth == b"1\n",
            "it does not make a fresh instance for each request"
        );
    }
    Ok(())
}

/// A running server. It ends when this is dropped.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    child: Child,
    /// The end of what it wrote on standard error.
    last_lines: Arc<Mutex<VecDeque<String>>>,
    reloads: Arc<Reloads>,
    /// Where its admin listener is, if it has one over TCP.
    pub admin: Option<SocketAddr>,
    /// Its access log, removed with it.
    log: Option<PathBuf>,
    /// The directory of what it serves, if that is its own; removed with it.
    own: Option<PathBuf>,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    fn start(command: Command, stdout: impl Into<Stdio>) -> Result<Self> {
        Self::start_within(PATIENCE, command, stdout)
    }

    /// The same, where that may take longer or less long.
    pub fn start_within(
        patience: Duration,
        mut command: Command,
        stdout: impl Into<Stdio>,
    ) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .with_context(|| format!("{program} cannot be run"))?;
        let stderr = child.stderr.take().context("it is piped")?;
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let reloads = Arc::new(Reloads::default());
        let (found, addr) = mpsc::channel();
        let (lines, counts) = (last_lines.clone(), reloads.clone());
        // Reads to the end, so that the server never waits for a reader.
        thread::spawn(move || listen(stderr, &lines, &counts, &found));
        let mut server = Server {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            last_lines,
            reloads,
            admin: None,
            log: None,
            own: None,
        };
        // The admin listener is the first to be there.
        loop {
            match addr.recv_timeout(patience) {
                Ok(Found::Admin(addr)) => server.admin = Some(addr),
                Ok(Found::Served(addr)) => {
                    server.addr = addr;
                    return Ok(server);
                }
                Err(_) => anyhow::bail!("it never said where it listens{}", server.said()),
            }
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How often its configuration was applied, and refused, since it started.
    pub fn reloads(&self) -> (u64, u64) {
        let Reloads { applied, refused } = &*self.reloads;
        (applied.load(Relaxed), refused.load(Relaxed))
    }

    /// What it last complained of, to be put after a message.
    pub fn said(&self) -> String {
        let lines = self
            .last_lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("\n  | {line}")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its children go first: who is killed cannot end them. They are asked for only
        // while it runs, since its number may be another's after that.
        if let Ok(None) = self.child.try_wait() {
            for child in process::children(self.pid()).unwrap_or_default() {
                process::kill(child);
            }
        }
        // It may have ended by itself; either way it is gone after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(log) = &self.log {
            let _ = fs::remove_file(log);
        }
        if let Some(own) = &self.own {
            let _ = fs::remove_dir_all(own);
        }
    }
}

/// Where a server says that it listens.
enum Found {
    Admin(SocketAddr),
    Served(SocketAddr),
}

/// How often a server said what came of a configuration.
#[derive(Default)]
struct Reloads {
    applied: AtomicU64,
    refused: AtomicU64,
}

fn listen(
    stderr: impl Read,
    lines: &Mutex<VecDeque<String>>,
    reloads: &Reloads,
    found: &Sender<Found>,
) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Some(addr) = address(&line) {
            let is_admin = line.contains("admin listener on ");
            // Nobody waits for a second one.
            let _ = found.send(if is_admin {
                Found::Admin(addr)
            } else {
                Found::Served(addr)
            });
        }
        if line.contains(" is applied: ") {
            reloads.applied.fetch_add(1, Relaxed);
        }
        if line.contains("what was served is served on") {
            reloads.refused.fetch_add(1, Relaxed);
        }
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// The address in a line that names one, as http://127.0.0.1:8000/ or https.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("://")?;
    rest.split(['/', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_a_server_listens() {
        let line = "rhost: serving hello (9 KiB) on http://127.0.0.1:4711/ (Ctrl-C stops)";
        assert_eq!(
            address(line),
            Some(SocketAddr::from(([127, 0, 0, 1], 4711)))
        );
        assert_eq!(address("rhost: compiling hello"), None);
    }
}
