//! Memory and tables of a sandbox, and what the host holds for it.

use crate::commons::{Good, Held, Room};
use crate::failure::Limit;
use crate::settings::Limits;
use std::sync::Arc;

/// Bytes of memory that a sandbox has without their being counted among those of all:
/// what the slot of a small one keeps anyway, and more than most need.
pub const UNCOUNTED: u64 = 256 << 10;

/// Bytes of an element of a table: a reference to a function. No guest can have
/// references of another kind.
pub const TABLE_ELEMENT: u64 = 8;

/// Grants a sandbox memory and tables up to its limits, and remembers a refusal:
/// a guest that is refused mostly traps soon after, and the log is to name the
/// reason rather than the trap.
pub struct SpaceMeter {
    /// Bytes of its memories and tables, and of what the host holds for it.
    used: u64,
    /// The most that they came to.
    most: u64,
    memory_limit: u64,
    table_limit: usize,
    /// What it has of the memory of all sandboxes together.
    held: Held,
    refused: Option<Limit>,
}

impl SpaceMeter {
    /// Nothing used yet.
    pub fn new(limits: &Limits) -> Self {
        SpaceMeter {
            used: 0,
            most: 0,
            memory_limit: limits.memory,
            table_limit: limits.table_elements,
            held: Held::nothing_of(Good::Memory),
            refused: None,
        }
    }

    /// Bytes of memories and tables, and of what the host holds.
    pub fn memory(&self) -> u64 {
        self.used
    }

    /// The most that they came to.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The limit that was met, if one was.
    pub fn refused(&self) -> Option<Limit> {
        self.refused
    }

    /// The guest was refused something for this reason.
    pub fn refuse(&mut self, limit: Limit) {
        self.refused = Some(limit);
    }

    /// A memory is to grow from so many bytes to so many, and may have `maximum`. What is
    /// counted among the memory of all sandboxes comes out of `room`. Returns whether it may.
    pub fn memory_growing(
        &mut self,
        room: &Arc<Room>,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        // It will not grow then, and what is granted is counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        self.hold(room, (desired as u64).saturating_sub(current as u64))
    }

