//! Files as guests read and write them, as streams: on the threads for files, as all else
//! that concerns them ([`super::files`]).

#[cfg(test)]
mod tests;

use super::files::{Borrower, Fd, FileWork, MOST_AT_ONCE, TYPES, lost};
use crate::commons::{Good, Held};
use bytes::Bytes;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio::sync::oneshot::Receiver;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, File};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// What is read for a guest that waits for something to read, and has not said how much.
const UNASKED: usize = 4096;

/// Defines the functions that make streams of a file, instead of WASI's own.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]descriptor.read-via-stream",
        |store, (fd, from): (Fd, u64)| read_from(store, fd, from),
    )?;
    types.func_wrap(
        "[method]descriptor.write-via-stream",
        |store, (fd, from): (Fd, u64)| write_to(store, fd, Some(from)),
    )?;
    types.func_wrap(
        "[method]descriptor.append-via-stream",
        |store, (fd,): (Fd,)| write_to(store, fd, None),
    )
}

/// What such a function gives.
type Given<R> = wasmtime::Result<(Result<Resource<R>, ErrorCode>,)>;

fn read_from<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    fd: Fd,
    from: u64,
) -> Given<DynInputStream> {
    let data = store.data_mut();
    data.note_call();
    let Descriptor::File(file) = data.table().get(&fd)? else {
        return Ok((Err(ErrorCode::IsDirectory),));
    };
    let file = file.file.clone();
    let stream: DynInputStream = Box::new(FileInput {
        file,
        from,
        work: data.file_work(),
        state: Reading::Idle,
    });
    Ok((Ok(data.table().push(stream)?),))
}

/// At the end, if no place is said.
fn write_to<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    fd: Fd,
    from: Option<u64>,
) -> Given<DynOutputStream> {
    let data = store.data_mut();
    data.note_call();
    let Descriptor::File(File { file, perms, .. }) = data.table().get(&fd)? else {
        return Ok((Err(ErrorCode::BadDescriptor),));
    };
    if perms.write_not_permitted() {
        return Ok((Err(ErrorCode::NotPermitted),));
    }
    let file = file.clone();
    let stream: DynOutputStream = Box::new(FileOutput {
        file,
        from,
        work: data.file_work(),
        state: Writing::Idle,
    });
    Ok((Ok(data.table().push(stream)?),))
}

struct FileInput {
    file: Arc<std::fs::File>,
    from: u64,
    work: FileWork,
    state: Reading,
}

enum Reading {
    Idle,
    UnderWay(Receiver<io::Result<Block>>),
    Read(Block),
    Failed(io::Error),
    Ended,
}

/// What was read, as long as the guest has not taken all of it. The host holds it, so it is
/// counted.
struct Block {
    bytes: Bytes,
    held: Held,
}

impl FileInput {
    /// What is read is counted from here on: it is there before the guest asks for it again, and
    /// may be when there is no sandbox any more.
    fn begin(&mut self, size: usize) {
        let (file, from) = (self.file.clone(), self.from);
        let (size, room) = (size.min(MOST_AT_ONCE), self.work.room.clone());
        let mut held = Held::nothing_of(Good::Memory);
        if held.set(size as u64, &room).is_err() {
            self.state = Reading::Failed(Errno::NOMEM.into());
            return;
        }
        self.state = Reading::UnderWay(self.work.run(move || {
            let bytes = read(&file, from, size)?;
            // Less can always be had.
            let _ = held.set(bytes.len() as u64, &room);
            Ok(Block { bytes, held })
        }));
    }

    async fn finish(&mut self) {
        if let Reading::UnderWay(read) = &mut self.state {
            self.state = match read.await {
                Ok(Ok(block)) if block.bytes.is_empty() => Reading::Ended,
                Ok(Ok(block)) => Reading::Read(block),
                Ok(Err(error)) => Reading::Failed(error),
                Err(_) => Reading::Failed(io::Error::other(lost())),
            };
        }
    }
}

