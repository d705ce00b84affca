//! A server and those that take its place, one after the other.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::artefacts::Artefacts;
use crate::limits;

/// How long a server may take to start, with compiling its app, or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// The one that serves, and the one that was started first.
pub struct Line {
    /// Where it listens.
    pub addr: SocketAddr,
    first: Child,
    newest: Pid,
    said: Receiver<String>,
    access_log: PathBuf,
    /// The directory of what is served.
    own: PathBuf,
}

impl Line {
    /// Starts hello.
    pub fn start(artefacts: &Artefacts) -> Result<Self> {
        // The next one starts before the last is gone.
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let nth = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("rhost-bench-{}.life-{nth}.log", std::process::id());
        let access_log = std::env::temp_dir().join(name);
        let own = access_log.with_extension("served");
        let mut first = Command::new(&artefacts.rhost)
            .arg("serve")
            .arg(limits::write_endless(&artefacts.example("hello")?, &own)?)
            .args(["--addr", "127.0.0.1:0", "--cpu", limits::CPU])
            .stdin(Stdio::null())
            .stdout(File::create(&access_log)?)
            .stderr(Stdio::piped())
            .spawn()
            .context("rhost cannot be run")?;
        let stderr = first.stderr.take().context("it is piped")?;
        let (saying, said) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.for_each(|line| drop(saying.send(line)));
        });
        let mut line = Line {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            newest: Pid::from_child(&first),
            first,
            said,
            access_log,
            own,
        };
        let serving = line.until("rhost: serving ")?;
        let addr = serving
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        line.addr = addr.context("it says where")?.parse()?;
        limits::prove(line.addr, "localhost")?;
        // What is counted begins after that.
        let begun = Instant::now();
        while line.served()? == 0 {
            ensure!(begun.elapsed() < PATIENCE, "the access log stays empty");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(line)
    }

    fn until(&self, what: &str) -> Result<String> {
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(said) if said.contains("serves on") => bail!("{said}"),
                Ok(said) if said.contains(what) => return Ok(said),
                Ok(_) => {}
                Err(_) => bail!("it never said {what:?}"),
            }
        }
    }

    /// Sends the one that serves a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.newest, signal).context("the server is gone")
    }

    /// Has another process take over.
    pub fn hand_over(&mut self) -> Result<()> {
        self.signal(Signal::USR2)?;
        let said = self.until(" has taken over")?;
        let pid = said.split(' ').nth(2).and_then(|pid| pid.parse().ok());
        self.newest = pid.and_then(Pid::from_raw).context("it says which")?;
        Ok(())
    }

    /// Waits for the end of a server that was told to stop; it is to be a good one.
    pub fn ended(&mut self) -> Result<()> {
        let status = self.first.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    /// How many answers are in the access log. Those that a process has given are
    /// when it has ended, so it is asked again until nothing is added.
    pub fn served(&self) -> Result<u64> {
        let count = || -> Result<u64> {
            let log = fs::read_to_string(&self.access_log)?;
            Ok(log.lines().count() as u64)
        };
        let mut last = count()?;
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = count()?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = kill_process(self.newest, Signal::KILL);
        let _ = self.first.wait();
        let _ = fs::remove_file(&self.access_log);
        let _ = fs::remove_dir_all(&self.own);
    }
}
