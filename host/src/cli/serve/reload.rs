//! SIGHUP and `watch`: the file applied to a server that serves.

use super::fleet::Served;
use super::{service_manager, tls};
use rhost::tls::Tls;
use rhost::watch::{Watch, WatchError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Asks for the file to be applied.
#[derive(Clone)]
pub struct Reloads(Sender<Asked>);

enum Asked {
    /// By a signal.
    Reload,
    /// By the watch, which is told what to watch from here on.
    Changed(Sender<Vec<PathBuf>>),
}

/// Starts the thread that applies the file at `path`, and reads the files of `tls` again when
/// a signal asks for it; and with `watching` the one that
/// says when something has changed. One application at a time, and none holds up a
/// request.
pub fn start(
    served: Served,
    path: PathBuf,
    tls: Option<Arc<Tls>>,
    watching: bool,
    quiet: bool,
) -> Result<Reloads, WatchError> {
    let (reloads, asked) = channel();
    if watching {
        // Before the first look, so that no change is missed.
        let files = served.files();
        let watch = Watch::files(files.iter().map(PathBuf::as_path))?;
        let reloads = reloads.clone();
        std::thread::spawn(move || follow(watch, files, &reloads));
    }
    std::thread::spawn(move || apply(&served, &path, tls.as_deref(), &asked, quiet));
    Ok(Reloads(reloads))
}

impl Reloads {
    /// Asks for it; it is done as soon as can be.
    pub fn ask(&self) {
        // The thread lives as long as the process.
        let _ = self.0.send(Asked::Reload);
    }
}

fn apply(served: &Served, path: &Path, tls: Option<&Tls>, asked: &Receiver<Asked>, quiet: bool) {
    while let Ok(asked) = asked.recv() {
        service_manager::reloading();
        let is_watch = matches!(asked, Asked::Changed(_));
        // Those of a watch of their own are read by that.
        if let Some(tls) = tls.filter(|_| !is_watch) {
            tls::reread(tls);
        }
        match served.reload(path) {
            Ok(changes) => {
                let is_news = changes.added + changes.changed + changes.removed > 0;
                if !quiet && (is_news || !is_watch) {
                    tracing::info!("{} is applied: {changes}", path.display());
                }
            }
            Err(why) => tracing::error!("{why}"),
        }
        service_manager::ready();
        if let Asked::Changed(answer) = asked {
            let _ = answer.send(served.files());
        }
    }
}

/// Asks whenever one of `files`, and not merely something beside them, has changed.
fn follow(mut watch: Watch, mut files: Vec<PathBuf>, reloads: &Sender<Asked>) {
    // What has changed since the file was read for the first time is not lost.
    let mut seen = Vec::new();
    loop {
        // Until nothing changes while it is applied.
        while stamps(&files) != seen {
            seen = stamps(&files);
            let (answer, now) = channel();
            if reloads.send(Asked::Changed(answer)).is_err() {
                return;
            }
            let Ok(now) = now.recv() else { return };
            if now == files {
                continue;
            }
            match Watch::files(now.iter().map(PathBuf::as_path)) {
                Ok(another) => watch = another,
                Err(error) => tracing::error!("{error}; changes there are not noticed"),
            }
            // What is new among them may have changed before it was watched.
            files = now;
            seen.clear();
        }
        if let Err(error) = watch.wait() {
            tracing::error!("{error}; changes are no longer noticed, send SIGHUP instead");
            return;
        }
    }
}

/// What tells a file from the one that was there before.
#[derive(PartialEq, Eq)]
struct Stamp {
    /// Device and number.
    file: (u64, u64),
    /// When it was last written, or took this name.
    changed: (i64, i64),
    length: u64,
}

/// Those of `files`; none for one that is not there.
fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |file: &PathBuf| {
        let found = std::fs::metadata(file).ok()?;
        Some(Stamp {
            file: (found.dev(), found.ino()),
            changed: (found.ctime(), found.ctime_nsec()),
            length: found.len(),
        })
    };
    files.iter().map(stamp).collect()
}
