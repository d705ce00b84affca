//! The ways in which a server is started, and what cannot be done in one.

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A way in which a server is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// In the process of the tests.
    InProcess,
    /// `rhost serve app.wasm`.
    Component,
    /// `rhost serve DIR`: a crate, or a program in Python.
    Crate,
    /// `rhost serve app.wasm --watch`, or `rhost serve -c rhost.toml --watch`.
    Watch,
    /// `rhost serve -c rhost.toml`.
    Config,
    /// `rhost serve --state DIR`, and `rhost deploy`.
    Deployed,
}

/// The variable that chooses, and what it may be.
const VARIABLE: &str = "RHOST_TESTS_START";
const NAMES: [(&str, Start); 6] = [
    ("in-process", Start::InProcess),
    ("component", Start::Component),
    ("crate", Start::Crate),
    ("watch", Start::Watch),
    ("config", Start::Config),
    ("deployed", Start::Deployed),
];

impl Start {
    /// The way in which this run of the tests starts its servers: RHOST_TESTS_START says
    /// which, and without it they are in the process of the tests.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Start> = OnceLock::new();
        *CHOSEN.get_or_init(|| match std::env::var(VARIABLE) {
            Err(_) => Start::InProcess,
            Ok(name) => {
                let found = NAMES.iter().find(|(known, _)| *known == name);
                let names = NAMES.map(|(name, _)| name).join(", ");
                let found = found.unwrap_or_else(|| panic!("{VARIABLE}={name}: there are {names}"));
                found.1
            }
        })
    }

    /// What [`VARIABLE`] calls it.
    fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, start)| *start == self);
        found.expect("each has a name").0
    }

    /// Says that a server is started in this process instead, and why. The file
    /// `rhost-tests/WAY` in the target directory has a line for each.
    pub(crate) fn skip(self, why: &str) {
        if self == Start::InProcess {
            return;
        }
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        eprintln!("IN PROCESS, since {why}");
        let dir = target().join("rhost-tests");
        let append = || -> std::io::Result<()> {
            std::fs::create_dir_all(&dir)?;
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .create(true)
                .append(true)
                .open(dir.join(self.name()))?;
            file.write_all(format!("{why}: {test}\n").as_bytes())
        };
        append().unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    }
}

/// The directory that cargo builds in.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a test has a file");
    // From target/debug/deps/promises-0123.
    let target = program.ancestors().nth(3);
    target.expect("it is in the target directory").to_owned()
}
