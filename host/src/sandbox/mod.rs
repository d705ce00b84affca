//! The sandbox: a component loaded once, and an instance of it, fresh, for each
//! request.

mod engine;
mod server;
mod state;

pub use engine::{Engines, SizeClass, TICK};

use crate::capabilities::{self, Lent};
use crate::failure::{Cause, Limit};
use crate::gateway::{self, Environ, Failure};
use crate::input::Input;
use crate::meter::{CpuMeter, SpaceMeter};
use crate::output::Outlet;
use crate::request_id::RequestId;
use crate::settings::Limits;
use server::InputHandle;
use state::State;
use std::sync::Arc;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, Resource};
use wasmtime::{Engine, Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// What the export `handle` takes and gives.
type Handle<'a> = wasmtime::component::TypedFunc<(Environ<'a>, Resource<InputHandle>), (Result<(), Failure>,)>;

/// A component that is ready to be instantiated, with what its sandboxes are
/// lent and how far they may go.
pub struct Program {
    instance_pre: InstancePre<State>,
    handle: ComponentExportIndex,
    lent: Arc<Lent>,
    limits: Limits,
    capacity: usize,
}

impl Program {
    /// Links `component`, which belongs to the engine of `class`. Fails when it
    /// imports or exports something else than the gateway and WASI.
    pub fn new(
        component: &Component,
        class: SizeClass,
        lent: Arc<Lent>,
        limits: Limits,
    ) -> wasmtime::Result<Self> {
        let instance_pre = linker(component.engine())?.instantiate_pre(component)?;
        let handle = component
            .get_export_index(None, gateway::APP)
            .and_then(|app| component.get_export_index(Some(&app), gateway::HANDLE))
            .ok_or_else(|| wasmtime::Error::msg(format!("the component does not export {}", gateway::APP)))?;
        let (memories, tables) = match component.resources_required() {
            Some(needs) => (needs.num_memories as usize, needs.num_tables as usize),
            None => (1, 1),
        };
        Ok(Program {
            instance_pre,
            handle,
            lent,
            limits,
            capacity: engine::capacity(class, memories, tables),
        })
    }

    /// How many sandboxes of this program can live at a time.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Answers one request in a sandbox of its own, which ends with this future:
    /// when it is done, and when it is dropped before.
    pub async fn handle(
        &self,
        environ: Environ<'_>,
        input: Input,
        outlet: Outlet,
        cpu: CpuMeter,
        request: RequestId,
    ) -> Result<(), Cause> {
        let state = State::new(
            input,
            outlet,
            self.limits.response_headers,
            cpu,
            SpaceMeter::new(&self.limits),
            request,
            self.lent.clone(),
        );
        let mut store = Store::new(self.instance_pre.engine(), state);
        store.limiter(|state| &mut state.space);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(tick);

        let instance = match self.instance_pre.instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => return Err(cause(error, &store, Cause::NotStarted)),
        };
        let handle: Handle<'_> = match instance.get_typed_func(&mut store, self.handle) {
            Ok(handle) => handle,
            Err(error) => return Err(Cause::NotStarted(format!("{error:#}"))),
        };
        match handle.call_async(&mut store, (environ, Resource::new_own(0))).await {
            Ok((Ok(()),)) => Ok(()),
            Ok((Err(failure),)) => Err(Cause::Reported(failure)),
            Err(error) => Err(cause(error, &store, |reason| Cause::Trap {
                reason,
                backtrace: String::new(),
                limit: store.data().space.refused(),
            })),
        }
    }
}

/// Everything that a guest can import.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    server::link(&mut linker)?;
    capabilities::link(&mut linker)?;
    Ok(linker)
}

/// Each tick makes the guest give way, and looks at its budget.
fn tick(store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    store.data().cpu.tick().map_err(|limit| wasmtime::Error::new(LimitReached(limit)))?;
    // Tokio's own yield lets sockets be looked at before the guest goes on; one
    // that merely woke itself would be back first.
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct LimitReached(Limit);

/// Why wasmtime gave up. `otherwise` takes what is no trap and no limit.
fn cause(error: wasmtime::Error, store: &Store<State>, otherwise: impl FnOnce(String) -> Cause) -> Cause {
    if let Some(LimitReached(limit)) = error.downcast_ref() {
        return Cause::Limit(*limit);
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Cause::Exited(*code);
    }
    // A guest that is refused what it starts with gets no further.
    if let (Some(limit), None) = (store.data().space.refused(), error.downcast_ref::<Trap>()) {
        return Cause::Limit(limit);
    }
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    match error.downcast_ref::<Trap>() {
        Some(trap) => {
            Cause::Trap { reason: trap.to_string(), backtrace, limit: store.data().space.refused() }
        }
        None => otherwise(format!("{:#}", error.root_cause())),
    }
}

/// The guest's frames, one a line, innermost first.
fn frames(backtrace: &WasmBacktrace) -> String {
    let text = backtrace.to_string();
    // The first line is wasmtime's heading.
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}
