//! The interface `server` of the gateway, as a guest calls it.
//!
//! A request has one input, and an output for each call of `start-response`, so
//! no table of resources is kept: a handle carries a number, and numbers go on from
//! one request of an instance to the next. So a handle that a guest has kept stands
//! for nothing of a later request's.

use super::state::State;
use super::ticker::TICK;
use crate::arguments::Measured;
use crate::commons::Held;
use crate::failure::LimitReached;
use crate::gateway::{self, ExcInfo, InputError, OutputError, StartError};
use crate::observer::Event;
use crate::output::Offer;
use crate::start_response::{FieldBudget, ResponseHead};
use bytes::Bytes;
use std::future::poll_fn;
use wasmtime::component::{Linker, Resource, ResourceType, WasmList};
use wasmtime::{AsContextMut, StoreContextMut};

/// The resource `input`.
pub struct InputHandle;
/// The resource `output`.
struct OutputHandle;

/// The fields of a response, still in the guest's memory.
type Fields = WasmList<(Measured, WasmList<u8>)>;

/// Bytes that are copied out of a guest's memory at a time. A block of that length is not
/// counted: there are two on their way at most.
const PIECE: usize = 64 << 10;
/// The most bytes of a first block that are held until it is known that no other follows,
/// which is when its length can be announced.
const HELD: usize = 16 << 20;

/// A block that is counted as memory of its sandbox's until it has left.
struct Counted {
    block: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.block
    }
}

/// Defines the interface.
pub fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut server = linker.instance(gateway::SERVER)?;
    server.resource("input", ResourceType::host::<InputHandle>(), dropped)?;
    server.resource("output", ResourceType::host::<OutputHandle>(), dropped)?;
    server.func_wrap("start-response", start_response)?;
    server.func_wrap_async(
        "[method]input.read",
        |store, (input, max): (Resource<InputHandle>, u32)| Box::new(read(store, input, max)),
    )?;
    server.func_wrap_async(
        "[method]output.write",
        |store, (output, block): (Resource<OutputHandle>, WasmList<u8>)| {
            Box::new(write(store, output, block))
        },
    )
}

fn dropped(mut store: StoreContextMut<'_, State>, _: u32) -> wasmtime::Result<()> {
    store.data().called();
    store.data_mut().dropped();
    Ok(())
}

fn start_response(
    mut store: StoreContextMut<'_, State>,
    (status, fields, exc_info): (u16, Fields, Option<ExcInfo>),
) -> wasmtime::Result<(Result<Resource<OutputHandle>, StartError>,)> {
    store.data().called();
    let head = response_head(&mut store, status, &fields)?;
    let state = store.data_mut();
    if let Some(ExcInfo {
        kind,
        message,
        traceback,
    }) = &exc_info
    {
        state.log_told(&format!("exc-info: {kind}: {message}\n{traceback}"));
    }
    let serving = state.serving()?;
    match serving.outlet.start(head, exc_info.is_some()) {
        Ok(nth) => {
            let number = serving.output(nth)?;
            state.gave_output(number);
            Ok((Ok(Resource::new_own(number)),))
        }
        Err(error) => {
            refused(&mut store, error, &fields)?;
            Ok((Err(error),))
        }
    }
}

/// Tells of a refusal.
fn refused(
    store: &mut StoreContextMut<'_, State>,
    error: StartError,
    fields: &Fields,
) -> wasmtime::Result<()> {
    let field = match error {
        StartError::InvalidHeader(field) => {
            fields.get(store.as_context_mut(), field.index as usize)
        }
        _ => None,
    };
    let name = match &field {
        Some(Ok((name, _))) if name.units() as u64 <= store.data().response_headers => {
            Some(name.text().to_str(&*store)?)
        }
        _ => None,
    };
    store
        .data()
        .observe(Event::NotStarted(error, name.as_deref()));
    Ok(())
}

