//! Engines: for each size class of guests one on each lane, and one for those that find
//! no slot there.
//!
//! A lane is what one thread has to itself. The threads could share a pool, but
//! its locks, its counters and, most of all, a sandbox's memory would then move
//! from one core's cache to the other's. Measured, two threads on one pool spent 7
//! to 15 % more CPU on a request than two processes did.

use super::cleaning;
use super::linker::linker;
use super::overflow::Overflow;
use super::pool::{self, Details, SizeClass};
use super::state::State;
use super::ticker::Ticker;
use crate::metrics;
use std::sync::{Arc, OnceLock};
use wasmtime::Engine;
use wasmtime::component::Linker;

/// The engines of a server, each made when the first app of its class is loaded. What is
/// linked keeps its engine, that engine's pool and the ticking thread, so that these may be
/// dropped while apps are served.
pub struct Engines {
    details: Details,
    /// Compiles, and reads what was compiled, for all classes: only their pools
    /// differ, which compiled code does not depend on.
    compiler: Engine,
    lanes: usize,
    classes: [OnceLock<Vec<Linker<State>>>; SizeClass::ALL.len()],
    overflow: Arc<Overflow>,
    ticker: Arc<Ticker>,
}

impl Engines {
    /// Engines on so many lanes. Starts the threads that tick and clean; no pool yet.
    pub fn new(lanes: usize, details: Details) -> wasmtime::Result<Self> {
        cleaning::start();
        let ticker = Arc::new(Ticker::start());
        Ok(Engines {
            details,
            compiler: pool::compiling(details)?,
            lanes: lanes.max(1),
            classes: Default::default(),
            overflow: Arc::new(Overflow::new(details, ticker.clone())),
            ticker,
        })
    }

    /// What backtraces tell.
    pub fn details(&self) -> Details {
        self.details
    }

    /// The engine that compiles.
    pub fn compiler(&self) -> &Engine {
        &self.compiler
    }

    /// The thread that stops guests. Whatever can run a guest keeps it: without it no limit
    /// of time is enforced.
    pub(super) fn ticker(&self) -> Arc<Ticker> {
        self.ticker.clone()
    }

    /// Where guests of `class` go that find no slot on their lane, if there is such a place.
    pub(super) fn overflow(&self, class: SizeClass) -> Option<&Arc<Overflow>> {
        (class == SizeClass::Small).then_some(&self.overflow)
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// An engine to look at a component in, and the class of guests that run in it, if
    /// any do: who loads it there has it where it will most likely run.
    pub fn at_hand(&self) -> (&Engine, Option<SizeClass>) {
        let small = self.classes[SizeClass::Small as usize].get();
        match small.and_then(|linkers| linkers.first()) {
            Some(linker) => (linker.engine(), Some(SizeClass::Small)),
            None => (&self.compiler, None),
        }
    }

    /// What links guests of `class` to the host, one for each lane, each with its
    /// engine.
    pub(super) fn linkers(&self, class: SizeClass) -> wasmtime::Result<&[Linker<State>]> {
        let linkers = &self.classes[class as usize];
        if let Some(linkers) = linkers.get() {
            return Ok(linkers);
        }
        let made: wasmtime::Result<Vec<_>> = (0..self.lanes)
            .map(|_| pool::of_lane(self.details, class, self.lanes))
            .collect();
        let made = made?;
        let made: Vec<_> = made.iter().map(linker).collect::<wasmtime::Result<_>>()?;
        // Two that come at once both make some; the second's are dropped unused.
        let linkers = linkers.get_or_init(|| {
            for linker in &made {
                // With those of the overflow, whose pool adds what it has given out.
                let slots = class.slots_of_lane(self.lanes);
                metrics::watch_pool(class.name(), slots, linker.engine().weak());
                self.ticker.add(linker.engine());
            }
            made
        });
        Ok(linkers)
    }
}

/// An engine that compiles, for a process that does nothing else.
pub fn compiling_engine(details: Details) -> wasmtime::Result<Engine> {
    pool::compiling(details)
}
