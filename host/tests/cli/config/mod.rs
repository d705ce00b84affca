//! `rhost config`, and `rhost serve -c`: what is said of a file, and what is done
//! about it.

mod commands;
mod errors;
mod extremes;
mod serving;
mod tls;

use crate::serving::{Serving, rhost};
use rhost::package::Build;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A directory with a file in it, and the component of the example beside it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Home(tempfile::tempdir().unwrap());
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
        let built = Build::release(&hello).run().unwrap().remove(0);
        fs::copy(built, home.path("hello.wasm")).unwrap();
        home.write(text);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, text: &str) {
        // Whole, as whoever watches it expects.
        fs::write(self.path("rhost.new"), text).unwrap();
        fs::rename(self.path("rhost.new"), self.path("rhost.toml")).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        rhost()
            .current_dir(&self.0)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A server of the file.
    fn serve(&self, flags: &[&str]) -> Serving {
        let mut command = rhost();
        command.current_dir(&self.0);
        Serving::start(command, &[&["-c", "rhost.toml"], flags].concat())
    }
}
