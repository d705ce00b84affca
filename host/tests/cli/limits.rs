//! A guest that never ends is stopped at its limits, in every way in which a server is
//! started and after all that can happen to one that runs; and the server ends when it
//! is told to, once.

use crate::life::Line;
use crate::project::target;
use crate::python::{cache, failing};
use crate::serving::{Serving, rhost};
use crate::watch::{Crate, saying};
use rhost::package::Build;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// More requests than a server has threads.
const LOOPS: usize = 6;
/// Longer than anything here takes that ends at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// The limits of time: each one's key, and what the log says when it is reached.
const LIMITS: [(&str, &str); 2] = [
    ("cpu", "CPU limit of 100ms reached (--cpu)"),
    ("timeout", "time limit of 100ms reached (--timeout)"),
];

/// Something that happens to a server, and the server then.
type Event = fn(&Home, Line) -> Line;

/// A directory with an app that loops at `/spin`, and the limit that it is to have.
struct Home {
    app: Crate,
    key: &'static str,
}

impl Home {
    fn path(&self) -> &Path {
        self.app.home.path()
    }

    /// Writes a file whole, as whoever watches it expects.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let new = self.path().join("new~");
        fs::write(&new, content).unwrap();
        fs::rename(new, self.path().join(name)).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = rhost();
        command
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", target())
            .env("RHOST_ADMIN", "state/admin.sock")
            .env_remove("RHOST_TOKEN");
        command
    }

    fn serve(&self, arguments: &[&str]) -> Line {
        let arguments = [arguments, &["--access-log", "off"]].concat();
        Line::of(Serving::start(self.command(), &arguments))
    }

    /// Serves `app` with the limit as a flag.
    fn serve_app(&self, app: &str, more: &[&str]) -> Line {
        let flag = format!("--{}=100ms", self.key);
        self.serve(&[&[app, &flag], more].concat())
    }

    /// The limit as a file says it.
    fn limit(&self) -> String {
        format!("{} = \"100ms\"\n", self.key)
    }

    /// A command that has to do what it is told.
    fn tell(&self, arguments: &[&str]) {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn deploy(&self) {
        let limit = format!("{}=100ms", self.key);
        self.tell(&["deploy", "app.wasm", "--app", "app", "--set", &limit]);
    }

    /// Another component that does the same: it has a section of its own.
    fn other_component(&self) {
        self.write("app.wasm", [component(), b"\0\x06\x05other"].concat());
    }
}

/// The component of an app that loops, built once.
fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let app = Crate::new("limited", &saying("tea"));
        let mut build = Build::release(app.home.path());
        let target = ["--target-dir".to_owned(), target().display().to_string()];
        build.cargo_args.extend(target);
        fs::read(build.run().unwrap().remove(0)).unwrap()
    })
}

fn upgraded(_: &Home, mut line: Line) -> Line {
    line.upgrade();
    line
}

/// Starts a server with each of the limits, whose crate is called `name`, and has each of
/// `events` happen to it in turn. The limits hold all the time.
fn hold(name: &'static str, start: fn(&Home) -> Line, events: &[(&str, Event)]) {
    for (key, says) in LIMITS {
        let app = Crate::new(name, &saying("tea"));
        let home = Home { app, key };
        home.write("app.wasm", component());
        let mut line = start(&home);
        holds(&mut line, "at first", says);
        for (after, event) in events {
            line = event(&home, line);
            holds(&mut line, after, says);
        }
        ends(line);
    }
}

/// Loops are stopped, the log says why, and whoever does not loop is answered.
fn holds(line: &mut Line, when: &str, says: &str) {
    let addr = &line.first.addr;
    thread::scope(|scope| {
        for _ in 0..LOOPS {
            scope.spawn(|| {
                let answer = get(addr, "/spin");
                assert!(answer.starts_with("HTTP/1.1 504 "), "{when}: {answer}");
            });
        }
    });
    let answer = get(addr, "/");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{when}: {answer}");
    for _ in 0..LOOPS {
        line.first.until(says);
    }
}

/// What is answered at `path`, if that is soon enough.
fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    read.unwrap_or_else(|error| panic!("{path} has no answer: {error}"));
    answer
}

/// Told once to stop, it does.
fn ends(line: Line) -> String {
    let watchdog = Watchdog::on(line.newest());
    let (code, said) = line.stop();
    drop(watchdog);
    assert_eq!(code, Some(0), "it had to be killed: {said}");
    said
}

