//! Pools: what an engine keeps for its sandboxes, and how many of them it has room for.
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
//!
//! What a slot keeps it keeps for good, also after a burst that filled all slots for a
//! moment. So the pool of small guests has few slots, which requests that follow each other
//! use again and again, and beyond them there is an overflow, which keeps nothing.

use super::cleaning;
use crate::failure::Octets;
use crate::machine;
use std::sync::LazyLock;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

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
/// The most of each that a sandbox has, and of those an instance of one module.
pub const MOST_PARTS: Parts = Parts {
    instances: CORE_INSTANCES as u64,
    memories: MEMORIES_PER_SLOT as u64 * 4,
    tables: TABLES_PER_SLOT as u64 * 4,
    memories_of_one: 1,
    tables_of_one: TABLES_PER_SLOT as u64,
};
/// Instances of core modules that a component may have, and there are for each slot: one
/// sandbox takes none of another's.
pub const CORE_INSTANCES: usize = 64;

/// How many core modules, memories and tables there are in a sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// Instances of core modules.
    pub instances: u64,
    /// Memories.
    pub memories: u64,
    /// Tables.
    pub tables: u64,
    /// Memories that an instance of one module has of its own.
    pub memories_of_one: u64,
    /// Tables that it has.
    pub tables_of_one: u64,
}

/// Bytes that the instances of a sandbox take of the host's memory, all of them together: their
/// imports, globals, and functions that can be referred to. CPython's take 400 KB. No limit of a
/// sandbox counts them.
const INSTANCES_SIZE: usize = 1 << 20;

/// Small sandboxes of a lane that live at a time and find their slots warm. Those that run to
/// their end at once need one, and those that wait for something can pay for a cold one.
const WARM_SLOTS: usize = 4;

