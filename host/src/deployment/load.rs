//! Components, each read and compiled once, several at a time.

use crate::compiled::{Pin, Reason};
use crate::compiler::Payer;
use crate::components::{Component, Components};
use crate::config::Config;
use crate::digest::Digest;
use crate::load::LoadError;
use crate::regular_file;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A component, or why there is none.
type Result = std::result::Result<Read, String>;

/// A component that is loaded. Its code is kept until an app has it.
struct Read {
    digest: Digest,
    _component: Arc<Component>,
    _pin: Option<Arc<Pin>>,
}

/// A digest's component, or a place for it: who comes while it is compiled waits.
type Slot = Arc<OnceLock<std::result::Result<Arc<Component>, String>>>;

/// Reads and compiles what a configuration is made of, without anything that is served.
#[derive(Clone)]
pub struct Gatherer(pub(super) Arc<Components>);

/// Components that are loaded, by their paths, or why they are not.
#[derive(Default)]
pub struct Gathered(HashMap<PathBuf, Result>);

impl Gathered {
    /// What is known of the one at `path`.
    pub(super) fn get(&self, path: &Path) -> Option<std::result::Result<Digest, &str>> {
        let known = self.0.get(path)?.as_ref();
        Some(known.map(|read| read.digest).map_err(String::as_str))
    }
}

impl Gatherer {
    /// The components of `config` that are to be loaded at once. It takes as long as it
    /// takes to read and compile them; one that is served already is not loaded again.
    pub fn gather<P>(&self, config: &Config, progress: impl Fn(String) -> P + Sync) -> Gathered {
        Gathered(all(&self.0, config, &progress))
    }
}

fn all<P>(
    components: &Components,
    config: &Config,
    progress: &(impl Fn(String) -> P + Sync),
) -> HashMap<PathBuf, Result> {
    let mut paths: Vec<&Path> = config
        .apps
        .iter()
        .filter(|app| app.digest.is_none())
        .map(|app| app.component.as_path())
        .collect();
    paths.sort();
    paths.dedup();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let slots: Mutex<HashMap<Digest, Slot>> = Mutex::default();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(HashMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(paths.len()) {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = one(components, path, &slots, progress);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.insert(path.to_path_buf(), result);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn one<P>(
    components: &Components,
    path: &Path,
    slots: &Mutex<HashMap<Digest, Slot>>,
    progress: &(impl Fn(String) -> P + Sync),
) -> Result {
    let shown = path.display();
    let file = regular_file::read(path, regular_file::COMPONENT)
        .map_err(|error| format!("{shown}: {error}"))?;
    let digest = Digest::of(&file);
    let slot = {
        let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(digest).or_default().clone()
    };
    // Before there is code, for which that of another component may have to go.
    let pin = components.pin(digest, Reason::OfFile);
    let load = || {
        let compiling = || progress(format!("compiling {shown}"));
        let read = || Ok::<_, LoadError>(file);
        let component = components.load(digest, &Payer::operator(), read, compiling);
        component.map_err(|error| error.to_string())
    };
    match slot.get_or_init(load) {
        Ok(component) => Ok(Read {
            digest,
            _component: component.clone(),
            _pin: pin,
        }),
        Err(why) => Err(format!("{shown}: {why}")),
    }
}
