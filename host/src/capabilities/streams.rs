//! Functions of WASI that take lists or strings of a guest, defined anew so that the host
//! copies no more of them than it may be given.

use super::files::Borrower;
use crate::arguments::{Few, Text};
use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, WasmList};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, Network};
use wasmtime_wasi::p2::bindings::sync::io::streams::StreamError as Reported;
use wasmtime_wasi::p2::{DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi_io::bindings::wasi::io::poll::Host;

/// The most bytes that any stream takes in one call; `check-write` never says more.
const MOST_WRITTEN: usize = 64 << 10;
/// The most that `blocking-write-and-flush` takes, as WASI has it.
const MOST_FLUSHED: usize = 4096;
/// The most that a guest may wait for in one call: twice as many as it can have.
const MOST_POLLED: usize = 2048;

type Stream = Resource<DynOutputStream>;
type Given<R> = wasmtime::Result<(Result<R, Reported>,)>;

/// Defines them instead of WASI's own.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    streams.func_wrap(
        "[method]output-stream.write",
        |store, (stream, block): (Stream, WasmList<u8>)| write(store, stream, block),
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |store, (stream, block): (Stream, WasmList<u8>)| Box::new(flush(store, stream, block)),
    )?;
    linker.instance("wasi:io/poll@0.2.12")?.func_wrap_async(
        "poll",
        |mut store: StoreContextMut<'_, T>, (all,): (Few<Resource<DynPollable>, MOST_POLLED>,)| {
            Box::new(async move {
                let data = store.data_mut();
                data.note_call();
                Ok((data.table().poll(all.0).await?,))
            })
        },
    )?;
    // Names are looked up for nobody.
    linker
        .instance("wasi:sockets/ip-name-lookup@0.2.12")?
        .func_wrap(
            "resolve-addresses",
            |mut store: StoreContextMut<'_, T>, (network, _): (Resource<Network>, Text<256>)| {
                let data = store.data_mut();
                data.note_call();
                data.table().get(&network)?;
                let denied: Result<Resource<ResolveAddressStream>, _> =
                    Err(ErrorCode::AccessDenied);
                Ok((denied,))
            },
        )
}

/// The block, if it is one that the stream may be given.
fn taken<T: Borrower>(
    store: &mut StoreContextMut<'_, T>,
    block: &WasmList<u8>,
    most: usize,
) -> wasmtime::Result<Bytes> {
    store.data_mut().note_call();
    let block = block.as_le_slice(&*store);
    if block.len() > most {
        let size = block.len();
        return Err(wasmtime::Error::msg(format!(
            "a stream was given {size} bytes in one call, and takes {most} at most"
        )));
    }
    Ok(Bytes::copy_from_slice(block))
}

fn write<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    stream: Stream,
    block: WasmList<u8>,
) -> Given<()> {
    let block = taken(&mut store, &block, MOST_WRITTEN)?;
    let table = store.data_mut().table();
    let written = table.get_mut(&stream)?.write(block);
    report(table, written)
}

async fn flush<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    stream: Stream,
    block: WasmList<u8>,
) -> Given<()> {
    let block = taken(&mut store, &block, MOST_FLUSHED)?;
    let table = store.data_mut().table();
    let written = table
        .get_mut(&stream)?
        .blocking_write_and_flush(block)
        .await;
    store.data_mut().settle()?;
    report(store.data_mut().table(), written)
}

/// What the guest is told.
fn report<R>(table: &mut ResourceTable, result: StreamResult<R>) -> Given<R> {
    Ok((match result {
        Ok(given) => Ok(given),
        Err(StreamError::Closed) => Err(Reported::Closed),
        Err(StreamError::LastOperationFailed(error)) => {
            Err(Reported::LastOperationFailed(table.push(error)?))
        }
        Err(StreamError::Trap(error)) => return Err(error),
    },))
}
