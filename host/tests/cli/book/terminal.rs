//! A reader's terminals: one for commands, and another one in which `rhost serve`
//! goes on.

use super::expected::is_shown;
use crate::project;
use std::io::{BufRead, BufReader, pipe};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, thread};

/// The address that the book has, in whose place a free port is.
const ADDRESS: &str = "127.0.0.1:8000";

/// Only waited out where the book is wrong.
const PATIENCE: Duration = Duration::from_secs(600);

/// What whoever runs these tests has done already, at the price of minutes: how to
/// get the command `rhost` and these tests. What is left of such a line is run.
const DONE: [(&str, &str); 2] = [
    ("cargo run --release -p rhost -- ", "rhost "),
    ("cargo test ", "true "),
];

pub struct Terminal {
    home: tempfile::TempDir,
    checkout: PathBuf,
    here: PathBuf,
    serving: Option<Serving>,
}

/// A server in a terminal of its own.
struct Serving {
    child: Child,
    address: String,
    watches: bool,
    lines: Receiver<String>,
    said: Vec<String>,
    /// How many of the lines the page has spoken of.
    heard: usize,
}

impl Terminal {
    /// In a directory that is empty but for the examples, which their own pages
    /// name as one does in the checkout.
    pub fn open(checkout: PathBuf) -> Self {
        let home = tempfile::tempdir().unwrap();
        let here = home.path().canonicalize().unwrap();
        symlink(checkout.join("examples"), here.join("examples")).unwrap();
        Terminal {
            home,
            checkout,
            here,
            serving: None,
        }
    }

    /// Runs a line, and returns all that it wrote. Fails where the command does,
    /// unless it ends in a pipe or says what to do then.
    pub fn run(&mut self, line: &str) -> String {
        if let Some(dir) = line.strip_prefix("cd ") {
            self.here = self.here.join(dir.trim()).canonicalize().unwrap();
            return String::new();
        }
        let goes_on = !line.ends_with(" -h") && !line.contains("||");
        if line.starts_with("rhost serve") && goes_on {
            return self.serve(line);
        }
        let line = match &self.serving {
            Some(serving) => line
                .replace("localhost:8000", &serving.address)
                .replace(ADDRESS, &serving.address),
            None => line.to_owned(),
        };
        let (reader, writer) = pipe().unwrap();
        let mut child = self.shell(&line, writer).spawn().unwrap();
        let text = std::io::read_to_string(reader).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{line}: {status}\n{text}");
        self.lock();
        match &self.serving {
            Some(serving) => text.replace(&serving.address, ADDRESS),
            None => text,
        }
    }

    /// Runs a line in the checkout.
    pub fn run_in_checkout(&mut self, line: &str) {
        let mut line = format!("{line} ");
        for (done, left) in DONE {
            if let Some(rest) = line.strip_prefix(done.trim_end()) {
                line = format!("{}{rest}", left.trim_end());
            }
        }
        let here = std::mem::replace(&mut self.here, self.checkout.clone());
        self.run(line.trim());
        self.here = here;
    }

    /// Starts a server in the place of the one before, and returns what it said.
    fn serve(&mut self, line: &str) -> String {
        self.serving = None;
        let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
        let (reader, writer) = pipe().unwrap();
        let line = format!("exec {command} --addr 127.0.0.1:0 #{comment}");
        let child = self.shell(&line, writer).spawn().unwrap();
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let serving = self.serving.insert(Serving {
            child,
            address: ADDRESS.into(),
            watches: line.contains("--watch"),
            lines,
            said: Vec::new(),
            heard: 0,
        });
        let ready = serving.next(|line| line.starts_with("rhost: serving "));
        let url = ready.split("http://").nth(1).unwrap();
        serving.address = url.split('/').next().unwrap().to_owned();
        serving.heard = serving.said.len();
        serving.said.join("\n").replace(&serving.address, ADDRESS)
    }

    /// Waits until the server's terminal shows such a line.
    pub fn hears(&mut self, shown: &str) {
        let serving = self.serving.as_mut().expect("something is served");
        loop {
            while let Some(line) = serving.said.get(serving.heard) {
                serving.heard += 1;
                if is_shown(shown, line) {
                    return;
                }
            }
            serving.next(|_| true);
        }
    }

    /// Writes a file, as an editor does.
    pub fn write(&mut self, path: &str, text: &str) {
        let path = self.here.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Moved there whole, so that whoever watches sees one change.
        let new = self.home.path().join("new~");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
        if let Some(serving) = self.serving.as_mut().filter(|it| it.watches) {
            let made = |line: &str| {
                line.contains("is up to date again, after") || line.contains(" does not build; ")
            };
            serving.next(made);
        }
    }

    /// Replaces `old`, which is there once, by `new`.
    pub fn change(&mut self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.here.join(path)).unwrap();
        assert_eq!(
            text.matches(old).count(),
            1,
            "{path} has not this once:\n{old}\nbut is\n{text}"
        );
        self.write(path, &text.replace(old, new));
    }

    /// A new project gets the versions that are here already.
    fn lock(&self) {
        for dir in fs::read_dir(self.home.path()).unwrap() {
            let dir = dir.unwrap().path();
            if dir.join("Cargo.toml").exists() && !dir.join("Cargo.lock").exists() {
                fs::copy(self.checkout.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
            }
        }
    }

    fn shell(&self, line: &str, writer: std::io::PipeWriter) -> Command {
        let mut shell = project::command(Path::new("sh"), &self.here);
        let rhost = Path::new(env!("CARGO_BIN_EXE_rhost")).parent().unwrap();
        let path = env::var_os("PATH").unwrap_or_default();
        let dirs = [rhost.to_owned()]
            .into_iter()
            .chain(env::split_paths(&path));
        shell
            .args(["-c", line])
            .env("PATH", env::join_paths(dirs).unwrap())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        shell
    }
}

impl Serving {
    /// Waits for the next line of this kind.
    fn next(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("the server says no more than\n{}", self.said.join("\n"));
            };
            self.said.push(line.clone());
            if is_it(&line) {
                return line;
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[should_panic(expected = "test -e absent: exit status: 1")]
fn a_command_that_fails_is_noticed() {
    let mut terminal = Terminal::open(super::checkout());
    terminal.write("there", "");
    assert_eq!(terminal.run("test -e there && echo yes"), "yes\n");
    terminal.run("test -e absent");
}

#[test]
#[should_panic(expected = "has not this once")]
fn a_change_of_what_is_not_there_is_noticed() {
    let mut terminal = Terminal::open(super::checkout());
    terminal.write("file", "a\nb\n");
    terminal.change("file", "b\n", "c\n");
    assert_eq!(terminal.run("cat file"), "a\nc\n");
    terminal.change("file", "b\n", "d\n");
}
