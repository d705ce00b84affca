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
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, Host, HostDescriptor};

/// How the name of such a directory ends.
const SUFFIX: &str = ".lock";

/// The interface whose functions are replaced.
pub(super) const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// How many of a guest's locks are known, each of which is a file that the host has
/// open. Those that it makes beyond them stay, as do those for which no file may be open.
const MOST: usize = 8;

/// The locks that one guest has. Those it still has when this is dropped go with it.
#[derive(Default)]
pub struct LockDirs(Vec<Held>);

/// A directory, wherever a path to it leads by now.
#[derive(PartialEq, Eq)]
struct LockDir {
    /// The device and the number of the directory that it lies in.
    parent: (u64, u64),
    name: OsString,
}

/// What is needed to take one away.
struct Held {
    lock: LockDir,
    parent: OwnedFd,
    /// Its own number: another's may have its name by then.
    number: u64,
}

/// The data of a sandbox that may be lent directories.
pub trait Borrower: WasiView {
    /// The locks that its guest has.
    fn locks(&mut self) -> &mut LockDirs;

    /// Whether one more file may be open for its guest, which is counted as open then.
    fn may_open(&mut self) -> bool;
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

    fn made(&mut self, base: &File, path: &str) {
        if self.0.len() < MOST
            && let Some((lock, parent)) = find(base, path)
            && let Ok(stat) = statat(&parent, &lock.name, AtFlags::SYMLINK_NOFOLLOW)
        {
            self.0.push(Held {
                lock,
                parent,
                number: stat.st_ino,
            });
        }
    }

    fn removed(&mut self, base: &File, path: &str) {
        if !self.0.is_empty()
            && let Some((removed, _)) = find(base, path)
        {
            self.0.retain(|held| held.lock != removed);
        }
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
fn find(base: &File, path: &str) -> Option<(LockDir, OwnedFd)> {
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

/// Defines, instead of WASI's own, the functions by which locks are made and
/// removed.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async(
        "[method]descriptor.create-directory-at",
        |store, (base, path)| Box::new(act(store, base, path, Act::Make)),
    )?;
    types.func_wrap_async(
        "[method]descriptor.remove-directory-at",
        |store, (base, path)| Box::new(act(store, base, path, Act::Remove)),
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What is done with a directory.
enum Act {
    Make,
    Remove,
}

async fn act<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    base: Resource<Descriptor>,
    path: String,
    act: Act,
) -> wasmtime::Result<(Result<(), ErrorCode>,)> {
    let lock = lock(&mut store, &base, &path)?;
    let mut files = store.data_mut().filesystem();
    let done = match act {
        Act::Make => files.create_directory_at(base, path.clone()).await,
        Act::Remove => files.remove_directory_at(base, path.clone()).await,
    };
    if let Err(error) = done {
        return Ok((Err(files.convert_error_code(error)?),));
    }
    if let Some(base) = lock {
        let data = store.data_mut();
        match act {
            Act::Make if data.may_open() => data.locks().made(&base, &path),
            Act::Make => {}
            Act::Remove => data.locks().removed(&base, &path),
        }
    }
    Ok((Ok(()),))
}

/// What `path` starts from, if it is a lock's.
fn lock<T: Borrower>(
    store: &mut StoreContextMut<'_, T>,
    base: &Resource<Descriptor>,
    path: &str,
) -> wasmtime::Result<Option<Arc<File>>> {
    if !path.ends_with(SUFFIX) {
        return Ok(None);
    }
    Ok(match store.data_mut().filesystem().table.get(base)? {
        Descriptor::Dir(dir) => Some(dir.dir.clone()),
        Descriptor::File(_) => None,
    })
}