/// Kills a process that does not end, so that its test does.
struct Watchdog(#[expect(dead_code, reason = "it is dropped")] Sender<()>);

impl Watchdog {
    fn on(pid: Pid) -> Self {
        let (over, is_over) = channel();
        thread::spawn(move || {
            if is_over.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Watchdog(over)
    }
}

#[test]
fn of_a_component() {
    let start = |home: &Home| home.serve_app("app.wasm", &[]);
    hold("limited-component", start, &[("SIGUSR2", upgraded)]);
}

#[test]
fn of_a_component_that_is_watched() {
    let start = |home: &Home| home.serve_app("app.wasm", &["--watch"]);
    let replaced: Event = |home, mut line| {
        home.other_component();
        line.first.until("is up to date again");
        line
    };
    let events = [("another component", replaced), ("SIGUSR2", upgraded)];
    hold("limited-watched", start, &events);
}

#[test]
fn of_a_crate() {
    hold("limited-crate", |home| home.serve_app(".", &[]), &[]);
}

#[test]
fn of_a_crate_that_is_watched() {
    let start = |home: &Home| home.serve_app(".", &["--watch"]);
    let built: Event = |home, mut line| {
        home.app.write(&saying("coffee"));
        line.first.until("is up to date again");
        line
    };
    hold("limited-rebuilt", start, &[("another build", built)]);
}

#[test]
fn of_an_app_of_a_file() {
    let start = |home: &Home| {
        let app = "[apps.app]\ncomponent = \"app.wasm\"\n";
        home.write("rhost.toml", format!("{app}{}", home.limit()));
        home.serve(&["-c", "rhost.toml"])
    };
    let reloaded: Event = |home, mut line| {
        let other = "[apps.other]\ncomponent = \"app.wasm\"\n";
        home.write("rhost.toml", format!("[defaults]\n{}{other}", home.limit()));
        line.signal(Signal::HUP);
        line.first.until("is applied");
        line
    };
    let events = [("SIGHUP", reloaded), ("SIGUSR2", upgraded)];
    hold("limited-file", start, &events);
}

#[test]
fn of_an_app_of_a_file_that_is_watched() {
    let start = |home: &Home| {
        let app = "[apps.app]\ncomponent = \"app.wasm\"\n";
        home.write("rhost.toml", format!("[defaults]\n{}{app}", home.limit()));
        home.serve(&["-c", "rhost.toml", "--watch"])
    };
    let replaced: Event = |home, mut line| {
        home.other_component();
        line.first.until("is applied");
        line
    };
    let events = [("another component", replaced)];
    hold("limited-watched-file", start, &events);
}

#[test]
fn of_an_app_that_is_deployed() {
    let start = |home: &Home| {
        let line = home.serve(&["--state", "state"]);
        home.deploy();
        line
    };
    let deployed: Event = |home, line| {
        home.other_component();
        home.deploy();
        line
    };
    let rolled_back: Event = |home, line| {
        home.tell(&["rollback", "app"]);
        line
    };
    let enabled: Event = |home, line| {
        home.tell(&["app", "disable", "app"]);
        home.tell(&["app", "enable", "app"]);
        line
    };
    let restarted: Event = |home, line| {
        ends(line);
        home.serve(&["--state", "state"])
    };
    let events = [
        ("another version", deployed),
        ("rollback", rolled_back),
        ("being disabled", enabled),
        ("SIGUSR2", upgraded),
        ("another start", restarted),
    ];
    hold("limited-deployed", start, &events);
}

/// Two apps beside a file, and room for one: each is loaded again when it is asked for.
#[test]
fn of_an_app_that_is_loaded_again() {
    let start = |home: &Home| {
        home.write("rhost.toml", "[server]\nmemory-budget = \"1MiB\"\n");
        let line = home.serve(&["-c", "rhost.toml", "--state", "state"]);
        home.deploy();
        home.other_component();
        home.tell(&["deploy", "app.wasm", "--app", "other", "--mount", "/other"]);
        line
    };
    let other_used: Event = |_, line| {
        let answer = get(&line.first.addr, "/other/");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        line
    };
    let reloaded: Event = |home, mut line| {
        let file = "[server]\nmemory-budget = \"1MiB\"\n[defaults]\nqueue = 7\n";
        home.write("rhost.toml", file);
        line.signal(Signal::HUP);
        line.first.until("is applied");
        line
    };
    let events = [("another app's use", other_used), ("SIGHUP", reloaded)];
    hold("limited-budget", start, &events);
}

/// A program in Python, built from its source.
#[test]
fn of_a_python_program() {
    let home = tempfile::tempdir().unwrap();
    let code = "def app(environ, start_response):\n\
                \x20   while environ['PATH_INFO'] == '/spin':\n        pass\n\
                \x20   start_response('200 OK', [])\n    return [b'']\n";
    fs::write(home.path().join("loops.py"), code).unwrap();
    let Some(_) = failing(home.path(), "nowhere:app") else {
        return;
    };
    for (key, says) in LIMITS {
        let mut command = rhost();
        command.current_dir(home.path()).env_remove("VIRTUAL_ENV");
        let cache = cache().display().to_string();
        let limit = format!("--{key}=100ms");
        let arguments = ["loops:app", "--cache-dir", &cache, &limit];
        let mut line = Line::of(Serving::start(command, &arguments));
        holds(&mut line, "at first", says);
        line.upgrade();
        holds(&mut line, "SIGUSR2", says);
        ends(line);
    }
}

/// Requests that loop, and have longer than a server that is to stop, are cut.
#[test]
fn loops_are_cut_when_a_server_is_told_to_stop() {
    let app = Crate::new("limited-cut", &saying("tea"));
    let home = Home { app, key: "cpu" };
    home.write("app.wasm", component());
    let file = "[apps.app]\ncomponent = \"app.wasm\"\n";
    home.write("rhost.toml", file);
    for way in [
        &["app.wasm"][..],
        &["app.wasm", "--watch"],
        &["-c", "rhost.toml"],
    ] {
        let line = home.serve(&[way, &["--grace", "100ms", "--admin", "unix:admin.sock"]].concat());
        let held: Vec<_> = (0..LOOPS).map(|_| begin(&line.first.addr)).collect();
        while running(&home) == 0 {
            thread::yield_now();
        }
        let said = ends(line);
        assert!(said.contains("were cut (--grace)"), "{way:?}: {said}");
        drop(held);
    }
}

fn begin(addr: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    let head = b"GET /spin HTTP/1.1\r\nhost: test\r\n\r\n";
    stream.write_all(head).unwrap();
    stream
}

/// How many requests have a sandbox, as the admin listener tells.
fn running(home: &Home) -> u64 {
    let mut stream = UnixStream::connect(home.path().join("admin.sock")).unwrap();
    let head = b"GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(head).unwrap();
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).unwrap();
    let mut lines = metrics.lines();
    let value =
        lines.find_map(|line| line.strip_prefix("rhost_app_requests_running{app=\"app\"} "));
    value.map_or(0, |value| value.parse().unwrap())
}
