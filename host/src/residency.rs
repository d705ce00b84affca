//! Which apps are in memory. They come with their first request, and those that were
//! used least recently go when all together take more than they may.

use crate::machine;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The memory that loaded apps may take together, and what they take of it.
pub struct Residency {
    budget: Budget,
    octets: AtomicU64,
    components: AtomicUsize,
    /// Moves on with each app that comes. What was used since then has been used more
    /// recently than what was not.
    clock: AtomicU32,
    residents: Mutex<BinaryHeap<Reverse<Place>>>,
    is_making_room: AtomicBool,
}

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Octets, as far as they are known beforehand.
    pub octets: u64,
    /// Components, each of which takes maps of the kernel's.
    pub components: usize,
}

/// Octets where nobody says how many there are.
const MEMORY: u64 = 512 << 20;
/// Maps that the kernel lets a process have where it does not say (`max_map_count`).
const MAPS: usize = 65_530;
/// Those that are for other things than components: the slots of sandboxes above all.
const MAPS_ELSEWHERE: usize = 20_000;
/// Those of a component: its code, on each of a few lanes.
const MAPS_EACH: usize = 16;

impl Budget {
    /// What this machine allows: so many `octets`, or half of its memory, and as many
    /// components as the kernel has maps for.
    pub fn of_this_machine(octets: Option<u64>) -> Self {
        let maps = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        let maps = maps.ok().and_then(|text| text.trim().parse().ok());
        let maps = maps.unwrap_or(MAPS).saturating_sub(MAPS_ELSEWHERE);
        Budget {
            octets: octets.or_else(machine::half_of_memory).unwrap_or(MEMORY),
            components: (maps / MAPS_EACH).max(16),
        }
    }
}

/// Who is in memory and can leave it.
pub trait Resident: Send + Sync {
    /// The [`Residency::clock`] as it was used last.
    fn last_used(&self) -> u32;
    /// Leaves memory, once nobody uses it any more.
    fn leave(&self);
}

/// Where a resident stands among those that may have to go. It may have been used since:
/// that is looked at when it is its turn, so that no request moves it.
struct Place {
    used: u32,
    resident: Weak<dyn Resident>,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.used.cmp(&other.used)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

/// A part of the memory, until it is dropped.
pub struct Share {
    of: Arc<Residency>,
    octets: u64,
    components: usize,
}

impl Residency {
    /// Nobody yet, and at most what `budget` says.
    pub fn within(budget: Budget) -> Self {
        Residency {
            budget,
            octets: AtomicU64::new(0),
            components: AtomicUsize::new(0),
            clock: AtomicU32::new(0),
            residents: Mutex::default(),
            is_making_room: AtomicBool::new(false),
        }
    }

    /// So many octets, of which a component or none is made.
    pub fn share(self: &Arc<Self>, octets: u64, components: usize) -> Share {
        self.octets.fetch_add(octets, Relaxed);
        self.components.fetch_add(components, Relaxed);
        Share {
            of: self.clone(),
            octets,
            components,
        }
    }

    /// What all take, in octets and components.
    pub fn taken(&self) -> Budget {
        Budget {
            octets: self.octets.load(Relaxed),
            components: self.components.load(Relaxed),
        }
    }

    /// What counts for last use, instead of a time.
    pub fn clock(&self) -> u32 {
        self.clock.load(Relaxed)
    }

    /// One has come. Returns whether room is to be made.
    pub fn came(&self, resident: Weak<dyn Resident>) -> bool {
        let used = self.clock.fetch_add(1, Relaxed);
        let mut residents = self.residents();
        if residents.len() == residents.capacity() {
            // Those of apps that are no more would keep their memory.
            residents.retain(|place| place.0.resident.strong_count() > 0);
        }
        residents.push(Reverse(Place { used, resident }));
        self.is_beyond_budget()
    }

    /// Lets those go that were used least recently, one by one, until there is room. Who
    /// comes while another does that leaves it to the other.
    pub fn make_room(&self) {
        while self.is_beyond_budget() && !self.is_making_room.swap(true, Relaxed) {
            while self.is_beyond_budget()
                && let Some(resident) = self.least_recently_used()
            {
                resident.leave();
            }
            self.is_making_room.store(false, Relaxed);
            if self.residents().len() <= 1 {
                return;
            }
        }
    }

