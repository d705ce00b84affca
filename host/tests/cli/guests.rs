//! The guests of the tests that misbehave, built once.

use rhost::package::Build;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Returns the component of the guest called `name`.
pub fn guest(name: &str) -> PathBuf {
    static GUESTS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let guests = GUESTS.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
        let mut build = Build::release(&dir);
        build.cargo_args.push("--examples".to_owned());
        build.run().unwrap_or_else(|error| panic!("{error}"))
    });
    let file = name.replace('-', "_");
    let is_it = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem == file.as_str());
    let found = guests.iter().find(is_it);
    found
        .unwrap_or_else(|| panic!("no guest is called {name}"))
        .clone()
}
