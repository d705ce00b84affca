//! What all sandboxes of a host have together, and of which there is only so much: memory,
//! files that are open, and the threads on which files are used.
//!
//! Who shares a host, a tenant or an app that is no tenant's, has a [`Room`] in it, out of
//! which its sandboxes take. What one may have depends, as it does with sandboxes
//! (`admission`), on what is free: [`TIMES`] as much, so that there is always something
//! for who comes next. Who is the only one there is may have all.
//!
//! Here the threads share the counts: a sandbox comes to them when it wants more than
//! most need, and not otherwise.

mod idle;

pub use idle::Idle;

use crate::file_threads::{FileShare, FileThreads};
use crate::machine;
use idle::Idlers;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many times as much as is free one may have (dynamic thresholds; Choudhury and
/// Hahne, 1998).
pub const TIMES: usize = 3;

/// Octets of memory where nobody says how much there is.
const MEMORY: u64 = 512 << 20;
/// Files that the host has open for other things than connections and sandboxes.
const HOSTS_FILES: u64 = 256;

/// What is said where no limit of its own holds for a room.
const ANY: u64 = u64::MAX;

/// Those of this process.
static ALL: Mutex<Vec<Weak<Commons>>> = Mutex::new(Vec::new());

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Good {
    /// Octets of memory.
    Memory,
    /// Open files.
    Files,
}

/// The number of goods.
const GOODS: usize = 2;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of memory, tables, and what the host holds, beyond what each sandbox has
    /// uncounted.
    pub memory: u64,
    /// Open files.
    pub files: u64,
}

/// What the sandboxes of a host have together.
pub struct Commons {
    sizes: [u64; GOODS],
    taken: [AtomicU64; GOODS],
    rooms: AtomicUsize,
    idlers: Idlers,
    file_threads: Arc<FileThreads>,
}

/// The part of one of those who share it.
pub struct Room {
    commons: Arc<Commons>,
    taken: [AtomicU64; GOODS],
    /// The most memory that it may have, in octets, or [`ANY`].
    most_memory: AtomicU64,
    files: Arc<FileShare>,
}

/// What one sandbox has of a good, until this is dropped.
pub struct Held {
    good: Good,
    amount: u64,
    /// None as long as it has nothing, which most sandboxes never have.
    room: Option<Arc<Room>>,
}

/// Why there is no more, with what there is in all, or for this party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// All together have what there is.
    All(u64),
    /// The party has what it may have by a limit of its own.
    Own(u64),
    /// The party has its share of so much.
    Share(u64),
}

impl Sizes {
    /// What this machine allows: so many octets of `memory`, or half of what there is; and
    /// the files that are left beside so many `connections` (0 for any number of them).
    pub fn of_this_machine(memory: Option<u64>, connections: usize) -> Self {
        Sizes {
            memory: memory.or_else(machine::half_of_memory).unwrap_or(MEMORY),
            files: files_beside(machine::open_files(), connections as u64),
        }
    }
}

/// The files that sandboxes may have open, of `all` that the process may have.
fn files_beside(all: u64, connections: u64) -> u64 {
    match connections {
        0 => all / 2,
        // With few files it is the connections that have to do with less.
        _ => all
            .saturating_sub(connections.saturating_add(HOSTS_FILES))
            .max(all / 8),
    }
}

impl Commons {
    /// So much, of which nobody has anything.
    pub fn new(sizes: Sizes) -> Arc<Self> {
        let commons = Arc::new(Commons {
            sizes: [sizes.memory, sizes.files],
            taken: Default::default(),
            rooms: AtomicUsize::new(0),
            idlers: Idlers::default(),
            file_threads: FileThreads::new(machine::processors()),
        });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&commons));
        commons
    }

    /// One more who shares it.
    pub fn room(self: &Arc<Self>) -> Arc<Room> {
        self.rooms.fetch_add(1, Relaxed);
        Arc::new(Room {
            commons: self.clone(),
            taken: Default::default(),
            most_memory: AtomicU64::new(ANY),
            files: self.file_threads.share(),
        })
    }

    /// How much of `good` is taken.
    pub fn taken(&self, good: Good) -> u64 {
        self.taken[good as usize].load(Relaxed)
    }
}