/// The least octets of the stack of a guest's calls, and the most.
const LEAST_STACK: usize = 512 << 10;
const MOST_STACK: usize = 64 << 20;
/// Octets that functions of the host take of the stack that a guest is on, beside the guest's.
const STACK_OF_HOST: usize = 1536 << 10;
/// Octets at the top of an interpreter's stack that stay resident: most requests take no more.
const STACK_KEPT: usize = 64 << 10;

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

    /// Octets of the stack of a guest's calls. An interpreter's functions call each other as deep
    /// as the data of its program is nested, and CPython raises RecursionError only at a depth
    /// that takes 64 MiB here. No limit of a sandbox counts what is used of it, so those of all
    /// slots of a class together have a quarter of the machine's memory.
    pub fn stack(self) -> usize {
        static QUARTER: LazyLock<usize> = LazyLock::new(|| {
            let half = machine::half_of_memory().unwrap_or(1 << 30);
            usize::try_from(half / 2).unwrap_or(usize::MAX)
        });
        match self {
            SizeClass::Small => LEAST_STACK,
            SizeClass::Medium | SizeClass::Large => {
                let share = (*QUARTER / self.slots()).clamp(LEAST_STACK, MOST_STACK);
                share.next_multiple_of(64 << 10)
            }
        }
    }

    /// Octets of each linear memory that stay resident.
    pub fn keep_resident(self) -> usize {
        match self {
            SizeClass::Small => 256 << 10,
            SizeClass::Medium | SizeClass::Large => 0,
        }
    }

    /// Bytes of each table that stay resident: a small guest has some hundred functions in
    /// its table, an interpreter ten thousand.
    pub fn table_keep_resident(self) -> usize {
        match self {
            SizeClass::Small => 16 << 10,
            SizeClass::Medium | SizeClass::Large => 120 << 10,
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

    /// Slots that a pool has beside those, for sandboxes that are being cleaned. While they hold
    /// a small guest's slot there is the overflow, and no slot more that would stay warm.
    pub fn slots_for_cleaning(self) -> usize {
        match self {
            SizeClass::Small => 0,
            SizeClass::Medium | SizeClass::Large => cleaning::MOST,
        }
    }

    /// Those in the pool of each of `lanes`. What is beyond them is in the overflow.
    pub fn warm_slots_of_lane(self, lanes: usize) -> usize {
        match self {
            SizeClass::Small => WARM_SLOTS.min(self.slots_of_lane(lanes)),
            SizeClass::Medium | SizeClass::Large => self.slots_of_lane(lanes),
        }
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

/// An engine that compiles, and has no pool.
pub fn compiling(details: Details) -> wasmtime::Result<Engine> {
    Engine::new(&config(details))
}

/// An engine with the pool of one lane for sandboxes of `class`.
pub fn of_lane(details: Details, class: SizeClass, lanes: usize) -> wasmtime::Result<Engine> {
    let slots = class.warm_slots_of_lane(lanes) + class.slots_for_cleaning();
    let mut pool = pool(slots);
    pool.linear_memory_keep_resident(class.keep_resident())
        .table_keep_resident(class.table_keep_resident());
    let mut config = config(details);
    config
        .max_wasm_stack(class.stack())
        .async_stack_size(class.stack() + STACK_OF_HOST);
    if class != SizeClass::Small {
        // Else a slot keeps the stack of the deepest call that it ever had.
        config.async_stack_zeroing(true);
        pool.async_stack_keep_resident(STACK_KEPT);
    }
    pooling(config, pool, slots)
}

/// An engine with a pool of so many slots, of which none keeps anything.
pub fn keeping_nothing(details: Details, slots: usize) -> wasmtime::Result<Engine> {
    let mut config = config(details);
    // Else a stack keeps whatever its guest's calls took of it.
    config.async_stack_zeroing(true);
    pooling(config, pool(slots), slots)
}

fn pooling(
    mut config: Config,
    pool: PoolingAllocationConfig,
    slots: usize,
) -> wasmtime::Result<Engine> {
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(|error| {
        error.context(format!(
            "address space for {slots} sandboxes of up to {} cannot be reserved; \
             is it limited (ulimit -v, vm.overcommit_memory=2)?",
            Octets(MAX_MEMORY as u64)
        ))
    })
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
    config.max_wasm_stack(SizeClass::Small.stack());
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

fn pool(slots: usize) -> PoolingAllocationConfig {
    let count = |per_slot: usize| u32::try_from(slots * per_slot).expect("a few thousand");
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        // Instances are small and on the heap; only memories and tables have
        // places of their own.
        .total_core_instances(count(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES as u32)
        .max_core_instance_size(INSTANCES_SIZE)
        .max_component_instance_size(INSTANCES_SIZE)
        .total_memories(count(MEMORIES_PER_SLOT))
        .total_tables(count(TABLES_PER_SLOT))
        .total_stacks(count(1))
        .max_memories_per_component(MOST_PARTS.memories as u32)
        .max_tables_per_component(MOST_PARTS.tables as u32)
        .max_memories_per_module(MOST_PARTS.memories_of_one as u32)
        .max_tables_per_module(MOST_PARTS.tables_of_one as u32)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE_ELEMENTS)
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
        for class in SizeClass::ALL {
            let slots = (class.warm_slots_of_lane(2) + class.slots_for_cleaning()) * 2;
            let memories = slots * MEMORIES_PER_SLOT * class.keep_resident();
            assert!(memories <= 64 << 20, "{memories} bytes of memories");
            let tables = slots * TABLES_PER_SLOT * class.table_keep_resident();
            assert!(tables <= 80 << 20, "{tables} bytes of tables");
            assert!(class.slots() >= 32);
            assert_eq!(capacity(class, 1, 1, 3), class.slots());
            assert_eq!(capacity(class, 1, 4, 3), class.slots() / 2);
            assert_eq!(capacity(class, 2, 1, 3), class.slots() / 2);
            assert_eq!(capacity(class, 1_000_000, 1, 3), 1);
        }
    }
}
