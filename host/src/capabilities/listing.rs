//! Directories as guests read them: a batch of entries at a time, where wasmtime-wasi would
//! read the whole directory at once, and hold it for as long as the guest does.

use super::files::{Borrower, Fd, Files, Given, TYPES, anywhere, lost};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use std::collections::VecDeque;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// Entries that are read at a time.
const BATCH: usize = 128;
/// What one counts as of the sandbox's memory, in bytes: a batch of the longest names, and
/// what the kernel writes its entries to.
const HELD: u64 = 64 << 10;

/// A directory that is being read.
struct Listing {
    /// None while a batch is read, and when all is.
    dir: Option<Dir>,
    batch: VecDeque<Result<DirectoryEntry, ErrorCode>>,
}

/// Defines the functions instead of WASI's own.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Listing>(),
        |mut store, rep| {
            let data = store.data_mut();
            data.note_call();
            data.table().delete(Resource::<Listing>::new_own(rep))?;
            data.let_go(HELD);
            Ok(())
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.read-directory",
        |store, (fd,): (Fd,)| Box::new(begin(store, fd)),
    )?;
    types.func_wrap_async(
        "[method]directory-entry-stream.read-directory-entry",
        |store, (listing,): (Resource<Listing>,)| Box::new(next(store, listing)),
    )
}

async fn begin<T: Borrower>(mut store: StoreContextMut<'_, T>, fd: Fd) -> Given<Resource<Listing>> {
    // It is one more open file, and some of the host's memory.
    if !store.data_mut().may_open() || !store.data_mut().hold(HELD) {
        return Ok((Err(ErrorCode::InsufficientMemory),));
    }
    let open = async |files: Files<'_>, [fd]: [Fd; 1]| -> FsResult<Dir> {
        match files.table.get(&fd)? {
            Descriptor::Dir(dir) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let anew = openat(&*dir.dir, c".", flags, Mode::empty());
                Ok(anew.and_then(Dir::new).map_err(std::io::Error::from)?)
            }
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    };
    let dir = match anywhere(&mut store, [fd], open).await? {
        Ok(dir) => dir,
        Err(error) => {
            store.data_mut().let_go(HELD);
            return Ok((Err(error),));
        }
    };
    let listing = Listing {
        dir: Some(dir),
        batch: VecDeque::new(),
    };
    Ok((Ok(store.data_mut().table().push(listing)?),))
}

async fn next<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    listing: Resource<Listing>,
) -> Given<Option<DirectoryEntry>> {
    let data = store.data_mut();
    data.note_call();
    let found = data.table().get_mut(&listing)?;
    if found.batch.is_empty()
        && let Some(mut dir) = found.dir.take()
    {
        let read = data.file_work().run(move || {
            let batch: VecDeque<_> = entries(&mut dir).take(BATCH).collect();
            (dir, batch)
        });
        let (dir, batch) = read.await.map_err(|_| lost())?;
        let data = store.data_mut();
        data.settle()?;
        let found = data.table().get_mut(&listing)?;
        // With nothing more to come it is closed at once.
        found.dir = (!batch.is_empty()).then_some(dir);
        found.batch = batch;
    }
    let found = store.data_mut().table().get_mut(&listing)?;
    Ok((found.batch.pop_front().transpose(),))
}

/// The entries that come next. Those of the directory itself and of the one above are none.
fn entries(dir: &mut Dir) -> impl Iterator<Item = Result<DirectoryEntry, ErrorCode>> {
    std::iter::from_fn(|| {
        loop {
            let entry = match dir.read()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(std::io::Error::from(error).into())),
            };
            let name = entry.file_name();
            if [c".", c".."].contains(&name) {
                continue;
            }
            let kind = match entry.file_type() {
                // Not every file system says it here.
                FileType::Unknown => dir
                    .fd()
                    .and_then(|fd| statat(fd, name, AtFlags::SYMLINK_NOFOLLOW))
                    .map_or(FileType::Unknown, |stat| {
                        FileType::from_raw_mode(stat.st_mode)
                    }),
                kind => kind,
            };
            let name = name.to_owned().into_string();
            return Some(match name {
                Ok(name) => Ok(DirectoryEntry {
                    type_: described(kind),
                    name,
                }),
                Err(_) => Err(ErrorCode::IllegalByteSequence),
            });
        }
    })
}

/// A kind of file in WASI's words.
fn described(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::Fifo | FileType::Socket | FileType::Unknown => DescriptorType::Unknown,
    }
}
