//! The sandbox: a component loaded once, and an instance of it for each request.
//! It is a fresh one, unless the app's owner allows that it is kept for another.

mod cleaning;
mod engine;
mod frames;
mod handle;
mod instance;
mod kept;
mod linked;
mod linker;
mod overflow;
mod pool;
mod server;
mod state;
mod ticker;

pub use engine::{Engines, compiling_engine};
pub use linked::{Again, LinkError, Linked};
pub use pool::{CORE_INSTANCES, Details, MOST_PARTS, Parts, SizeClass};
pub use ticker::TICK;

use crate::capabilities::Lent;
use crate::failure::Cause;
use crate::gateway::Environ;
use crate::input::Input;
use crate::meter::{CpuMeter, SpaceMeter};
use crate::output::Outlet;
use crate::request_id::RequestId;
use crate::settings::{Limits, Reuse};
use instance::{NotStarted, Sandbox, cause};
use kept::{Kept, Reusable};
use linked::Ready;
use state::{Serving, State};
use std::sync::Arc;
use std::time::Instant;
use wasmtime::PoolConcurrencyLimitError;

/// An app's component on one lane, with what its sandboxes are lent and how far they
/// may go.
pub struct Program {
    linked: Arc<Linked>,
    lent: Arc<Lent>,
    limits: Limits,
    /// Instances that wait for another request. They are this program's alone, so
    /// none ever serves another app, or another version of it. None where an
    /// instance serves one request.
    kept: Option<Arc<Kept>>,
}

impl Program {
    /// An app's own of what is `linked`.
    pub fn new(linked: Arc<Linked>, lent: Arc<Lent>, limits: &Limits, reuse: Reuse) -> Self {
        let engine = linked.component().engine();
        Program {
            kept: reuse.is_on().then(|| Kept::new(engine, reuse, lent.room())),
            linked,
            lent,
            limits: limits.clone(),
        }
    }

    /// Whether each of its instances serves one request and no other.
    pub fn runs_once(&self) -> bool {
        self.kept.is_none()
    }

    /// How many instances wait for another request.
    pub fn waiting(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.waiting())
    }

    /// Drops the instances that wait, and keeps none from here on: the program has
    /// no future.
    pub fn retire(&self) {
        if let Some(kept) = &self.kept {
            kept.close();
        }
    }

    /// Answers one request in a sandbox, which it has to itself. Unless it is kept
    /// for another the sandbox ends with this future: when it is done, and when it
    /// is dropped before.
    pub async fn handle(
        &self,
        environ: Environ<'_>,
        input: Input,
        outlet: Outlet,
        cpu: CpuMeter,
        request: RequestId,
    ) -> Result<(), Cause> {
        let serving = Serving::new(input, outlet, cpu, request);
        let Some(kept) = &self.kept else {
            let mut sandbox = self.start(serving).await?;
            return sandbox.answer(environ).await;
        };
        let bodiless = environ.request_method == "HEAD";
        let mut sandbox = match kept.take() {
            Some(mut sandbox) => {
                sandbox.begin(serving);
                sandbox
            }
            None => {
                let life = kept.life();
                Reusable::new(self.start(serving).await?, life)
            }
        };
        sandbox.answer(environ).await?;
        if sandbox.end(bodiless) {
            kept.put(sandbox);
        }
        Ok(())
    }

    /// A fresh sandbox for a request.
    async fn start(&self, serving: Serving) -> Result<Sandbox, Cause> {
        let most = self.limits.response_headers;
        let space = SpaceMeter::new(&self.limits);
        let mut state = State::new(serving, most, space, self.lent.clone());
        let mut is_last_try = false;
        let begun = Instant::now();
        loop {
            if let Some(lane) = self.linked.on_lane() {
                state = match self.start_in(lane, state, begun).await? {
                    Tried::Started(sandbox) => return Ok(sandbox),
                    Tried::Full(state) => *state,
                };
            }
            if let Some(beyond) = self.linked.beyond().await {
                state = match self.start_in(beyond, state, begun).await? {
                    Tried::Started(sandbox) => return Ok(sandbox),
                    Tried::Full(state) => *state,
                };
            }
            if is_last_try {
                return Err(Cause::NoSandbox);
            }
            // One that waits gives its slot to one that is to serve now. If there
            // is none, somebody else may just have made room.
            is_last_try = !kept::make_room(self.linked.component().engine());
        }
    }

    /// The same in the pool of `place`, if it has a slot.
    async fn start_in(&self, place: &Ready, state: State, begun: Instant) -> Result<Tried, Cause> {
        let NotStarted { reason, state } = match Sandbox::start(place, state).await {
            Ok(sandbox) => {
                sandbox.note_start(begun.elapsed());
                return Ok(Tried::Started(sandbox));
            }
            Err(error) => *error,
        };
        if !reason.is::<PoolConcurrencyLimitError>() {
            return Err(cause(reason, &state, Cause::NotStarted));
        }
        let space = SpaceMeter::new(&self.limits);
        Ok(Tried::Full(Box::new(state.anew(space))))
    }
}

/// What came of a try to start a sandbox in a pool.
enum Tried {
    Started(Sandbox),
    /// Its pool has no slot for it; the request is still there.
    Full(Box<State>),
}
