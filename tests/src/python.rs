//! Guests that are WSGI programs. Building them takes Python, and a network the
//! first time; a machine without them skips the tests and says so, unless
//! RHOST_REQUIRE_PYTHON=1 is set.

use rhost::compiled::Cache;
use rhost::python::{Built, Observer, Project, PythonError, Workshop};
use std::any::Any;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Tells nobody.
struct Silent;

impl Observer for Silent {
    fn progress(&self, _: String) -> Box<dyn Any> {
        Box::new(())
    }

    fn tell(&self, _: String) {}
}

/// A cache directory for commands and guests, in the target directory: what is
/// installed and built there stays from one run to the next.
pub fn cache_dir() -> PathBuf {
    let target = crate::start::target();
    let dir = target.join("rhost-cache");
    Cache::open(&dir).expect("the target directory is ours");
    dir
}

/// Builds the program in `dir`, once for all tests of a process; none on a machine
/// that cannot.
pub fn build(dir: &Path) -> Option<Built> {
    static BUILT: Mutex<Option<HashMap<PathBuf, Result<Built, Failure>>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    let result = built
        .entry(dir.to_owned())
        .or_insert_with(|| build_once(dir));
    match result {
        Ok(built) => Some(built.clone()),
        Err(Failure { why, lacking: true }) => skip(why),
        Err(Failure { why, .. }) => panic!("{why}"),
    }
}

/// Why there is no guest.
struct Failure {
    why: String,
    /// Whether the machine lacks what it takes, rather than the program being wrong.
    lacking: bool,
}

fn build_once(dir: &Path) -> Result<Built, Failure> {
    let project = Project::find(dir)
        .unwrap_or_else(|error| panic!("{error}"))
        .expect("its pyproject.toml names an application");
    let workshop = Workshop {
        dir: cache_dir().join("python"),
        active: None,
        env: Vec::new(),
        observer: &Silent,
    };
    project.build(&workshop).map_err(|error| Failure {
        why: format!("{error}\n{}", error.details().unwrap_or_default()),
        lacking: matches!(
            error,
            PythonError::NoPython(_) | PythonError::NoVenv(_) | PythonError::NoNetwork { .. }
        ),
    })
}

/// Says that a test is skipped, and why; fails where that is not allowed.
pub fn skip<T>(why: &str) -> Option<T> {
    assert!(
        std::env::var_os("RHOST_REQUIRE_PYTHON").is_none_or(|value| value != "1"),
        "RHOST_REQUIRE_PYTHON=1, and {why}"
    );
    eprintln!("SKIPPED, since {why}");
    None
}
