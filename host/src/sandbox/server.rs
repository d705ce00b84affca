//! The interface `server` of the gateway, as a guest calls it.
//!
//! A request has one input, and an output for each call of `start-response`, so
//! no table of resources is kept: a handle carries a number, and numbers go on from
//! one request of an instance to the next. So a handle that a guest has kept stands
//! for nothing of a later request's.

use super::state::State;
use crate::gateway::{self, ExcInfo, InputError, OutputError, StartError};
use crate::observer::Event;
use crate::start_response::{FieldBudget, ResponseHead};
use bytes::Bytes;
use std::future::poll_fn;
use wasmtime::component::{Linker, Resource, ResourceType, WasmList, WasmStr};
use wasmtime::{AsContextMut, StoreContextMut};

/// The resource `input`.
pub struct InputHandle;
/// The resource `output`.
struct OutputHandle;

/// The fields of a response, still in the guest's memory.
type Fields = WasmList<(WasmStr, WasmList<u8>)>;

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
        Some(Ok((name, _))) => Some(name.to_str(&*store)?),
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
        let value = value.as_le_slice(&*store);
        let name = name.to_str(&*store)?;
        let pushed = budget
            .take(name.len() + value.len())
            .and_then(|()| head.push(u32::try_from(index).unwrap_or(u32::MAX), &name, value));
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
    store: StoreContextMut<'_, State>,
    output: Resource<OutputHandle>,
    block: WasmList<u8>,
) -> wasmtime::Result<(Result<(), OutputError>,)> {
    let state = store.data();
    state.called();
    // The one copy of a block: out of the guest's memory, which it may reuse.
    let block = Bytes::copy_from_slice(block.as_le_slice(&store));
    let serving = state.serving()?;
    let written = match serving.nth(output.rep()) {
        Some(nth) => serving.outlet.write(nth, block),
        None => Err(OutputError::Closed),
    };
    let written = match written {
        Ok(false) => Ok(()),
        Ok(true) => {
            let outlet = serving.outlet.clone();
            poll_fn(|_| outlet.drained()).await;
            Ok(())
        }
        Err(error) => {
            state.observe(Event::NotWritten(error));
            Err(error)
        }
    };
    Ok((written,))
}
