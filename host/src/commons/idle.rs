//! Sandboxes that wait for another request (`--reuse`) have what they took, and give way
//! to those that serve one.

use super::Room;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// Who keeps sandboxes that wait.
pub trait Idle: Send + Sync {
    /// Since when the one waits that has waited longest; none if none does.
    fn waits_since(&self) -> Option<Instant>;
    /// Ends that one. Returns whether there was one.
    fn end_longest(&self) -> bool;
}

/// One who does, and the room that it takes out of.
type Idler = (Weak<Room>, Weak<dyn Idle>);

/// All who do.
#[derive(Default)]
pub(super) struct Idlers(Mutex<Vec<Idler>>);

impl Idlers {
    pub(super) fn add(&self, room: &Arc<Room>, idler: Weak<dyn Idle>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, other)| other.strong_count() > 0);
        all.push((Arc::downgrade(room), idler));
    }

    /// Ends the one that has waited longest, of all or of those of one room; says whether
    /// there was one.
    pub(super) fn give_way(&self, of: Option<&Arc<Room>>) -> bool {
        let all: Vec<_> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let meant = all.iter().filter(|(room, _)| {
                of.is_none_or(|of| std::ptr::eq(room.as_ptr(), Arc::as_ptr(of)))
            });
            meant.filter_map(|(_, idler)| idler.upgrade()).collect()
        };
        let waiting = all
            .iter()
            .filter_map(|idler| Some((idler.waits_since()?, idler)));
        let longest = waiting.min_by_key(|(since, _)| *since);
        longest.is_some_and(|(_, idler)| idler.end_longest())
    }
}
