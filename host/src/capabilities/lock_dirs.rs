//! Directories that programs lock with, and that a guest which is stopped leaves
//! behind.
//!
//! WASI has no locks on files, so programs make a directory beside what they lock:
//! only one of them can (SQLite's `unix-dotfile` is such a lock). An operating
//! system takes away the locks of a process that dies. A guest that is stopped amid
//! its request, since its client left or it met a limit, cannot do that itself, and
//! whoever comes next would wait for a lock that nobody holds.

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, fstat, openat2, statat, unlinkat};
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How many of a guest's locks are known, each of which is a file that the host has
/// open. Those that it makes beyond them stay, as do those for which no file may be open.
const MOST: usize = 8;

/// The locks that one guest has. Those it still has when this is dropped go with it.
#[derive(Default)]
pub struct LockDirs(Vec<Held>);

/// A directory, wherever a path to it leads by now.
#[derive(PartialEq, Eq)]
pub struct LockDir {
    /// The device and the number of the directory that it lies in.
    parent: (u64, u64),
    name: OsString,
}

/// What is needed to take one away.
pub struct Held {
    lock: LockDir,
    parent: OwnedFd,
    /// Its own number: another's may have its name by then.
    number: u64,
}

impl LockDirs {
    /// The guest ended its request by itself: what it leaves it means to leave.
    pub fn leave(&mut self) {
        self.0.clear();
    }

    /// How many it has, each of which is an open file.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// It made one more.
    pub fn add(&mut self, held: Held) {
        if self.0.len() < MOST {
            self.0.push(held);
        }
    }

    /// It took one away.
    pub fn remove(&mut self, removed: &LockDir) {
        self.0.retain(|held| held.lock != *removed);
    }
}

impl Drop for LockDirs {
    fn drop(&mut self) {
        for Held {
            lock,
            parent,
            number,
        } in &self.0
        {
            let stat = statat(parent, &lock.name, AtFlags::SYMLINK_NOFOLLOW);
            if stat.is_ok_and(|stat| stat.st_ino == *number) {
                // One that is not empty is no lock of this kind.
                let _ = unlinkat(parent, &lock.name, AtFlags::REMOVEDIR);
            }
        }
    }
}

/// Where `path` leads from `base`, and the directory it lies in. None leads out of
/// what is lent, not even by a link that is put there meanwhile; where the kernel
/// cannot promise that, the lock stays.
pub fn find(base: &File, path: &str) -> Option<(LockDir, OwnedFd)> {
    let path = Path::new(path);
    let name = path.file_name()?.to_owned();
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = openat2(
        base,
        parent.unwrap_or(Path::new(".")),
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    )
    .ok()?;
    let stat = fstat(&parent).ok()?;
    let lock = LockDir {
        parent: (stat.st_dev, stat.st_ino),
        name,
    };
    Some((lock, parent))
}

/// The lock that was just made at `path`.
pub fn made(base: &File, path: &str) -> Option<Held> {
    let (lock, parent) = find(base, path)?;
    let stat = statat(&parent, &lock.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(Held {
        lock,
        parent,
        number: stat.st_ino,
    })
}
