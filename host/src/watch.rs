//! Waits until the files that an app is made from change.

mod names;

use crate::package::{Build, TARGET};
use cargo_metadata::{Metadata, MetadataCommand, PackageId};
use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{fs, io};

/// Changes that come within this time of one another are one: an editor saves a
/// file in several steps, and a checkout touches many.
const QUIET: Duration = Duration::from_millis(30);

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system has no more watches to give.
    #[error(
        "cannot watch {}: the system's limit is reached; raise fs.inotify.max_user_watches",
        .0.display()
    )]
    Limit(PathBuf),
    /// Something else.
    #[error("cannot watch {}: {error}", path.display())]
    System {
        /// What was to be watched.
        path: PathBuf,
        /// What the system said.
        error: notify::Error,
    },
}

/// A watch on the files of one app.
pub struct Watch {
    watcher: RecommendedWatcher,
    /// None: more changed than the system could tell.
    changes: Receiver<Option<PathBuf>>,
    scope: Scope,
    watched: HashSet<PathBuf>,
}

enum Scope {
    /// These files, and the names that decide what they are.
    Files {
        files: Vec<PathBuf>,
        names: BTreeSet<PathBuf>,
    },
    Trees {
        roots: Vec<PathBuf>,
        /// What lies in them and is not source: what is made from it, and what
        /// the app itself may write.
        except: Vec<PathBuf>,
    },
}

impl Watch {
    /// Watches one file. What its name stands for can change by another name or by a
    /// link, its own or one on the way to it.
    pub fn file(path: &Path) -> Result<Self, WatchError> {
        Watch::files(std::iter::once(path))
    }

    /// The same of all of these.
    pub fn files<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Self, WatchError> {
        let absolute = |file: &Path| std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Watch::new(Scope::Files {
            files: files.map(absolute).collect(),
            names: BTreeSet::new(),
        })
    }

    /// Watches a directory of source. Nothing in `lent` is of it.
    pub fn of_dir(dir: &Path, lent: &[PathBuf]) -> Result<Self, WatchError> {
        Watch::new(Scope::Trees {
            roots: vec![absolute(dir)],
            except: lent.iter().map(|dir| absolute(dir)).collect(),
        })
    }

    /// Watches a crate and the crates beside it that it depends on. Nothing in
    /// `lent` is theirs.
    pub fn of_crate(build: &Build, lent: &[PathBuf]) -> Result<Self, WatchError> {
        let (roots, target) = sources(&build.dir);
        let lent = lent.iter().map(|dir| absolute(dir));
        let except = lent.chain(target).collect();
        Watch::new(Scope::Trees { roots, except })
    }

    fn new(scope: Scope) -> Result<Self, WatchError> {
        let (send, changes) = channel();
        let changed = move |event: notify::Result<notify::Event>| {
            for path in changed(event) {
                let _ = send.send(path);
            }
        };
        let watcher = notify::recommended_watcher(changed).map_err(|error| WatchError::System {
            path: PathBuf::from("files"),
            error,
        })?;
        let mut watch = Watch {
            watcher,
            changes,
            scope,
            watched: HashSet::new(),
        };
        watch.look()?;
        Ok(watch)
    }

    /// Waits for a change, and returns a file that has.
    pub fn wait(&mut self) -> Result<PathBuf, WatchError> {
        let changed = loop {
            let path = self
                .changes
                .recv()
                .expect("the watcher lives as long as this");
            match path {
                Some(path) if !self.scope.has(&path) => {}
                Some(path) => break self.scope.named(path),
                None => break self.scope.whole().to_owned(),
            }
        };
        while self.changes.recv_timeout(QUIET).is_ok() {}
        // Directories that are new. What is written into them before this is there
        // for whoever reads them after it.
        self.look()?;
        Ok(changed)
    }

    /// Watches what is there to be watched and is not yet.
    fn look(&mut self) -> Result<(), WatchError> {
        self.look_on_the_way()?;
        let (shallow, deep) = match &self.scope {
            // Under the names that they really have: the system tells of a directory
            // under the last name by which it was asked to watch it.
            Scope::Files { .. } => (Vec::new(), Vec::new()),
            Scope::Trees { roots, .. } => {
                let below = roots.iter().flat_map(|root| directories(root));
                let deep = below.filter(|dir| self.scope.has(dir)).collect();
                (roots.clone(), deep)
            }
        };
        // A watch on the whole root would be one on all that is built in it.
        self.add(shallow, RecursiveMode::NonRecursive)?;
        self.add(deep, RecursiveMode::Recursive)
    }

