//! The sandbox: a component loaded once, and an instance of it, fresh, for each
//! request.

mod engine;
mod frames;
mod handle;
mod server;
mod state;

pub use engine::{Details, Engines, SizeClass, TICK};

use crate::backtrace::Backtrace;
use crate::capabilities::{self, Lent};
use crate::failure::{Cause, Limit};
use crate::gateway::Environ;
use crate::input::Input;
use crate::meter::{CpuMeter, SpaceMeter};
use crate::output::Outlet;
use crate::request_id::RequestId;
use crate::settings::Limits;
use crate::turn::Turn;
use handle::HandleExport;
use state::State;
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre, Linker, Resource};
use wasmtime::{
    Engine, PoolConcurrencyLimitError, Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace,
};
use wasmtime_wasi::I32Exit;

/// A component that is ready to be instantiated, with what its sandboxes are
/// lent and how far they may go.
pub struct Program {
    instance_pre: InstancePre<State>,
    handle: HandleExport,
    lent: Arc<Lent>,
    limits: Limits,
}

/// How many sandboxes of a component of `class` can live on each lane at a time;
/// `components` are the same one on all of them.
pub fn capacity(components: &[Component], class: SizeClass) -> usize {
    let needs = components.first().and_then(Component::resources_required);
    let (memories, tables) = needs.map_or((1, 1), |needs| (needs.num_memories, needs.num_tables));
    engine::capacity(class, components.len(), memories as usize, tables as usize)
}

impl Program {
    /// Links `component`. Fails when it imports or exports something of another
    /// type than the gateway's or WASI's.
    pub fn new(component: &Component, lent: Arc<Lent>, limits: &Limits) -> wasmtime::Result<Self> {
        Ok(Program {
            instance_pre: linker(component.engine())?.instantiate_pre(component)?,
            handle: HandleExport::find(component).map_err(wasmtime::Error::msg)?,
            lent,
            limits: limits.clone(),
        })
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
        // The tick that is under way may be over in no time; a guest is made to
        // give way after a whole one, which most never see.
        store.set_epoch_deadline(2);
        store.epoch_deadline_callback(tick);

        let instance = match self.instance_pre.instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => return Err(cause(error, &store, Cause::NotStarted)),
        };
        let handle = match self.handle.of(&instance, &mut store) {
            Ok(handle) => handle,
            Err(error) => return Err(Cause::NotStarted(format!("{error:#}"))),
        };
        match handle
            .call_async(&mut store, (environ, Resource::new_own(0)))
            .await
        {
            Ok((Ok(()),)) => Ok(()),
            Ok((Err(failure),)) => Err(Cause::Reported(failure)),
            Err(error) => Err(cause(error, &store, |reason| Cause::Trap {
                reason,
                backtrace: Backtrace::default(),
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
    store
        .data()
        .cpu
        .tick()
        .map_err(|limit| wasmtime::Error::new(LimitReached(limit)))?;
    let cpu = store.data().cpu.clone();
    Ok(UpdateDeadline::YieldCustom(
        1,
        Box::pin(async move { cpu.hold(Turn::next().await) }),
    ))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct LimitReached(Limit);

/// Why wasmtime gave up. `otherwise` takes what is no trap and no limit.
fn cause(
    error: wasmtime::Error,
    store: &Store<State>,
    otherwise: impl FnOnce(String) -> Cause,
) -> Cause {
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(frames::backtrace)
        .unwrap_or_default();
    if let Some(LimitReached(limit)) = error.downcast_ref() {
        return Cause::Limit(*limit, backtrace);
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Cause::Exited(*code);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Cause::NoSandbox;
    }
    // A guest that is refused what it starts with gets no further.
    if let (Some(limit), None) = (store.data().space.refused(), error.downcast_ref::<Trap>()) {
        return Cause::Limit(limit, backtrace);
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => Cause::Trap {
            reason: trap.to_string(),
            backtrace,
            limit: store.data().space.refused(),
        },
        None => otherwise(format!("{:#}", error.root_cause())),
    }
}
