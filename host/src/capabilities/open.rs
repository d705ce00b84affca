//! The function by which guests open files. Each file is a descriptor of the process, and
//! all sandboxes together may have so many.
//!
//! What a guest has open stands in its table of WASI's resources, none of which has more
//! than one descriptor; only this function, and that by which directories are read
//! ([`super::listing`]), add any. So the table is counted here: nothing has to be known of
//! how it gives them back.
//!
//! Only files and directories are opened. A pipe with a name would keep the thread that opens
//! it until somebody opens its other end, and a device may do anything when it is opened. So it
//! is looked at first; and since another may have taken its place by the time that it is
//! opened, it is opened so that nothing is waited for, and looked at again.

use super::files::{Borrower, Fd, Files, Given, Path, TYPES, anywhere, path};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fcntl_getfl, fcntl_setfl, fstat, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::OwnedFd;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, Dir, File as OpenFile};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::{FsPerms, OpenMode};

/// How often a path is followed anew that changes meanwhile.
const TRIES: usize = 4;

/// What a guest says of the file that it opens.
#[derive(Clone, Copy)]
struct Asked {
    path: PathFlags,
    open: OpenFlags,
    flags: DescriptorFlags,
}

/// Defines it instead of WASI's own.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.instance(TYPES)?.func_wrap_async(
        "[method]descriptor.open-at",
        |store, (fd, path, of, open, flags): (Fd, PathFlags, Path, OpenFlags, DescriptorFlags)| {
            Box::new(open_at(store, fd, of, Asked { path, open, flags }))
        },
    )
}

async fn open_at<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    fd: Fd,
    of: Path,
    asked: Asked,
) -> Given<Resource<Descriptor>> {
    if !store.data_mut().may_open() {
        // Of what open(2) can say, and WASI too, the nearest.
        return Ok((Err(ErrorCode::InsufficientMemory),));
    }
    let open = async move |mut files: Files<'_>, [fd]: [Fd; 1]| {
        let of = path(of)?;
        let Descriptor::Dir(dir) = files.table.get(&fd)?.clone() else {
            return Err(ErrorCode::NotDirectory.into());
        };
        match asked.open(&dir, &of)? {
            Some(opened) => Ok(opened),
            None => asked.open_slowly(&mut files, fd, of).await,
        }
    };
    Ok((match anywhere(&mut store, [fd], open).await? {
        Ok(opened) => Ok(store.data_mut().table().push(opened)?),
        Err(error) => Err(error),
    },))
}

impl Asked {
    /// Opens it; none where the kernel does not resolve paths as guests are to have them.
    fn open(self, dir: &Dir, path: &str) -> FsResult<Option<Descriptor>> {
        let mode = self.mode();
        self.check(dir.perms, mode)?;
        let follow = match self.path.contains(PathFlags::SYMLINK_FOLLOW) {
            true => OFlags::empty(),
            false => OFlags::NOFOLLOW,
        };
        let look = OFlags::PATH | OFlags::CLOEXEC | follow;
        match beneath(dir, path, look) {
            Ok(found) if !may_be_opened(kind(&found)?, true) => {
                return Err(ErrorCode::NotPermitted.into());
            }
            Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
            // What is wrong with it opening it will say.
            _ => {}
        }
        let flags = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | follow;
        let opened = match beneath(dir, path, flags | self.creates() | access(mode)) {
            Ok(opened) => opened,
            Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
            // A path that leads out of what is lent.
            Err(Errno::XDEV) => return Err(ErrorCode::NotPermitted.into()),
            // A pipe that has taken a file's place, and that nobody reads.
            Err(Errno::NXIO) => return Err(ErrorCode::NotPermitted.into()),
            Err(error) => return Err(std::io::Error::from(error).into()),
        };
        match kind(&opened)? {
            FileType::Directory => Ok(Some(Descriptor::Dir(Dir::new(
                File::from(opened),
                dir.perms,
                mode,
                true,
            )))),
            FileType::RegularFile if self.open.contains(OpenFlags::DIRECTORY) => {
                Err(ErrorCode::NotDirectory.into())
            }
            FileType::RegularFile => {
                // Reading and writing wait for a disk, as they are meant to.
                let flags = fcntl_getfl(&opened).map_err(std::io::Error::from)?;
                fcntl_setfl(&opened, flags - OFlags::NONBLOCK).map_err(std::io::Error::from)?;
                let file = OpenFile::new(File::from(opened), dir.perms, mode, true);
                Ok(Some(Descriptor::File(file)))
            }
            _ => Err(ErrorCode::NotPermitted.into()),
        }
    }

    /// Has wasmtime-wasi follow the path step by step. Between the look at what is there and
    /// its opening another may take its place.
    async fn open_slowly(
        self,
        files: &mut Files<'_>,
        fd: Fd,
        path: String,
    ) -> FsResult<Descriptor> {
        let dir = Resource::new_borrow(fd.rep());
        let found = files.stat_at(dir, self.path, path.clone()).await;
        let may = |kind| {
            matches!(
                kind,
                DescriptorType::RegularFile
                    | DescriptorType::Directory
                    | DescriptorType::SymbolicLink
            )
        };
        if found.is_ok_and(|found| !may(found.type_)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        let opened = files.open_at(fd, self.path, path, self.open, self.flags);
        let opened = opened.await?;
        Ok(files.table.delete(opened)?)
    }

    /// What the guest may do with it.
    fn mode(self) -> OpenMode {
        let mut mode = OpenMode::empty();
        let writes = self.flags.contains(DescriptorFlags::WRITE);
        if writes
            || self
                .open
                .intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
        {
            mode |= OpenMode::WRITE;
        }
        // What is not to be written is at least to be read.
        if !writes || self.flags.contains(DescriptorFlags::READ) {
            mode |= OpenMode::READ;
        }
        mode
    }

    fn check(self, perms: FsPerms, mode: OpenMode) -> FsResult<()> {
        let synchronous = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if self.flags.intersects(synchronous) {
            return Err(ErrorCode::Unsupported.into());
        }
        let makes = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        if self.open.contains(OpenFlags::DIRECTORY) && self.open.intersects(makes) {
            return Err(ErrorCode::Invalid.into());
        }
        if perms.write_not_permitted() && mode.contains(OpenMode::WRITE) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    fn creates(self) -> OFlags {
        let mut flags = OFlags::empty();
        if self.open.contains(OpenFlags::CREATE) {
            flags |= OFlags::CREATE;
            if self.open.contains(OpenFlags::EXCLUSIVE) {
                return flags | OFlags::EXCL;
            }
        }
        if self.open.contains(OpenFlags::TRUNCATE) {
            flags |= OFlags::TRUNC;
        }
        flags
    }
}

/// As open(2) is told it.
fn access(mode: OpenMode) -> OFlags {
    match (
        mode.contains(OpenMode::READ),
        mode.contains(OpenMode::WRITE),
    ) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    }
}

/// Opens what `path` leads to from `dir`, and leads out of it nowhere on the way.
fn beneath(dir: &Dir, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mode = match flags.contains(OFlags::CREATE) {
        true => Mode::from_raw_mode(0o666),
        false => Mode::empty(),
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..TRIES {
        match openat2(&*dir.dir, path, flags, mode, resolve) {
            // Something was renamed on the way, of whatever there is on the machine.
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::NOSYS)
}

fn kind(fd: &OwnedFd) -> std::io::Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

/// A link is only looked at; opening one that is not to be followed says what is wrong.
fn may_be_opened(kind: FileType, or_link: bool) -> bool {
    matches!(kind, FileType::RegularFile | FileType::Directory)
        || or_link && kind == FileType::Symlink
}
