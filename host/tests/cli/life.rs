//! A server's life: how it stops, how another process takes its place, and what
//! it says of itself.

use crate::loader::{Loader, Target};
use crate::serving::{Serving, get, rhost};
use rhost::package::Build;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn example(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name);
    Build::release(&dir).run().unwrap().remove(0)
}

/// A server, and those that took its place.
pub struct Line {
    /// The one that was started.
    pub first: Serving,
    /// The one that serves now.
    newest: Pid,
    is_over: bool,
}

impl Line {
    fn start(command: Command, app: &Path, arguments: &[&str]) -> Self {
        let arguments = [&[app.to_str().unwrap(), "--access-log", "off"], arguments].concat();
        Line::of(Serving::start(command, &arguments))
    }

    /// One that serves, and has no successor yet.
    pub fn of(first: Serving) -> Self {
        Line {
            newest: first.pid(),
            first,
            is_over: false,
        }
    }

    fn addr(&self) -> SocketAddr {
        self.first.addr.parse().unwrap()
    }

    /// Sends a signal to the one that serves now.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.newest, signal).unwrap();
    }

    /// The one that serves now.
    pub fn newest(&self) -> Pid {
        self.newest
    }

    /// Has another process take over.
    pub fn upgrade(&mut self) {
        self.signal(Signal::USR2);
        let line = self.first.until(" has taken over");
        let pid = line.split(' ').nth(2).and_then(|pid| pid.parse().ok());
        self.newest = pid.and_then(Pid::from_raw).expect("it says which");
    }

    /// Stops the newest, and returns how the first ended and what all said.
    pub fn stop(self) -> (Option<i32>, String) {
        self.signal(Signal::TERM);
        self.end()
    }

    /// The same, once it was told to stop.
    fn end(mut self) -> (Option<i32>, String) {
        self.is_over = true;
        self.first.rest()
    }
}

impl Drop for Line {
    /// A test that failed leaves nothing behind.
    fn drop(&mut self) {
        if !self.is_over {
            let _ = kill_process(self.newest, Signal::KILL);
        }
    }
}

#[test]
fn told_to_stop_it_answers_whatever_was_asked() {
    let line = Line::start(rhost(), &example("hello"), &[]);
    let addr = line.addr();
    let targets = [
        Target::Http1(addr),
        Target::Http1(addr),
        Target::Http1(addr),
        Target::Http2(addr),
        Target::Http2(addr),
    ];
    let loader = Loader::start(&targets, false);
    loader.wait_for(200);
    let (code, said) = line.stop();
    let tally = loader.join();
    assert!(tally.failed.is_empty(), "{tally:?}");
    assert_eq!(tally.ended, 5, "each was told of the end: {tally:?}");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopping"), "{said}");
    assert!(!said.contains("were cut"), "{said}");
}

#[test]
fn another_process_takes_over_and_no_request_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let unix = format!("unix:{}", path.display());
    let mut line = Line::start(rhost(), &example("hello"), &["--addr", &unix]);
    let addr = line.addr();
    let targets = [
        Target::Http1(addr),
        Target::Http1(addr),
        Target::Http2(addr),
        Target::Unix(path.clone()),
    ];
    let loader = Loader::start(&targets, true);
    for _ in 0..3 {
        loader.wait_for(100);
        line.upgrade();
        assert!(path.exists(), "the file is the new one's");
    }
    loader.wait_for(100);
    let tally = loader.stop();
    assert!(tally.failed.is_empty(), "{tally:?}");
    assert!(
        tally.ended >= 4,
        "each was sent on at least once: {tally:?}"
    );
    assert!(path.exists());
    let (code, said) = line.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!path.exists(), "it goes with the last");
}

#[test]
fn a_new_process_that_does_not_serve_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (app, unix) = (home.path().join("app.wasm"), home.path().join("sock"));
    let good = fs::read(example("hello")).unwrap();
    fs::write(&app, &good).unwrap();
    let addr = format!("unix:{}", unix.display());
    let mut line = Line::start(rhost(), &app, &["--addr", &addr]);
    let loader = Loader::start(&[Target::Http1(line.addr()), Target::Unix(unix)], true);
    fs::write(&app, "no component").unwrap();
    for _ in 0..2 {
        line.signal(Signal::USR2);
        let said = line.first.until("this process serves on");
        assert!(said.contains("exit status: 1"), "{said}");
        assert!(said.ends_with("send SIGUSR2 again\n"), "{said}");
        loader.wait_for(20);
    }
    fs::remove_file(&app).unwrap();
    line.signal(Signal::USR2);
    line.first.until("this process serves on");
    loader.wait_for(20);
    fs::write(&app, &good).unwrap();
    line.upgrade();
    loader.wait_for(20);
    let tally = loader.stop();
    assert!(tally.failed.is_empty(), "{tally:?}");
    assert_eq!(line.stop().0, Some(0));
}

/// A server whose app is for the next one a pipe that nobody writes to.
fn stuck(home: &Path, arguments: &[&str]) -> Line {
    let app = home.join("app.wasm");
    fs::copy(example("hello"), &app).unwrap();
    let line = Line::start(rhost(), &app, arguments);
    fs::remove_file(&app).unwrap();
    let made = Command::new("mkfifo").arg(&app).status().unwrap();
    assert!(made.success());
    line
}

