//! One instance with its store, and how it is polled to an answer.

use super::cleaning::Cleaned;
use super::frames;
use super::handle::HandleExport;
use super::linked::Ready;
use super::state::{Serving, State};
use crate::arguments;
use crate::backtrace::Backtrace;
use crate::failure::{Cause, Limit, LimitReached};
use crate::gateway::{Environ, Failure};
use crate::printable::cut;
use crate::turn::Stage;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Instance, Resource};
use wasmtime::{
    PoolConcurrencyLimitError, Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace,
};
use wasmtime_wasi::I32Exit;

/// Handles that an instance may have at a time, of resources of its own too: each is some of
/// the host's memory, which nothing counts.
const MOST_HANDLES: usize = 32_768;
/// The most bytes of what wasmtime says of a guest that failed: it may quote the guest.
const REASON: usize = 1024;

/// An instance. Dropping it gives its slot back.
pub struct Sandbox {
    store: Cleaned,
    instance: Instance,
    handle: Arc<HandleExport>,
}

/// Why there is none, and the data of its store, which has the request.
pub struct NotStarted {
    /// What wasmtime said.
    pub reason: wasmtime::Error,
    /// The data.
    pub state: State,
}

impl Sandbox {
    /// A fresh one in the pool of `place`, to serve the request that `state` has.
    pub async fn start(place: &Ready, mut state: State) -> Result<Self, Box<NotStarted>> {
        state.has_stack(place.stack);
        let pre = &place.instance_pre;
        let mut store = Store::new(pre.engine(), state);
        store.set_hostcall_fuel(arguments::MOST);
        store.set_max_component_handles(MOST_HANDLES);
        store.limiter(|state| state);
        set_deadline(&mut store);
        store.epoch_deadline_callback(tick);
        match pre.instantiate_async(&mut store).await {
            Ok(instance) => Ok(Sandbox {
                store: Cleaned::of(store),
                instance,
                handle: place.handle.clone(),
            }),
            Err(reason) => Err(Box::new(NotStarted {
                reason,
                state: store.into_data(),
            })),
        }
    }

    /// It was made in this time, for the request that it has.
    pub fn note_start(&self, took: Duration) {
        if let Ok(serving) = self.store.data().serving() {
            serving.cpu.tally().started(took);
        }
    }

    /// The next request is to be served.
    pub fn begin(&mut self, serving: Serving) {
        self.store.data_mut().begin(serving);
        set_deadline(&mut self.store);
    }

    /// Answers the request. An instance that failed must serve no other.
    pub async fn answer(&mut self, environ: Environ<'_>) -> Result<(), Cause> {
        let Sandbox {
            store,
            instance,
            handle,
        } = self;
        let store = &mut **store;
        let handle = match handle.of(instance, store) {
            Ok(handle) => handle,
            Err(error) => return Err(Cause::NotStarted(cut(&format!("{error:#}"), REASON))),
        };
        let input = Resource::new_own(store.data_mut().give_input());
        match handle.call_async(&mut *store, (environ, input)).await {
            Ok((result,)) => {
                store.data_mut().returned();
                result.map_err(|failure| refused(Cause::Reported(failure), store.data()))
            }
            Err(error) => {
                let state = store.data();
                Err(cause(error, state, |reason| Cause::Trap {
                    reason,
                    backtrace: Backtrace::default(),
                    limit: state.space.refused(),
                }))
            }
        }
    }

    /// The request is over. Returns whether another may follow; `bodiless` as
    /// [`State::end`] has it.
    pub fn end(&mut self, bodiless: bool) -> bool {
        self.store.data_mut().end(bodiless)
    }
}

/// The tick that is under way may be over in no time; a guest is made to give way
/// after a whole one, which most never see.
fn set_deadline(store: &mut Store<State>) {
    store.set_epoch_deadline(2);
}

/// Each tick makes the guest give way, and looks at its budget.
fn tick(store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    let cpu = &store.data().serving()?.cpu;
    cpu.tick()
        .map_err(|limit| wasmtime::Error::new(LimitReached(limit)))?;
    let cpu = cpu.clone();
    Ok(UpdateDeadline::YieldCustom(
        1,
        Box::pin(async move { cpu.take_turn(Stage::RunsOn).await }),
    ))
}

/// What is said of a guest that failed by itself: if it was refused what all sandboxes have
/// together, that is most likely why, and no fault of its own.
fn refused(failure: Cause, state: &State) -> Cause {
    let is_its_own = matches!(
        failure,
        Cause::Exited(_) | Cause::Reported(Failure::Exception(_))
    );
    match state.space.refused() {
        Some(limit) if is_its_own && limit.is_of_all() => Cause::Refused(limit, Box::new(failure)),
        _ => failure,
    }
}

/// Why wasmtime gave up on the sandbox that had this `state`. `otherwise` takes what
/// is no trap and no limit.
pub fn cause(
    error: wasmtime::Error,
    state: &State,
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
        return refused(Cause::Exited(*code), state);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Cause::NoSandbox;
    }
    if arguments::is_too_much(&error) {
        return Cause::Limit(Limit::Arguments(arguments::MOST as u64), backtrace);
    }
    // A guest that is refused what it starts with gets no further.
    if let (Some(limit), None) = (state.space.refused(), error.downcast_ref::<Trap>()) {
        return Cause::Limit(limit, backtrace);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Cause::Limit(Limit::Stack(state.stack() as u64), backtrace),
        Some(trap) => Cause::Trap {
            reason: trap.to_string(),
            backtrace,
            limit: state.space.refused(),
        },
        None => otherwise(cut(&format!("{:#}", error.root_cause()), REASON)),
    }
}
