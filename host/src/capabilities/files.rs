//! What guests ask of files, done on the threads that are there for that
//! (`file_threads`), on the guest's account.
//!
//! wasmtime-wasi would have each of these calls done by any of hundreds of threads, free of
//! charge. So its functions are defined anew: each takes the descriptors that it is about
//! out of the guest's table, has wasmtime-wasi's own do the work in another thread, in place,
//! and puts what that took of a processor on the guest's bill before the guest goes on.

use super::lock_dirs::LockDirs;
use crate::arguments::Text;
use crate::commons::Room;
use crate::file_threads::Bill;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, WasmList};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, ErrorCode, HostDescriptor, NewTimestamp, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

/// The interface whose functions are replaced.
pub(super) const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// The most bytes that one call reads or writes, whatever a guest asks for.
pub(super) const MOST_AT_ONCE: usize = 64 << 10;
/// The most bytes that a guest may say it is about to need. It is a hint.
const MOST_ADVISED: u64 = 8 << 20;

/// A path, as long as one can be.
pub(super) type Path = Text<4096>;
/// A file or directory that a guest names.
pub(super) type Fd = Resource<Descriptor>;
/// What wasmtime-wasi's functions are called on.
pub(super) type Files<'a> = WasiFilesystemCtxView<'a>;
/// What a function of the interface gives.
pub(super) type Given<R> = wasmtime::Result<(Result<R, ErrorCode>,)>;

/// The data of a sandbox that may be lent directories.
pub trait Borrower: WasiView {
    /// The locks that its guest has.
    fn locks(&mut self) -> &mut LockDirs;

    /// Whether one more file may be open for its guest, which is counted as open then.
    fn may_open(&mut self) -> bool;

    /// What its guest has of WASI.
    fn table(&mut self) -> &mut ResourceTable;

    /// Its guest called the host.
    fn note_call(&mut self);

    /// Where what its guest asks of files is done.
    fn file_work(&mut self) -> FileWork;

    /// Charges its guest what was done since. Fails when its budget is gone.
    fn settle(&mut self) -> wasmtime::Result<()>;

    /// Whether the host may hold so many bytes more for its guest, which are counted then.
    fn hold(&mut self, bytes: u64) -> bool;

    /// It holds so many less.
    fn let_go(&mut self, bytes: u64);
}

/// Where what one sandbox's guest asks of files is done, and who pays.
#[derive(Clone)]
pub struct FileWork {
    /// Whose share of the threads and of memory it takes.
    pub room: Arc<Room>,
    /// What the threads did for it.
    pub bill: Arc<Bill>,
}

impl FileWork {
    /// Has `work` done, if anybody still waits for it when it is its turn.
    pub fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        self.room.files().run(&self.bill, work)
    }

    /// The same, whoever waits.
    pub fn run_anyway<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        self.room.files().run_anyway(&self.bill, work)
    }
}

/// A context in which wasmtime-wasi's functions do their work on the thread that calls them.
static IN_PLACE: LazyLock<WasiFilesystemCtx> = LazyLock::new(|| {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true);
    wasi.build().filesystem().clone()
});

/// Has `work` done on another thread, with what is in the guest's table for `fds`.
pub(super) async fn on<T: Borrower, R: Send + 'static, const N: usize>(
    mut store: StoreContextMut<'_, T>,
    fds: [Fd; N],
    work: impl AsyncFnOnce(Files<'_>, [Fd; N]) -> FsResult<R> + Send + 'static,
) -> Given<R> {
    Ok((anywhere(&mut store, fds, work).await?,))
}

/// The same, for who has more to do in the store.
pub(super) async fn anywhere<T: Borrower, R: Send + 'static, const N: usize>(
    store: &mut StoreContextMut<'_, T>,
    fds: [Fd; N],
    work: impl AsyncFnOnce(Files<'_>, [Fd; N]) -> FsResult<R> + Send + 'static,
) -> wasmtime::Result<Result<R, ErrorCode>> {
    let data = store.data_mut();
    data.note_call();
    let mut descriptors = Vec::with_capacity(N);
    for fd in &fds {
        descriptors.push(data.table().get(fd)?.clone());
    }
    let done = data.file_work().run(move || in_place(descriptors, work));
    let done = done.await.map_err(|_| lost())?;
    store.data_mut().settle()?;
    done.map(Ok).or_else(|error| error.downcast().map(Err))
}

/// The thread that was to do something did not.
pub(super) fn lost() -> wasmtime::Error {
    wasmtime::Error::msg("the thread for files failed")
}

fn in_place<R, const N: usize>(
    descriptors: Vec<Descriptor>,
    work: impl AsyncFnOnce(Files<'_>, [Fd; N]) -> FsResult<R>,
) -> FsResult<R> {
    let (mut table, mut ctx) = (ResourceTable::new(), IN_PLACE.clone());
    let mut fds = Vec::with_capacity(N);
    for descriptor in descriptors {
        fds.push(table.push(descriptor)?);
    }
    let Ok(fds) = <[Fd; N]>::try_from(fds) else {
        return Err(FsError::trap(lost()));
    };
    let files = WasiFilesystemCtxView {
        ctx: &mut ctx,
        table: &mut table,
    };
    let work = pin!(work(files, fds));
    // In place there is nothing that it could wait for.
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(FsError::trap(lost())),
    }
}