impl Room {
    /// The most memory that its sandboxes may have together; none for a share of what
    /// there is. Holds for what is taken from here on.
    pub fn limit_memory(&self, octets: Option<u64>) {
        self.most_memory.store(octets.unwrap_or(ANY), Relaxed);
    }

    /// The most memory that they may have, if that was said.
    pub fn memory_limit(&self) -> Option<u64> {
        Some(self.most_memory.load(Relaxed)).filter(|most| *most != ANY)
    }

    /// How much of `good` its sandboxes have.
    pub fn taken(&self, good: Good) -> u64 {
        self.taken[good as usize].load(Relaxed)
    }

    /// Its part in the threads on which files are used.
    pub fn files(&self) -> &Arc<FileShare> {
        &self.files
    }

    /// From here on `idler` gives back what it has when others want it.
    pub fn yields(self: &Arc<Self>, idler: Weak<dyn Idle>) {
        self.commons.idlers.add(self, idler);
    }

    /// Takes so much more; those that are idle give way to it, if they have to.
    fn take(self: &Arc<Self>, good: Good, amount: u64) -> Result<(), Short> {
        loop {
            let Err(short) = self.try_take(good, amount) else {
                return Ok(());
            };
            let (Short::All(most) | Short::Own(most) | Short::Share(most)) = short;
            let whose = match short {
                Short::All(_) => None,
                Short::Own(_) | Short::Share(_) => Some(self),
            };
            // Nobody ends for what can never be.
            if amount > most || !self.commons.idlers.give_way(whose) {
                return Err(short);
            }
        }
    }

    /// What others look at has nothing added to it before it is granted: a guest that asks
    /// in vain, however often, has nobody else refused anything.
    fn try_take(&self, good: Good, amount: u64) -> Result<(), Short> {
        let number = good as usize;
        let size = self.commons.sizes[number];
        let had = self.taken[number].fetch_add(amount, Relaxed);
        let (own, own_limit) = (had + amount, self.limit(good));
        let is_alone = self.commons.rooms.load(Relaxed) <= 1;
        let short = |all: u64| {
            let may_have = size.saturating_sub(all).saturating_mul(TIMES as u64);
            match own_limit {
                Some(limit) if own > limit => Some(Short::Own(limit)),
                _ if all > size => Some(Short::All(size)),
                None if had > 0 && own > may_have && !is_alone => Some(Short::Share(size)),
                _ => None,
            }
        };
        let with = |taken: u64| {
            let all = taken + amount;
            short(all).is_none().then_some(all)
        };
        let taking = self.commons.taken[number].fetch_update(Relaxed, Relaxed, with);
        taking.map(drop).map_err(|taken| {
            self.taken[number].fetch_sub(amount, Relaxed);
            short(taken + amount).unwrap_or(Short::All(size))
        })
    }

    fn limit(&self, good: Good) -> Option<u64> {
        match good {
            Good::Memory => self.memory_limit(),
            Good::Files => None,
        }
    }

    fn give_back(&self, good: Good, amount: u64) {
        self.taken[good as usize].fetch_sub(amount, Relaxed);
        self.commons.taken[good as usize].fetch_sub(amount, Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.commons.rooms.fetch_sub(1, Relaxed);
    }
}

impl Held {
    /// Nothing yet.
    pub const fn nothing_of(good: Good) -> Self {
        Held {
            good,
            amount: 0,
            room: None,
        }
    }

    /// How much it is.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// From here on it is this `amount`, out of `room`, which is always the same. If that
    /// cannot be it stays what it was.
    pub fn set(&mut self, amount: u64, room: &Arc<Room>) -> Result<(), Short> {
        if amount > self.amount {
            room.take(self.good, amount - self.amount)?;
            self.room.get_or_insert_with(|| room.clone());
        } else if let Some(room) = &self.room {
            room.give_back(self.good, self.amount - amount);
        }
        self.amount = amount;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.give_back(self.good, self.amount);
        }
    }
}

/// What there is of `good` in this process, and what of that is taken.
pub fn sum(good: Good) -> (u64, u64) {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.iter().filter_map(Weak::upgrade);
    all.fold((0, 0), |(sizes, taken): (u64, u64), commons| {
        let size = commons.sizes[good as usize];
        (sizes.saturating_add(size), taken + commons.taken(good))
    })
}

#[cfg(test)]
mod tests;