    /// A table is to grow from so many elements to so many, and may have `maximum`. It counts
    /// as memory does. Returns whether it may.
    pub fn table_growing(
        &mut self,
        room: &Arc<Room>,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if desired > self.table_limit {
            self.refuse(Limit::Table(self.table_limit));
            return false;
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let elements = (desired as u64).saturating_sub(current as u64);
        self.hold(room, elements.saturating_mul(TABLE_ELEMENT))
    }

    /// The sandbox is to have so many bytes more. Returns whether it may.
    pub fn hold(&mut self, room: &Arc<Room>, bytes: u64) -> bool {
        // One limit for the sandbox, over all that it has.
        let after = self.used.saturating_add(bytes);
        if after > self.memory_limit {
            self.refuse(Limit::Memory(self.memory_limit));
            return false;
        }
        let counted = after.saturating_sub(UNCOUNTED);
        if counted > self.held.amount()
            && let Err(short) = self.held.set(counted, room)
        {
            self.refuse(Limit::SandboxMemory(short));
            return false;
        }
        self.used = after;
        self.most = self.most.max(after);
        true
    }

    /// The host holds so many bytes less for it.
    pub fn let_go(&mut self, room: &Arc<Room>, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
        let counted = self.used.saturating_sub(UNCOUNTED);
        if counted < self.held.amount() {
            // Less can always be had.
            let _ = self.held.set(counted, room);
        }
    }

    /// So many bytes that the host may hold for longer than there is a sandbox, until what is
    /// returned is dropped. None if its limits do not allow them, which is no refusal.
    pub fn lend(&self, room: &Arc<Room>, bytes: u64) -> Option<Held> {
        if self.used.saturating_add(bytes) > self.memory_limit {
            return None;
        }
        let mut held = Held::nothing_of(Good::Memory);
        held.set(bytes, room).ok().map(|()| held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commons::{Commons, Short, Sizes};

    const ALL: u64 = u64::MAX / 2;

    fn room(memory: u64) -> (Arc<Commons>, Arc<Room>) {
        let commons = Commons::new(Sizes { memory, files: 0 });
        let room = commons.room();
        (commons, room)
    }

    fn space(memory: u64) -> SpaceMeter {
        SpaceMeter::new(&Limits {
            memory,
            ..Limits::default()
        })
    }

    #[test]
    fn memory_is_counted_over_all_memories() {
        let (_, room) = room(0);
        let mut space = space(100);
        assert!(space.memory_growing(&room, 0, 60, None));
        assert!(space.memory_growing(&room, 0, 30, None));
        assert!(!space.memory_growing(&room, 30, 50, None));
        assert_eq!(space.refused(), Some(Limit::Memory(100)));
        assert!(space.memory_growing(&room, 60, 70, None));
    }

    #[test]
    fn what_is_beyond_a_little_is_of_all_sandboxes() {
        const LITTLE: usize = UNCOUNTED as usize;
        let (commons, room) = room(10 * UNCOUNTED);
        let taken = || commons.taken(Good::Memory) / UNCOUNTED;
        let (mut one, mut other) = (space(ALL), space(ALL));
        assert!(one.memory_growing(&room, 0, LITTLE, None));
        assert_eq!(taken(), 0);
        assert!(one.memory_growing(&room, LITTLE, 7 * LITTLE, None));
        assert_eq!(taken(), 6);
        assert!(other.memory_growing(&room, 0, 5 * LITTLE, None));
        assert_eq!((taken(), other.refused()), (10, None));
        assert!(!other.memory_growing(&room, 5 * LITTLE, 5 * LITTLE + 1, None));
        let limit = Limit::SandboxMemory(Short::All(10 * UNCOUNTED));
        assert_eq!(
            (other.refused(), other.memory()),
            (Some(limit), 5 * UNCOUNTED)
        );
        drop(one);
        assert_eq!(taken(), 4);
        assert!(other.memory_growing(&room, 5 * LITTLE, 6 * LITTLE, None));
        drop(other);
        assert_eq!(taken(), 0);
    }

    #[test]
    fn memory_that_cannot_be_is_not_counted() {
        let (commons, room) = room(ALL);
        let mut space = space(ALL);
        assert!(!space.memory_growing(&room, 0, 64 << 20, Some(32 << 20)));
        assert_eq!((space.memory(), space.refused()), (0, None));
        assert_eq!(commons.taken(Good::Memory), 0);
    }

    #[test]
    fn tables_are_memory() {
        const MANY: usize = 1 << 20;
        let (commons, room) = room(16 << 20);
        let mut meter = SpaceMeter::new(&Limits {
            memory: 12 << 20,
            table_elements: MANY,
            ..Limits::default()
        });
        assert!(meter.table_growing(&room, 0, MANY / 2, None));
        assert!(!meter.table_growing(&room, 0, MANY / 2, Some(MANY / 4)));
        assert!(meter.table_growing(&room, MANY / 2, MANY, Some(MANY)));
        assert_eq!(commons.taken(Good::Memory), (8 << 20) - UNCOUNTED);
        assert_eq!(meter.memory(), 8 << 20);
        // One limit over both.
        assert!(meter.memory_growing(&room, 0, 4 << 20, None));
        assert!(!meter.table_growing(&room, 0, 1, None));
        assert_eq!(meter.refused(), Some(Limit::Memory(12 << 20)));
        assert!(!meter.table_growing(&room, MANY, MANY + 1, None));
        assert_eq!(meter.refused(), Some(Limit::Table(MANY)));
        drop(meter);
        assert_eq!(commons.taken(Good::Memory), 0);
    }

    #[test]
    fn what_the_host_holds_is_counted_until_it_is_let_go() {
        let (commons, room) = room(16 << 20);
        let mut meter = space(8 << 20);
        assert!(meter.memory_growing(&room, 0, 4 << 20, None));
        assert!(meter.hold(&room, 3 << 20));
        assert!(!meter.hold(&room, 2 << 20));
        assert_eq!(commons.taken(Good::Memory), (7 << 20) - UNCOUNTED);
        meter.let_go(&room, 3 << 20);
        assert_eq!(commons.taken(Good::Memory), (4 << 20) - UNCOUNTED);
        assert_eq!((meter.memory(), meter.most()), (4 << 20, 7 << 20));
        let lent = meter.lend(&room, 4 << 20);
        assert!(lent.is_some() && meter.lend(&room, 5 << 20).is_none());
        drop(meter);
        assert_eq!(commons.taken(Good::Memory), 4 << 20);
        drop(lent);
        assert_eq!(commons.taken(Good::Memory), 0);
    }
}
