//! The file of a Unix socket, which goes with the server that listens on it.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file of ours, removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Which file it is. Another server may have put its own in the place.
    inode: u64,
    /// Only one process removes it, of those that have the socket.
    is_ours: AtomicBool,
}

impl SocketFile {
    /// The file at `path`, where a socket was just bound.
    pub fn bound(path: &Path) -> io::Result<Self> {
        Ok(SocketFile {
            path: path.to_owned(),
            inode: fs::metadata(path)?.ino(),
            is_ours: AtomicBool::new(true),
        })
    }

    /// The file of a socket that was handed over. It is the other process's until
    /// [`SocketFile::keep`].
    pub fn handed(path: &Path, inode: u64) -> Self {
        SocketFile {
            path: path.to_owned(),
            inode,
            is_ours: AtomicBool::new(false),
        }
    }

    /// Which file it is.
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// It is this process's from here on.
    pub fn keep(&self) {
        self.is_ours.store(true, Ordering::Release);
    }

    /// It is another process's from here on.
    pub fn leave(&self) {
        self.is_ours.store(false, Ordering::Release);
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if *self.is_ours.get_mut()
            && fs::metadata(&self.path).is_ok_and(|there| there.ino() == self.inode)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes away a socket that a server left behind which did not end well. One on
/// which somebody listens stays, and so does any other file.
pub fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => {
            match std::os::unix::net::UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path)
                }
                _ => Err(io::ErrorKind::AddrInUse.into()),
            }
        }
        _ => Ok(()),
    }
}