#[test]
fn a_new_process_that_takes_too_long_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    let mut line = stuck(home.path(), &["--handover-timeout", "100ms"]);
    line.signal(Signal::USR2);
    let said = line.first.until("this process serves on");
    assert!(said.contains("did not serve within 100ms"), "{said}");
    assert!(said.ends_with("--handover-timeout\n"), "{said}");
    assert!(line.first.get("/").ends_with("Hello, world!\n"));
    // What it said ends with the last process that could say something.
    let (code, said) = line.stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn told_to_stop_meanwhile_both_processes_do() {
    let home = tempfile::tempdir().unwrap();
    let mut line = stuck(home.path(), &[]);
    line.signal(Signal::USR2);
    line.first.until("starting a new process");
    let (code, said) = line.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopping"), "{said}");
}

/// A socket that systemd passes is handed on, and is systemd's: its number and the
/// process that it was meant for no longer are what the variables say.
#[test]
fn a_socket_that_was_passed_on_is_handed_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("systemd.sock");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut shell = Command::new("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_rhost"), "serve"]);
    shell.arg(example("hello")).args(["--access-log", "off"]);
    shell.stdin(Stdio::from(socket.as_fd().try_clone_to_owned().unwrap()));
    let mut line = Line::of(Serving::from(shell));
    line.first.until("rhost: serving hello");
    for _ in 0..2 {
        let loader = Loader::start(&[Target::Unix(path.clone())], true);
        loader.wait_for(20);
        line.upgrade();
        loader.wait_for(20);
        let tally = loader.stop();
        assert!(tally.failed.is_empty(), "{tally:?}");
    }
    assert_eq!(line.stop().0, Some(0));
    assert!(path.exists(), "it is not ours to remove");
}

/// What the admin listener says: the status, and the rest.
fn ask(admin: &str, path: &str) -> (u16, String) {
    let text = get(admin, path, "host: test\r\n");
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no answer: {text}")), text)
}

#[test]
fn the_admin_listener_tells_a_server_that_drains_from_one_that_serves() {
    let line = Line::start(rhost(), &example("stream"), &["--admin", "127.0.0.1:0"]);
    let admin = line
        .first
        .said
        .lines()
        .find_map(|said| said.strip_prefix("rhost: admin listener on http://"));
    let admin = admin
        .expect("it says where")
        .trim_end_matches('/')
        .to_owned();
    let (status, text) = ask(&admin, "/ready");
    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("{\"ready\":true}"), "{text}");
    assert_eq!(ask(&admin, "/live").0, 200);
    assert_eq!(ask(&admin, "/").0, 404);
    let mut posted = TcpStream::connect(&admin).unwrap();
    posted
        .write_all(b"POST /live HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    posted.read_to_string(&mut text).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 405 ") && text.contains("allow: GET, HEAD\r\n"),
        "{text}"
    );
    let mut head = TcpStream::connect(&admin).unwrap();
    head.write_all(b"HEAD /ready HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    head.read_to_string(&mut text).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.ends_with("\r\n\r\n"),
        "{text}"
    );

    // A request that is under way keeps it from ending.
    let mut held = TcpStream::connect(line.addr()).unwrap();
    held.write_all(b"POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 6\r\n\r\none")
        .unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"one\r\n") {
        let mut octets = [0; 256];
        let length = held.read(&mut octets).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&octets[..length]);
    }
    line.signal(Signal::TERM);
    let (status, text) = loop {
        let (status, text) = ask(&admin, "/ready");
        if status != 200 {
            break (status, text);
        }
    };
    assert_eq!(status, 503);
    assert!(text.contains("it was told to stop"), "{text}");
    assert_eq!(ask(&admin, "/live").0, 200);
    held.write_all(b"two").unwrap();
    let mut rest = String::new();
    held.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("two") && rest.ends_with("0\r\n\r\n"),
        "{rest}"
    );
    assert_eq!(line.end().0, Some(0));
}

#[test]
fn the_admin_listener_and_the_pid_file_go_to_the_new_process() {
    let home = tempfile::tempdir().unwrap();
    let (admin, pid_file) = (
        home.path().join("admin.sock"),
        home.path().join("rhost.pid"),
    );
    let addr = format!("unix:{}", admin.display());
    let flags = ["--admin", &addr, "--pid-file", pid_file.to_str().unwrap()];
    let mut line = Line::start(rhost(), &example("hello"), &flags);
    let kept = || -> i32 {
        fs::read_to_string(&pid_file)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    assert_eq!(kept(), line.first.pid().as_raw_nonzero().get());
    line.upgrade();
    // It writes it as soon as it is told that all is its own.
    while kept() != line.newest.as_raw_nonzero().get() {
        std::thread::yield_now();
    }
    let mut asked = UnixStream::connect(&admin).unwrap();
    asked
        .write_all(b"GET /ready HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    asked.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert_eq!(line.stop().0, Some(0));
    assert!(!admin.exists() && !pid_file.exists());
}

#[test]
fn an_admin_listener_that_others_could_reach_is_refused() {
    for addr in ["0.0.0.0:0", "[::]:0", "fd:3"] {
        let output = rhost()
            .args(["serve", "app.wasm", "--admin", addr])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("127.0.0.1:9000"), "{said}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = rhost()
        .args(["serve", "app.wasm", "--admin", &addr])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("(--admin): the port is in use"), "{said}");
}

/// What systemd hears (sd_notify(3)).
#[test]
fn systemd_is_told() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    let hear = || {
        let mut octets = [0; 4096];
        let length = systemd.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let mut command = rhost();
    command.env("NOTIFY_SOCKET", &path);
    let mut line = Line::start(command, &example("hello"), &[]);
    assert_eq!(hear(), "READY=1\n");
    line.upgrade();
    let reloading = hear();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(
        hear(),
        format!("MAINPID={}\n", line.newest.as_raw_nonzero())
    );
    assert_eq!(hear(), "READY=1\n");
    assert_eq!(line.stop().0, Some(0));
    assert_eq!(hear(), "STOPPING=1\n");
}
