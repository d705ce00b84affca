//! Waits until the files that an app is made from change.

use crate::package::{Build, TARGET};
use cargo_metadata::{Metadata, MetadataCommand, PackageId};
use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::HashSet;
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
    File(PathBuf),
    /// Whatever lies in these.
    Dirs(Vec<PathBuf>),
    Trees {
        roots: Vec<PathBuf>,
        /// What lies in them and is not source: what is made from it, and what
        /// the app itself may write.
        except: Vec<PathBuf>,
    },
}

impl Watch {
    /// Watches one file, which may be replaced by another of its name.
    pub fn file(path: &Path) -> Result<Self, WatchError> {
        Watch::new(Scope::File(absolute(path)))
    }

    /// Watches the directories in which `files` are: what a name stands for can
    /// change by a link, too.
    pub fn beside<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Self, WatchError> {
        let mut dirs: Vec<_> = files
            .filter_map(|file| std::path::absolute(file).ok()?.parent().map(Path::to_owned))
            .collect();
        dirs.sort();
        dirs.dedup();
        Watch::new(Scope::Dirs(dirs))
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
                Some(path) => break path,
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
        let (shallow, deep) = match &self.scope {
            Scope::File(path) => (vec![path.parent().unwrap_or(path).to_owned()], Vec::new()),
            Scope::Dirs(dirs) => (dirs.clone(), Vec::new()),
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
            Scope::File(file) => file,
            Scope::Dirs(roots) | Scope::Trees { roots, .. } => {
                roots.first().map_or(Path::new("."), PathBuf::as_path)
            }
        }
    }

    /// Whether `path` is of what the app is made from.
    fn has(&self, path: &Path) -> bool {
        match self {
            Scope::File(file) => path == file,
            Scope::Dirs(_) => true,
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

fn explain(path: PathBuf, error: notify::Error) -> WatchError {
    let is_limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::StorageFull,
        _ => false,
    };
    match is_limit {
        true => WatchError::Limit(path),
        false => WatchError::System { path, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_or_lent_is_not_source() {
        let scope = Scope::Trees {
            roots: vec!["/app".into(), "/sdk".into()],
            except: vec!["/app/target".into(), "/app/data".into()],
        };
        for source in [
            "/app/src/lib.rs",
            "/app/Cargo.toml",
            "/sdk/src/a.rs",
            "/app/.cargo/config.toml",
        ] {
            assert!(scope.has(Path::new(source)), "{source}");
        }
        for other in [
            "/app/target/release/app.wasm",
            "/app/data/notes.txt",
            "/app/.git/index",
            "/app/src/.lib.rs.swp",
            "/app/src/lib.rs~",
            "/app/src/4913",
            "/elsewhere/lib.rs",
        ] {
            assert!(!scope.has(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn what_the_system_could_not_tell_is_a_change() {
        let rescan = notify::Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert_eq!(changed(Ok(rescan)), [None]);
        assert_eq!(changed(Err(notify::Error::generic("lost"))), [None]);
        let read = EventKind::Access(notify::event::AccessKind::Read);
        let read = notify::Event::new(read).add_path("/app/src/lib.rs".into());
        assert_eq!(changed(Ok(read)), []);
    }

    #[test]
    fn a_change_is_noticed_however_it_is_saved() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let file = home.join("app.wasm");
        fs::write(&file, "1").unwrap();
        let mut watch = Watch::file(&file).unwrap();
        fs::write(home.join("other"), "x").unwrap();
        fs::write(&file, "2").unwrap();
        assert_eq!(watch.wait().unwrap(), file);
        // As an editor does it: a new file takes the name.
        fs::write(home.join("new"), "3").unwrap();
        fs::rename(home.join("new"), &file).unwrap();
        assert_eq!(watch.wait().unwrap(), file);
    }

    #[test]
    fn a_new_directory_is_watched() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir(home.join("target")).unwrap();
        let mut watch = Watch::new(Scope::Trees {
            roots: vec![home.clone()],
            except: vec![home.join("target")],
        })
        .unwrap();
        fs::create_dir(home.join("src")).unwrap();
        assert_eq!(watch.wait().unwrap(), home.join("src"));
        fs::write(home.join("target/made"), "x").unwrap();
        fs::write(home.join("src/lib.rs"), "x").unwrap();
        assert_eq!(watch.wait().unwrap(), home.join("src/lib.rs"));
    }

    #[test]
    fn what_the_system_did_not_tell_counts_as_a_change() {
        let overflow = notify::Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert_eq!(changed(Ok(overflow)), [None]);
        assert_eq!(changed(Err(notify::Error::generic("lost"))), [None]);
    }
}