    /// Takes the one out that was used least recently, unless it is the last.
    fn least_recently_used(&self) -> Option<Arc<dyn Resident>> {
        let mut residents = self.residents();
        while residents.len() > 1 {
            let mut first = residents.peek_mut()?;
            let Some(resident) = first.0.resident.upgrade() else {
                PeekMut::pop(first);
                continue;
            };
            let used = resident.last_used();
            if used <= first.0.used {
                PeekMut::pop(first);
                return Some(resident);
            }
            // All others were used at least as late as they stand there for: the first
            // that stands for what it was used is the one.
            first.0.used = used;
        }
        None
    }

    fn is_beyond_budget(&self) -> bool {
        let Budget { octets, components } = self.taken();
        octets > self.budget.octets || components > self.budget.components
    }

    fn residents(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Place>>> {
        self.residents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.octets.fetch_sub(self.octets, Relaxed);
        self.of.components.fetch_sub(self.components, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Guest {
        used: AtomicU32,
        share: Mutex<Option<Share>>,
    }

    impl Resident for Guest {
        fn last_used(&self) -> u32 {
            self.used.load(Relaxed)
        }

        fn leave(&self) {
            drop(self.share.lock().unwrap().take());
        }
    }

    fn come(residency: &Arc<Residency>, octets: u64) -> (Arc<Guest>, bool) {
        let guest = Arc::new(Guest {
            used: AtomicU32::new(residency.clock()),
            share: Mutex::new(Some(residency.share(octets, 1))),
        });
        let as_resident: Arc<dyn Resident> = guest.clone();
        let is_full = residency.came(Arc::downgrade(&as_resident));
        (guest, is_full)
    }

    fn residency(octets: u64, components: usize) -> Arc<Residency> {
        Arc::new(Residency::within(Budget { octets, components }))
    }

    fn is_there(guest: &Guest) -> bool {
        guest.share.lock().unwrap().is_some()
    }

    #[test]
    fn who_was_used_least_recently_goes() {
        let residency = residency(800, 100);
        let guests: Vec<_> = (0..8).map(|_| come(&residency, 100)).collect();
        assert!(guests.iter().all(|(_, is_full)| !is_full));
        guests[0].0.used.store(residency.clock(), Relaxed);
        let (last, is_full) = come(&residency, 100);
        assert!(is_full);
        residency.make_room();
        let there: Vec<_> = guests.iter().map(|(guest, _)| is_there(guest)).collect();
        let expected = [true, false, true, true, true, true, true, true];
        assert_eq!(there, expected, "one for one");
        assert!(is_there(&last));
        assert_eq!(residency.taken().octets, 800);
        assert_eq!(residency.residents().len(), 8);
    }

    #[test]
    fn one_that_takes_much_has_many_go() {
        let residency = residency(800, 100);
        let guests: Vec<_> = (0..8).map(|_| come(&residency, 100)).collect();
        for place in [3, 1] {
            guests[place].0.used.store(residency.clock(), Relaxed);
        }
        let (last, is_full) = come(&residency, 550);
        assert!(is_full);
        residency.make_room();
        let there: Vec<_> = guests.iter().map(|(guest, _)| is_there(guest)).collect();
        let expected = [false, true, false, true, false, false, false, false];
        assert_eq!(there, expected);
        assert!(is_there(&last));
    }

    #[test]
    fn who_is_no_more_is_forgotten() {
        let residency = residency(800, 100);
        for _ in 0..1000 {
            drop(come(&residency, 1));
        }
        let (last, _) = come(&residency, 1);
        assert!(residency.residents().len() < 10);
        assert!(is_there(&last));
    }

    #[test]
    fn components_are_bounded_as_octets_are() {
        let residency = residency(u64::MAX, 8);
        let guests: Vec<_> = (0..9).map(|_| come(&residency, 1)).collect();
        residency.make_room();
        assert_eq!(residency.taken().components, 8);
        assert!(!is_there(&guests[0].0) && is_there(&guests[1].0));
    }

    #[test]
    fn one_alone_stays_whatever_it_takes() {
        let residency = residency(10, 10);
        let (guest, is_full) = come(&residency, 1000);
        assert!(is_full);
        residency.make_room();
        assert!(is_there(&guest));
        drop(guest);
        residency.make_room();
        assert_eq!(residency.taken().octets, 0);
    }
}
