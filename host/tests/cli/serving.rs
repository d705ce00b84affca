//! A host that serves, as a process of its own.

use rustix::process::{Pid, Signal};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

/// The command under test.
pub fn rhost() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rhost"));
    command.stdin(Stdio::null());
    command
}

/// A host that serves.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub addr: String,
    stderr: BufReader<ChildStderr>,
    /// What it said so far.
    pub said: String,
}

impl Serving {
    /// Runs `rhost serve` with these arguments, on a port of the system's choice;
    /// `command` is `rhost` with what it needs around it.
    pub fn start(mut command: Command, arguments: &[&str]) -> Self {
        command
            .arg("serve")
            .args(["--addr", "127.0.0.1:0"])
            .args(arguments);
        let mut serving = Serving::from(command);
        let line = serving.until("rhost: serving ");
        let url = line.split("://").nth(1).expect("it says where");
        serving.addr = url.split('/').next().unwrap().to_owned();
        serving
    }

    /// Runs `command` as it is.
    pub fn from(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Serving {
            child,
            addr: String::new(),
            stderr,
            said: String::new(),
        }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it says `what`, and returns the line.
    pub fn until(&mut self, what: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.stderr.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended: {}", self.said);
            self.said += &line;
            if line.contains(what) {
                return line;
            }
        }
    }

    /// The answer to GET, head and body, over a connection of its own.
    pub fn get(&self, path: &str) -> String {
        self.get_with(path, "host: test\r\n")
    }

    /// The same with these header fields.
    pub fn get_with(&self, path: &str, fields: &str) -> String {
        get(&self.addr, path, fields)
    }

    /// Sends it a signal, if it is still there.
    pub fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process(self.pid(), signal);
    }

    /// Stops it as a service manager does; see [`Serving::end`].
    pub fn stop(self) -> (Option<i32>, String, String) {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end, and that of all that it started; returns its exit code and
    /// what was said since.
    pub fn rest(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    /// Waits for its end; returns the exit code and what was written to standard
    /// output and, since it was last heard, to standard error.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let out = self.child.stdout.as_mut().unwrap();
        out.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Serving {
    /// A test that failed leaves nothing behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer of `addr` to GET, head and body.
pub fn get(addr: &str, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\n{fields}connection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    match text.split_once("\r\n\r\n") {
        // A guest that had to give way, on a busy machine, was not waited for.
        Some((head, chunks)) if head.contains("transfer-encoding: chunked") => {
            format!("{head}\r\n\r\n{}", joined(chunks))
        }
        _ => text,
    }
}

/// A body without the framing of its chunks (RFC 9112, section 7.1).
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        if size == 0 {
            return body;
        }
        body += &rest[..size];
        chunks = &rest[size + 2..];
    }
    panic!("the body has no end: {chunks}")
}