    /// Watches the directories that have the names by which files are found, as they are
    /// now. They may have changed names themselves, and a watch is on what had one.
    fn look_on_the_way(&mut self) -> Result<(), WatchError> {
        let Scope::Files { files, names } = &mut self.scope else {
            return Ok(());
        };
        let deciding = files.iter().flat_map(|file| names::deciding(file));
        *names = deciding.collect();
        for path in self.watched.drain() {
            let _ = self.watcher.unwatch(&path);
        }
        let parents = files.iter().filter_map(|file| file.parent());
        let needed: Vec<_> = parents.filter_map(|dir| dir.canonicalize().ok()).collect();
        let dirs: BTreeSet<_> = names.iter().filter_map(|name| name.parent()).collect();
        for dir in dirs {
            match self.watcher.watch(dir, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(dir.to_owned())),
                Err(error) if is_limit(&error) => return Err(explain(dir.to_owned(), error)),
                Err(error) if needed.iter().any(|needed| needed == dir) => {
                    return Err(explain(dir.to_owned(), error));
                }
                // One that may be passed and not be read.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, paths: Vec<PathBuf>, mode: RecursiveMode) -> Result<(), WatchError> {
        self.watched.retain(|path| path.is_dir());
        for path in paths {
            if self.watched.contains(&path) {
                continue;
            }
            match self.watcher.watch(&path, mode) {
                Ok(()) => {}
                // It was there a moment ago.
                Err(_) if !path.exists() => continue,
                Err(error) => return Err(explain(path, error)),
            }
            self.watched.insert(path);
        }
        Ok(())
    }
}

/// What an event says has changed.
fn changed(event: notify::Result<notify::Event>) -> Vec<Option<PathBuf>> {
    match event {
        Ok(event) if event.need_rescan() => vec![None],
        Ok(event) => match event.kind {
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => Vec::new(),
            _ => event.paths.into_iter().map(Some).collect(),
        },
        Err(_) => vec![None],
    }
}

impl Scope {
    /// All that is watched, by the name of its first part.
    fn whole(&self) -> &Path {
        match self {
            Scope::Files { files: roots, .. } | Scope::Trees { roots, .. } => {
                roots.first().map_or(Path::new("."), PathBuf::as_path)
            }
        }
    }

    /// What has changed with `path`: of a single file it is that one, whatever name led to
    /// another.
    fn named(&self, path: PathBuf) -> PathBuf {
        match self {
            Scope::Files { files, .. } if files.len() == 1 => files[0].clone(),
            _ => path,
        }
    }

    /// Whether `path` is of what the app is made from.
    fn has(&self, path: &Path) -> bool {
        match self {
            Scope::Files { names, .. } => names.contains(path),
            Scope::Trees { roots, except } => {
                let below = roots.iter().find_map(|root| path.strip_prefix(root).ok());
                let Some(below) = below else { return false };
                !except.iter().any(|except| path.starts_with(except)) && !is_scratch(below)
            }
        }
    }
}

/// Whether a path below a root is hidden, a copy that an editor keeps, or one that
/// Python does.
fn is_scratch(below: &Path) -> bool {
    let hidden = |part: Component<'_>| {
        let name = part.as_os_str().to_string_lossy();
        (name.starts_with('.') && name != ".cargo") || name == "__pycache__"
    };
    let name = below.file_name().unwrap_or_default().to_string_lossy();
    below.components().any(hidden)
        || name.ends_with('~')
        || name.starts_with('#')
        // Vim makes it, to see whether it can make files.
        || name == "4913"
}

fn directories(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// The directories of the packages that the crate in `dir` is made from and that
/// lie on this machine as source, and where cargo puts what it makes of them.
fn sources(dir: &Path) -> (Vec<PathBuf>, Option<PathBuf>) {
    let dir = absolute(dir);
    let metadata = MetadataCommand::new()
        .current_dir(&dir)
        .other_options(["--filter-platform".to_owned(), TARGET.to_owned()])
        .exec();
    match metadata {
        Ok(metadata) => {
            let mut roots = local(&metadata);
            // Its manifest may set profiles for all, and its lock file versions.
            roots.push(dir);
            roots.sort();
            roots.dedup();
            (roots, Some(metadata.target_directory.into()))
        }
        // Most likely its manifest is what is to be mended.
        Err(_) => {
            let target = dir.join("target");
            (vec![dir], Some(target))
        }
    }
}

fn local(metadata: &Metadata) -> Vec<PathBuf> {
    let Some(resolve) = &metadata.resolve else {
        return Vec::new();
    };
    let mut reached: HashSet<&PackageId> = HashSet::new();
    let mut next: Vec<&PackageId> = resolve.root.iter().collect();
    while let Some(id) = next.pop() {
        if reached.insert(id) {
            let node = resolve.nodes.iter().find(|node| node.id == *id);
            next.extend(node.into_iter().flat_map(|node| &node.dependencies));
        }
    }
    let packages = metadata.packages.iter();
    packages
        .filter(|package| package.source.is_none() && reached.contains(&package.id))
        .filter_map(|package| package.manifest_path.parent())
        .map(|dir| dir.as_std_path().to_owned())
        .collect()
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

fn is_limit(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::StorageFull,
        _ => false,
    }
}

fn explain(path: PathBuf, error: notify::Error) -> WatchError {
    match is_limit(&error) {
        true => WatchError::Limit(path),
        false => WatchError::System { path, error },
    }
}

#[cfg(test)]
mod tests;
