//! Engines: for each size class of guests one on each lane, and the thread that
//! ticks.
//!
//! A lane is what one thread has to itself. The threads could share a pool, but
//! its locks, its counters and, most of all, a sandbox's memory would then move
//! from one core's cache to the other's. Measured, two threads on one pool spent 7
//! to 15 % more CPU on a request than two processes did.
//!
//! A slot of the pool is cleaned when a sandbox ends. Memory that stays resident is
//! cleaned by copying all of it, whatever the guest wrote to. The rest is handed back to
//! the kernel, which costs a system call, a page fault for each page that the next
//! guest touches, and on two cores the other one's TLB. A guest of 100 KB touches most of
//! its pages, so its slot keeps them. An interpreter with an image of 22 MiB touches a
//! sixth, so its slot keeps nothing. That is why there are classes. Measured on busy
//! machines, a request of Flask took 13 to 25 % less CPU time than with all of it
//! copied, and a bare WSGI program 27 % less; and slots that are idle hold nothing,
//! where those that two threads had used held half a gigabyte.

use super::linker::linker;
use super::state::State;
use crate::failure::Octets;
use crate::metrics;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

/// How often guests are made to give way. Long against the cost of giving way,
/// short against what anyone waiting notices.
pub const TICK: Duration = Duration::from_millis(2);

/// The most linear memory that any sandbox can be given: all that 32 bits
/// address. A slot reserves that much of the address space, so that compiled
/// code needs no bounds checks.
const MAX_MEMORY: usize = 4 << 30;
/// The most elements that any table can be given.
const MAX_TABLE_ELEMENTS: usize = 1_000_000;
/// Memories and tables for each slot of a class: components are made of several
/// core modules, most of which share.
const MEMORIES_PER_SLOT: usize = 2;
const TABLES_PER_SLOT: usize = 4;
/// Instances of core modules that a component may have, and there are for each slot: one
/// sandbox takes none of another's.
const INSTANCES_PER_SLOT: usize = 64;

/// Octets of the stack of a guest's calls.
pub const STACK: usize = 512 << 10;

/// How big a guest is when it starts, which is most of what cleaning up after it
/// costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeClass {
    /// Up to 1 MiB of initial memory: compiled languages.
    Small,
    /// Up to 16 MiB: small interpreters.
    Medium,
    /// Above: CPython, SpiderMonkey.
    Large,
}

impl SizeClass {
    /// All there are, in the order of their numbers.
    pub const ALL: [SizeClass; 3] = [SizeClass::Small, SizeClass::Medium, SizeClass::Large];

    /// The class of a component whose largest memory starts with so many octets.
    pub fn of(initial_memory: u64) -> Self {
        if initial_memory <= 1 << 20 {
            SizeClass::Small
        } else if initial_memory <= 16 << 20 {
            SizeClass::Medium
        } else {
            SizeClass::Large
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            SizeClass::Small => "small",
            SizeClass::Medium => "medium",
            SizeClass::Large => "large",
        }
    }

    /// Octets of each linear memory that stay resident.
    pub fn keep_resident(self) -> usize {
        match self {
            SizeClass::Small => 1 << 20,
            SizeClass::Medium | SizeClass::Large => 0,
        }
    }

    /// Bytes of each table that stay resident: a small guest has some hundred functions in
    /// its table, an interpreter ten thousand.
    pub fn table_keep_resident(self) -> usize {
        match self {
            SizeClass::Small => 16 << 10,
            SizeClass::Medium | SizeClass::Large => 128 << 10,
        }
    }

    /// Sandboxes that can live at a time, over all lanes. Beyond this many, requests
    /// do better to queue.
    pub fn slots(self) -> usize {
        match self {
            SizeClass::Small => 1000,
            SizeClass::Medium => 128,
            SizeClass::Large => 32,
        }
    }

    /// Those of each of `lanes`.
    pub fn slots_of_lane(self, lanes: usize) -> usize {
        (self.slots() / lanes).max(1)
    }
}

/// What backtraces tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// The names of functions.
    Names,
    /// Files and lines too, where a component has them. Each trap then reads what
    /// its guest says about its source, and a stranger's can say much.
    Lines,
}

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
    ticking: Arc<Mutex<Vec<Engine>>>,
    ticker: Arc<Ticker>,
}

impl Engines {
    /// Engines on so many lanes. Starts the ticking thread; no pool yet.
    pub fn new(lanes: usize, details: Details) -> wasmtime::Result<Self> {
        let ticking = Arc::new(Mutex::new(Vec::new()));
        Ok(Engines {
            details,
            compiler: Engine::new(&config(details))?,
            lanes: lanes.max(1),
            classes: Default::default(),
            ticking: ticking.clone(),
            ticker: Arc::new(Ticker::start(ticking)),
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
        let slots = class.slots_of_lane(self.lanes);
        let mut config = config(self.details);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(class, slots)));
        let made: wasmtime::Result<Vec<_>> =
            (0..self.lanes).map(|_| Engine::new(&config)).collect();
        let made = made.map_err(|error| {
            error.context(format!(
                "address space for {} sandboxes of up to {} cannot be reserved; \
                 is it limited (ulimit -v, vm.overcommit_memory=2)?",
                slots * self.lanes,
                Octets(MAX_MEMORY as u64)
            ))
        })?;
        let made: Vec<_> = made.iter().map(linker).collect::<wasmtime::Result<_>>()?;
        // Two that come at once both make some; the second's are dropped unused.
        let linkers = linkers.get_or_init(|| {
            for linker in &made {
                metrics::watch_pool(class.name(), slots, linker.engine().weak());
            }
            self.ticking
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(made.iter().map(|linker| linker.engine().clone()));
            made
        });
        Ok(linkers)
    }
}

