//! What the store has a disk do, which is what can fail, and what tests make fail.

use redb::StorageBackend;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A disk. Each function is what the system does.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Writes all of `octets` at `offset`.
    fn write(&self, file: &File, octets: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(octets, offset)
    }

    /// Gives `file` this length.
    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Returns when what was written outlasts a loss of power. Of a directory: the
    /// names in it.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Gives the file at `from` the name `to`, which no other file has then.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// [`Disk::sync`] of the directory at `path`.
    fn sync_names(&self, path: &Path) -> io::Result<()> {
        self.sync(&File::open(path)?)
    }
}

/// The disk that there is.
#[derive(Debug)]
pub struct Real;

impl Disk for Real {}

/// A file in which redb keeps its pages.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) file: File,
    pub(super) disk: Arc<dyn Disk>,
}

impl StorageBackend for Pages {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.set_length(&self.file, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    fn write(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.disk.write(&self.file, octets, offset)
    }
}