fn read(file: &std::fs::File, from: u64, size: usize) -> io::Result<Bytes> {
    let mut block = vec![0; size];
    loop {
        match file.read_at(&mut block, from) {
            Ok(length) => {
                block.truncate(length);
                // What is not read is not kept either.
                return Ok(block.into_boxed_slice().into());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for FileInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Ended) {
            Reading::Idle => {
                self.state = Reading::Idle;
                if size > 0 {
                    self.begin(size);
                }
                Ok(Bytes::new())
            }
            Reading::UnderWay(read) => {
                self.state = Reading::UnderWay(read);
                Ok(Bytes::new())
            }
            Reading::Read(Block { mut bytes, held }) => {
                let now = bytes.split_to(size.min(bytes.len()));
                self.from += now.len() as u64;
                self.state = match bytes.is_empty() {
                    true => Reading::Idle,
                    false => Reading::Read(Block { bytes, held }),
                };
                Ok(now)
            }
            Reading::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            Reading::Ended => Err(StreamError::Closed),
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.finish().await;
        if let Reading::Idle = self.state
            && size > 0
        {
            self.begin(size);
            self.finish().await;
        }
        self.read(size)
    }

    /// If it has not begun to read it never does, and if it has nobody waits for that.
    async fn cancel(&mut self) {
        self.state = Reading::Ended;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {
        if let Reading::Idle = self.state {
            self.begin(UNASKED);
        }
        self.finish().await;
    }
}

struct FileOutput {
    file: Arc<std::fs::File>,
    /// None for the end.
    from: Option<u64>,
    work: FileWork,
    state: Writing,
}

enum Writing {
    Idle,
    UnderWay(Receiver<io::Result<()>>, usize),
    Failed(io::Error),
    Ended,
}

impl FileOutput {
    /// It is written whoever waits, for the guest was told that it is. So it is counted of
    /// its own, as it may be there when there is no sandbox any more.
    fn begin(&mut self, block: Bytes) {
        let mut held = Held::nothing_of(Good::Memory);
        if held.set(block.len() as u64, &self.work.room).is_err() {
            self.state = Writing::Failed(Errno::NOMEM.into());
            return;
        }
        let (file, from, size) = (self.file.clone(), self.from, block.len());
        let write = self.work.run_anyway(move || {
            let written = write(&file, from, &block);
            drop(held);
            written
        });
        self.state = Writing::UnderWay(write, size);
    }

    async fn finish(&mut self) {
        if let Writing::UnderWay(write, size) = &mut self.state {
            self.state = match write.await {
                Ok(Ok(())) => {
                    self.from = self.from.map(|from| from + *size as u64);
                    Writing::Idle
                }
                Ok(Err(error)) => Writing::Failed(error),
                Err(_) => Writing::Failed(io::Error::other(lost())),
            };
        }
    }

    /// Whether another block may be begun, or why not.
    fn check(&mut self) -> StreamResult<bool> {
        match std::mem::replace(&mut self.state, Writing::Ended) {
            Writing::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            Writing::Ended => Err(StreamError::Closed),
            state => {
                let is_idle = matches!(state, Writing::Idle);
                self.state = state;
                Ok(is_idle)
            }
        }
    }
}

fn write(file: &std::fs::File, from: Option<u64>, block: &[u8]) -> io::Result<()> {
    if let Some(from) = from {
        return file.write_all_at(block, from);
    }
    let mut rest = block;
    while !rest.is_empty() {
        match append(file, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes at the end, wherever that is by now.
fn append(file: &std::fs::File, block: &[u8]) -> Result<usize, Errno> {
    match pwritev2(file, &[IoSlice::new(block)], 0, ReadWriteFlags::APPEND) {
        Err(Errno::NOSYS | Errno::OPNOTSUPP) => {}
        other => return other,
    }
    let flags = fcntl_getfl(file)?;
    fcntl_setfl(file, flags | OFlags::APPEND)?;
    let written = rustix::io::write(file, block);
    fcntl_setfl(file, flags)?;
    written
}

#[wasmtime_wasi::async_trait]
impl OutputStream for FileOutput {
    fn write(&mut self, block: Bytes) -> StreamResult<()> {
        if block.len() > MOST_AT_ONCE || !self.check()? {
            return Err(StreamError::trap(
                "a file was written to without asking check-write how much it takes",
            ));
        }
        // Nothing is written by writing nothing.
        if !block.is_empty() {
            self.begin(block);
        }
        Ok(())
    }

    async fn blocking_write_and_flush(&mut self, block: Bytes) -> StreamResult<()> {
        self.finish().await;
        self.check()?;
        if !block.is_empty() {
            self.begin(block);
            self.finish().await;
            self.check()?;
        }
        Ok(())
    }

    /// There is no buffer: what was written is on its way.
    fn flush(&mut self) -> StreamResult<()> {
        self.check().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.check()? { MOST_AT_ONCE } else { 0 })
    }

    /// Waits for what is under way, so that a guest cannot have more of that than streams.
    async fn cancel(&mut self) {
        self.finish().await;
        self.state = Writing::Ended;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for FileOutput {
    async fn ready(&mut self) {
        self.finish().await;
    }
}