/// An engine that compiles, for a process that does nothing else.
pub fn compiling_engine(details: Details) -> wasmtime::Result<Engine> {
    Engine::new(&config(details))
}

/// What compiled code depends on; the same for every engine.
fn config(details: Details) -> Config {
    let mut config = Config::new();
    config.wasm_backtrace_details(match details {
        Details::Names => WasmBacktraceDetails::Disable,
        Details::Lines => WasmBacktraceDetails::Enable,
    });
    // A guest can be stopped at any loop and any call.
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK);
    // Each of its accesses would have to be checked, and no guest needs so much.
    config.wasm_memory64(false);
    // Compiled in (see Cargo.toml), and lent to no guest.
    config.gc_support(false);
    config.wasm_gc(false);
    config.wasm_function_references(false);
    config.wasm_exceptions(false);
    config.wasm_threads(false);
    config.wasm_shared_everything_threads(false);
    config
}

fn pool(class: SizeClass, slots: usize) -> PoolingAllocationConfig {
    let count = |per_slot: usize| u32::try_from(slots * per_slot).expect("a few thousand");
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        // Instances are small and on the heap; only memories and tables have
        // places of their own.
        .total_core_instances(count(INSTANCES_PER_SLOT))
        .max_core_instances_per_component(INSTANCES_PER_SLOT as u32)
        .total_memories(count(MEMORIES_PER_SLOT))
        .total_tables(count(TABLES_PER_SLOT))
        .total_stacks(count(1))
        .max_memories_per_component(MEMORIES_PER_SLOT as u32 * 4)
        .max_tables_per_component(TABLES_PER_SLOT as u32 * 4)
        .max_tables_per_module(TABLES_PER_SLOT as u32)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE_ELEMENTS)
        .linear_memory_keep_resident(class.keep_resident())
        .table_keep_resident(class.table_keep_resident())
        // All that were used stay warm: what they keep is bounded already.
        .max_unused_warm_slots(count(MEMORIES_PER_SLOT))
        // It gained nothing here, and has had bugs of the kind that matter most.
        .pagemap_scan(Enabled::No);
    pool
}

/// How many sandboxes of a component can live at a time on each of `lanes`.
pub fn capacity(class: SizeClass, lanes: usize, memories: usize, tables: usize) -> usize {
    let slots = class.slots_of_lane(lanes);
    let by_memories = slots * MEMORIES_PER_SLOT / memories.max(1);
    let by_tables = slots * TABLES_PER_SLOT / tables.max(1);
    slots.min(by_memories).min(by_tables).max(1)
}

/// The thread that moves every engine's epoch on, until it is dropped.
pub(super) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engines: Arc<Mutex<Vec<Engine>>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("rhost-epoch".into())
            .spawn({
                let stop = stop.clone();
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::park_timeout(TICK);
                        for engine in engines
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .iter()
                        {
                            engine.increment_epoch();
                        }
                    }
                }
            })
            .expect("the system starts a thread");
        Ticker {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::UNCOUNTED;

    #[test]
    fn classes_follow_the_initial_memory() {
        assert_eq!(SizeClass::of(128 << 10), SizeClass::Small);
        assert_eq!(SizeClass::of(1 << 20), SizeClass::Small);
        assert_eq!(SizeClass::of((1 << 20) + 1), SizeClass::Medium);
        assert_eq!(SizeClass::of(30 << 20), SizeClass::Large);
    }

    #[test]
    fn what_a_class_keeps_is_bounded() {
        // Which is why nobody counts it when it is used.
        assert_eq!(SizeClass::Small.keep_resident() as u64, UNCOUNTED);
        for class in [SizeClass::Small, SizeClass::Medium, SizeClass::Large] {
            assert!(class.slots() * class.keep_resident() <= 1 << 30);
            let tables = class.slots() * TABLES_PER_SLOT * class.table_keep_resident();
            assert!(tables <= 64 << 20, "{tables} bytes of tables");
            assert!(class.slots() >= 32);
            assert_eq!(capacity(class, 1, 1, 3), class.slots());
            assert_eq!(capacity(class, 1, 4, 3), class.slots() / 2);
            assert_eq!(capacity(class, 2, 1, 3), class.slots() / 2);
            assert_eq!(capacity(class, 1_000_000, 1, 3), 1);
        }
    }
}
