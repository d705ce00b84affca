//! Components by their digests, each a file that is written once.

use super::{Digest, Disk};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempPath;

/// What the name of a file begins with that is not whole.
const UPLOAD: &str = ".upload-";

/// A directory of components. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct Components {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

/// A component that is on its way here. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    file: File,
    path: TempPath,
    hasher: Sha256,
    octets: u64,
    disk: Arc<dyn Disk>,
}

/// A component that is here whole, and that nobody else knows of yet. Dropped, it
/// leaves nothing.
#[derive(Debug)]
pub struct Uploaded {
    file: File,
    path: TempPath,
    disk: Arc<dyn Disk>,
    /// What it is.
    pub digest: Digest,
    /// Its size.
    pub octets: u64,
}

impl Components {
    /// Those in the directory at `path`, which is there.
    pub(super) fn new(path: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Components { path, disk }
    }

    /// Begins to take one.
    pub fn upload(&self) -> io::Result<Upload> {
        let file = tempfile::Builder::new()
            .prefix(UPLOAD)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&self.path)?;
        let (file, path) = file.into_parts();
        Ok(Upload {
            file,
            path,
            hasher: Sha256::new(),
            octets: 0,
            disk: self.disk.clone(),
        })
    }

    /// Where the component of this digest is, if it is here.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.path.join(format!("{digest}.wasm"))
    }

    /// Has what there is of `component` on the disk, before anything waits for it.
    pub fn sync(&self, component: &Uploaded) -> io::Result<()> {
        self.disk.sync(&component.file)
    }

    /// Keeps `component` under its digest. When this returns it outlasts a loss of
    /// power. One that was there is replaced: it may be damaged.
    pub(super) fn put(&self, component: Uploaded) -> io::Result<()> {
        self.disk.sync(&component.file)?;
        let path = self.path(&component.digest);
        self.disk.rename(&component.path, &path)?;
        // It has another name by now, which is to stay.
        let _ = component.path.keep();
        self.disk.sync_names(&self.path)
    }

    /// Removes one that nothing needs. That it stays costs its room, no more.
    pub(super) fn remove(&self, digest: &Digest) {
        let path = self.path(digest);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("{}: {error}; nothing needs it any more", path.display());
        }
    }

    /// Removes what a process left behind that ended in the middle of something:
    /// parts of components, and those that `is_needed` does not know.
    pub(super) fn sweep(&self, mut is_needed: impl FnMut(&Digest) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let digest = name.strip_suffix(".wasm").map(str::parse::<Digest>);
            match digest {
                Some(Ok(digest)) if !is_needed(&digest) => self.remove(&digest),
                _ if name.starts_with(UPLOAD) => {
                    let _ = fs::remove_file(entry.path());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Upload {
    /// Takes the next octets.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.disk.write(&self.file, octets, self.octets)?;
        self.hasher.update(octets);
        self.octets += octets.len() as u64;
        Ok(())
    }

    /// How many there were so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// There are no more.
    pub fn finish(self) -> Uploaded {
        Uploaded {
            file: self.file,
            path: self.path,
            disk: self.disk,
            digest: Digest(self.hasher.finalize().into()),
            octets: self.octets,
        }
    }
}

impl Uploaded {
    /// Returns when what was written outlasts a loss of power. To keep it takes little
    /// time after that.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    /// Where it is for now.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
