//! A server that is the command, in a process of its own.

use crate::binary::{binary, forget_this_package};
use crate::python::cache_dir;
use crate::server::Stopped;
use rhost::worker::Drained;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a line of the command itself begins with; others are of its log.
const OWN: &str = "rhost: ";

/// What was written to standard error so far.
#[derive(Default)]
struct Said {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

/// The command, while it serves.
pub(crate) struct Running {
    child: Child,
    said: Arc<Said>,
    readers: Option<(JoinHandle<String>, JoinHandle<()>)>,
    home: Arc<tempfile::TempDir>,
    is_over: bool,
}

/// The command, in a directory.
pub(crate) fn rhost(home: &Path) -> Command {
    let mut command = Command::new(binary());
    forget_this_package(&mut command);
    command
        .current_dir(home)
        .env("RHOST_ADMIN", "state/admin.sock")
        .env_remove("RHOST_TOKEN")
        .env_remove("RHOST_LOG")
        .env_remove("VIRTUAL_ENV")
        .stdin(Stdio::null());
    command
}

impl Running {
    /// Runs `rhost serve` with these arguments in `home`, where its admin socket is too,
    /// and waits until it serves.
    pub(crate) fn start(home: Arc<tempfile::TempDir>, arguments: &[String]) -> Self {
        let mut command = rhost(home.path());
        command
            .args(["serve", "--addr", "127.0.0.1:0", "--threads", "2"])
            .args(["--admin", "unix:admin.sock", "--cache-dir"])
            .arg(cache_dir())
            .args(arguments)
            .env("CARGO_TARGET_DIR", crate_target())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be run");
        let mut stdout = child.stdout.take().expect("it is piped");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = Arc::new(Said::default());
        let out = std::thread::spawn(move || {
            let mut octets = Vec::new();
            let _ = stdout.read_to_end(&mut octets);
            String::from_utf8_lossy(&octets).into_owned()
        });
        let hears = said.clone();
        let err = std::thread::spawn(move || hears.read(stderr));
        Running {
            child,
            said,
            readers: Some((out, err)),
            home,
            is_over: false,
        }
    }

    /// Where it listens, once it does.
    pub(crate) fn addr(&self) -> SocketAddr {
        let (_, line) = self.until(0, |line| line.starts_with("rhost: serving "));
        let mut words = line.split([' ', '/']);
        let addr = words.find_map(|word| word.parse().ok());
        addr.unwrap_or_else(|| panic!("it says where: {line}"))
    }

    /// Its directory.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// How many lines it has written.
    pub(crate) fn lines(&self) -> usize {
        self.said.lock().0.len()
    }

    /// Waits for a line, from the one with this number on, that is as asked; returns the
    /// number of the next, and the line.
    pub(crate) fn until(&self, from: usize, is_it: impl Fn(&str) -> bool) -> (usize, String) {
        let is_missing = |(lines, is_over): &mut (Vec<String>, bool)| {
            !*is_over && !lines.iter().skip(from).any(|line| is_it(line))
        };
        let waited = self
            .said
            .more
            .wait_timeout_while(self.said.lock(), PATIENCE, is_missing);
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut lines = said.0.iter().enumerate().skip(from);
        let found = lines.find(|(_, line)| is_it(line));
        let (at, line) = found.unwrap_or_else(|| panic!("it says: {}", said.0.join("\n")));
        (at + 1, line.clone())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Runs another command beside it, which finds its admin socket.
    pub(crate) fn run(&self, arguments: &[String]) -> Output {
        let mut command = rhost(self.home());
        command
            .args(arguments)
            .output()
            .expect("the command can be run")
    }

    /// What its admin listener says of the host.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = UnixStream::connect(self.home().join("admin.sock")).expect("it listens");
        let head = b"GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, head).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("there is a head");
        body.to_owned()
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Stopped {
        let (out, err) = self.readers.take().expect("it is asked once");
        let access_log = out.join().expect("it reads");
        err.join().expect("it reads");
        let status = self.child.wait().expect("it ends");
        self.is_over = true;
        let said = self.said.lock();
        let all = || said.0.iter().map(String::as_str);
        assert!(status.success(), "{status}: {}", said.0.join("\n"));
        let is_cut = all().any(|line| line.starts_with(OWN) && line.contains("were cut (--grace)"));
        // A server in the tests' process has nobody to tell its news to.
        let is_news = |line: &str| line.get(27..34) == Some("  INFO ");
        let log = all().filter(|line| !line.starts_with(OWN) && !is_news(line));
        Stopped {
            drained: match is_cut {
                true => Drained::Cut,
                false => Drained::Whole,
            },
            log: log.map(|line| format!("{line}\n")).collect(),
            access_log,
        }
    }
}

impl Drop for Running {
    /// A server that no test stops goes with its test.
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Said {
    fn lock(&self) -> std::sync::MutexGuard<'_, (Vec<String>, bool)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut from: impl BufRead) {
        let mut octets = Vec::new();
        while matches!(from.read_until(b'\n', &mut octets), Ok(1..)) {
            let line = String::from_utf8_lossy(&octets)
                .trim_end_matches('\n')
                .to_owned();
            octets.clear();
            self.lock().0.push(line);
            self.more.notify_all();
        }
        self.lock().1 = true;
        self.more.notify_all();
    }
}

/// Where crates are built that the command serves.
pub(crate) fn crate_target() -> PathBuf {
    crate::start::target().join("rhost-tests-crates")
}
