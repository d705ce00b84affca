//! Apps that are deployed to a server that runs.

mod admin;
mod api;
mod cache;
mod commands;
mod crowds;
mod damage;
mod hostile;
mod places;
mod quotas;
mod tenants;
mod under_load;
mod who_may;

use crate::serving::{Serving, get, rhost};
use rhost::package::Build;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the example answers, and where its component has that.
const GREETING: &[u8] = b"Hello, world!";

/// A directory with a state directory in it, and components.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// A component that answers `Hello, NAME!`, the name in five letters; returns what
    /// its file is called.
    fn component(&self, name: &str) -> String {
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
        let built = Build::release(&hello).run().unwrap().remove(0);
        let mut octets = fs::read(built).unwrap();
        let at = memchr::memmem::find(&octets, GREETING).expect("it has its greeting");
        octets[at + 7..at + 12].copy_from_slice(name.as_bytes());
        let file = format!("{name}.wasm");
        fs::write(self.path(&file), octets).unwrap();
        file
    }

    fn command(&self) -> Command {
        let mut command = rhost();
        command.current_dir(&self.0);
        command.env("RHOST_ADMIN", "state/admin.sock");
        command.env_remove("RHOST_TOKEN");
        command
    }

    /// A server of the state directory.
    fn serve(&self, flags: &[&str]) -> Serving {
        let flags = [&["--state", "state", "--access-log", "off"], flags].concat();
        Serving::start(self.command(), &flags)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// What a command prints that has to do what it is told.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says last that ends with `code`, without the command's name.
    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        let last = said.lines().last().unwrap_or_default();
        last.strip_prefix("rhost: ")
            .expect("it has its name")
            .to_owned()
    }

    /// Deploys a component that greets `name` as `app`, at the host `app`.test.
    fn deploy(&self, app: &str, name: &str) {
        self.deploy_with(app, name, &[]);
    }

    /// The same with `more` arguments.
    fn deploy_with(&self, app: &str, name: &str, more: &[&str]) {
        let (file, host) = (self.component(name), format!("{app}.test"));
        let line = ["deploy", &file, "--app", app, "--host", &host];
        self.done(&[&line, more].concat());
    }

    /// Deploys one that greets `first` for each of these tenants, by its name.
    fn deploy_of(&self, tenants: &[&str]) {
        for tenant in tenants {
            self.deploy_with(tenant, "first", &["--tenant", tenant]);
        }
    }

    /// The answer of the admin socket to this request: its status, and the rest.
    fn ask(&self, request: &str) -> (u16, String) {
        let mut stream = UnixStream::connect(self.path("state/admin.sock")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        answer(&mut stream)
    }
}

/// An answer that ends with its connection: its status, and the rest.
fn answer(stream: &mut impl Read) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{text:?}")), text)
}

/// What is answered at the host of `app`.
fn greeting(serving: &Serving, app: &str) -> String {
    let text = get(&serving.addr, "/", &format!("host: {app}.test\r\n"));
    match text.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => body.trim_end().to_owned(),
        _ => text.get(9..12).unwrap_or_default().to_owned(),
    }
}

/// Waits until it has said `what`.
fn heard(serving: &mut Serving, what: &str) {
    if !serving.said.contains(what) {
        serving.until(what);
    }
}