/// A path that a guest gave, if it is one.
pub(super) fn path(path: Path) -> FsResult<String> {
    path.whole().ok_or(ErrorCode::NameTooLong.into())
}

/// Defines those of the functions that are wasmtime-wasi's but for where they are done.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    macro_rules! define {
        ($name:literal, |$files:ident, $fd:ident $(, $given:ident: $of:ty)*| $call:expr) => {
            types.func_wrap_async(
                concat!("[method]descriptor.", $name),
                |store, ($fd, $($given),*): (Fd, $($of),*)| {
                    Box::new(on(store, [$fd], async move |mut $files: Files<'_>, [$fd]| {
                        $call.await
                    }))
                },
            )?;
        };
    }
    define!("advise", |files,
                       fd,
                       from: u64,
                       length: u64,
                       advice: Advice| {
        // To the end of the file is what no length stands for.
        let length = if length == 0 {
            MOST_ADVISED
        } else {
            length.min(MOST_ADVISED)
        };
        files.advise(fd, from, length, advice)
    });
    define!("sync-data", |files, fd| files.sync_data(fd));
    define!("get-flags", |files, fd| files.get_flags(fd));
    define!("get-type", |files, fd| files.get_type(fd));
    define!("set-size", |files, fd, size: u64| files.set_size(fd, size));
    define!(
        "set-times",
        |files, fd, read: NewTimestamp, written: NewTimestamp| {
            files.set_times(fd, read, written)
        }
    );
    define!("read", |files, fd, length: u64, from: u64| files
        .read(fd, length, from));
    define!("sync", |files, fd| files.sync(fd));
    define!("stat", |files, fd| files.stat(fd));
    define!("stat-at", |files, fd, flags: PathFlags, of: Path| {
        files.stat_at(fd, flags, path(of)?)
    });
    define!(
        "set-times-at",
        |files, fd, flags: PathFlags, of: Path, read: NewTimestamp, written: NewTimestamp| {
            files.set_times_at(fd, flags, path(of)?, read, written)
        }
    );
    define!("readlink-at", |files, fd, of: Path| files
        .readlink_at(fd, path(of)?));
    define!("symlink-at", |files, fd, to: Path, at: Path| {
        files.symlink_at(fd, path(to)?, path(at)?)
    });
    define!("unlink-file-at", |files, fd, at: Path| files
        .unlink_file_at(fd, path(at)?));
    define!("metadata-hash", |files, fd| files.metadata_hash(fd));
    define!(
        "metadata-hash-at",
        |files, fd, flags: PathFlags, of: Path| { files.metadata_hash_at(fd, flags, path(of)?) }
    );
    types.func_wrap_async(
        "[method]descriptor.link-at",
        |store, (fd, flags, old, to, new): (Fd, PathFlags, Path, Fd, Path)| {
            Box::new(on(
                store,
                [fd, to],
                async move |mut files: Files<'_>, [fd, to]| {
                    files.link_at(fd, flags, path(old)?, to, path(new)?).await
                },
            ))
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.rename-at",
        |store, (fd, old, to, new): (Fd, Path, Fd, Path)| {
            Box::new(on(
                store,
                [fd, to],
                async move |mut files: Files<'_>, [fd, to]| {
                    files.rename_at(fd, path(old)?, to, path(new)?).await
                },
            ))
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.is-same-object",
        |store, (one, other): (Fd, Fd)| Box::new(is_same(store, one, other)),
    )?;
    types.func_wrap_async(
        "[method]descriptor.write",
        |store, (fd, block, from): (Fd, WasmList<u8>, u64)| Box::new(write(store, fd, block, from)),
    )
}

async fn is_same<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    one: Fd,
    other: Fd,
) -> wasmtime::Result<(bool,)> {
    let same = async |mut files: Files<'_>, [one, other]: [Fd; 2]| {
        let same = files.is_same_object(one, other).await;
        same.map_err(FsError::trap)
    };
    let same = anywhere(&mut store, [one, other], same).await?;
    Ok((same.unwrap_or(false),))
}

/// Writes what one call writes at most; the guest is told how much that was.
async fn write<T: Borrower>(
    store: StoreContextMut<'_, T>,
    fd: Fd,
    block: WasmList<u8>,
    from: u64,
) -> Given<u64> {
    let block = block.as_le_slice(&store);
    let block = block[..block.len().min(MOST_AT_ONCE)].to_vec();
    let write = async move |mut files: Files<'_>, [fd]: [Fd; 1]| files.write(fd, block, from).await;
    on(store, [fd], write).await
}