/// Reads the fields out of the guest's memory, one after the other and only as
/// far as they fit. The outer error is a guest that points outside its memory.
fn response_head(
    store: &mut StoreContextMut<'_, State>,
    status: u16,
    fields: &Fields,
) -> wasmtime::Result<Result<ResponseHead, StartError>> {
    let mut head = match ResponseHead::new(status, fields.len()) {
        Ok(head) => head,
        Err(error) => return Ok(Err(error)),
    };
    let mut budget = FieldBudget::new(store.data().response_headers);
    for index in 0..fields.len() {
        let Some(field) = fields.get(store.as_context_mut(), index) else {
            break;
        };
        let (name, value) = field?;
        // Before anything of it is looked at.
        if let Err(error) = budget.take(name.units() + value.len()) {
            return Ok(Err(error));
        }
        let value = value.as_le_slice(&*store);
        let name = name.text().to_str(&*store)?;
        let pushed = head.push(u32::try_from(index).unwrap_or(u32::MAX), &name, value);
        if let Err(error) = pushed {
            return Ok(Err(error));
        }
    }
    Ok(Ok(head))
}

async fn read(
    mut store: StoreContextMut<'_, State>,
    input: Resource<InputHandle>,
    max: u32,
) -> wasmtime::Result<(Result<Bytes, InputError>,)> {
    store.data().called();
    let read = match store.data_mut().input(input.rep())? {
        Some(input) => input.read(max).await,
        // Of a request that is over: nobody knows any more what else it had.
        None => Err(InputError::Incomplete),
    };
    match &read {
        Ok(block) => store.data().serving()?.cpu.tally().received(block.len()),
        Err(error) => store.data().observe(Event::NotRead(*error)),
    }
    Ok((read,))
}

async fn write(
    mut store: StoreContextMut<'_, State>,
    output: Resource<OutputHandle>,
    block: WasmList<u8>,
) -> wasmtime::Result<(Result<(), OutputError>,)> {
    store.data().called();
    let written = match store.data().serving()?.nth(output.rep()) {
        Some(nth) if block.len() <= PIECE => {
            // The one copy of a block: out of the guest's memory, which it may reuse.
            let block = Bytes::copy_from_slice(block.as_le_slice(&store));
            give(&mut store, nth, block).await?
        }
        Some(nth) => write_long(&mut store, nth, &block).await?,
        None => Err(OutputError::Closed),
    };
    if let Err(error) = written {
        store.data().observe(Event::NotWritten(error));
    }
    Ok((written,))
}

/// Hands a block on, and waits until there is room for the next.
async fn give(
    store: &mut StoreContextMut<'_, State>,
    nth: u32,
    block: Bytes,
) -> wasmtime::Result<Result<(), OutputError>> {
    let written = store.data().serving()?.outlet.write(nth, block);
    Ok(match written {
        Ok(false) => Ok(()),
        Ok(true) => {
            let outlet = store.data().serving()?.outlet.clone();
            poll_fn(|_| outlet.drained()).await;
            Ok(())
        }
        Err(error) => Err(error),
    })
}

/// Writes a block that is long, piece by piece: between them the guest is charged, and gives
/// way to others.
async fn write_long(
    store: &mut StoreContextMut<'_, State>,
    nth: u32,
    block: &WasmList<u8>,
) -> wasmtime::Result<Result<(), OutputError>> {
    let serving = store.data().serving()?;
    let cpu = serving.cpu.clone();
    let Offer { taken, is_first } = match serving.outlet.offer(nth, block.len()) {
        Ok(offer) => offer,
        Err(error) => return Ok(Err(error)),
    };
    let pause = async || {
        let paused = cpu.pause(TICK).await;
        paused.map_err(|limit| wasmtime::Error::new(LimitReached(limit)))
    };
    let held = (is_first && taken <= HELD).then(|| store.data().lend(taken as u64));
    if let Some(held) = held.flatten() {
        let mut whole = Vec::with_capacity(taken);
        while whole.len() < taken {
            whole.extend_from_slice(piece(block, store, whole.len(), taken));
            pause().await?;
        }
        let whole = Counted {
            block: whole,
            _held: held,
        };
        return give(store, nth, Bytes::from_owner(whole)).await;
    }
    let mut begin = 0;
    while begin < taken {
        let next = Bytes::copy_from_slice(piece(block, store, begin, taken));
        begin += next.len();
        if let Err(error) = give(store, nth, next).await? {
            return Ok(Err(error));
        }
        pause().await?;
    }
    Ok(Ok(()))
}

/// What is copied next of the first `taken` bytes of `block`.
fn piece<'a>(
    block: &WasmList<u8>,
    store: &'a StoreContextMut<'_, State>,
    begin: usize,
    taken: usize,
) -> &'a [u8] {
    &block.as_le_slice(store)[begin..taken.min(begin + PIECE)]
}
