//! Sandboxes of one size are all tenants' together, and none may have so many that
//! nothing is left for others.
//!
//! How many one may have depends on how many are free: three times as many (dynamic
//! thresholds; Choudhury and Hahne, 1998). One that is alone in wanting them has three
//! quarters of all; of two each has three sevenths; and there are always some for who comes
//! next. Who is the only one there is has all of them.
//!
//! Each lane counts for itself, so that no core asks for what another has just written.

use crate::commons::TIMES;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The sandboxes of a host: `N` sizes, on each lane.
pub struct Stock<const N: usize> {
    /// How many there are of each size on a lane.
    slots: [usize; N],
    lanes: Box<[Counts<N>]>,
    parties: AtomicUsize,
}

/// One of those who share them: a tenant, or an app that is no tenant's.
pub struct Party<const N: usize> {
    stock: Arc<Stock<N>>,
    lanes: Box<[Counts<N>]>,
}

/// How many of each size are taken on a lane. Alone on its cache lines.
#[repr(align(128))]
struct Counts<const N: usize>([AtomicUsize; N]);

/// A sandbox that one has, until it is dropped.
pub struct Seat<const N: usize> {
    party: Arc<Party<N>>,
    lane: usize,
    size: usize,
}

fn counts<const N: usize>(lanes: usize) -> Box<[Counts<N>]> {
    let none = |_| Counts([const { AtomicUsize::new(0) }; N]);
    (0..lanes.max(1)).map(none).collect()
}

impl<const N: usize> Stock<N> {
    /// So many of each size on each of so many lanes.
    pub fn new(slots: [usize; N], lanes: usize) -> Arc<Self> {
        Arc::new(Stock {
            slots,
            lanes: counts(lanes),
            parties: AtomicUsize::new(0),
        })
    }

    /// One more who shares them.
    pub fn party(self: &Arc<Self>) -> Arc<Party<N>> {
        self.parties.fetch_add(1, Relaxed);
        Arc::new(Party {
            stock: self.clone(),
            lanes: counts(self.lanes.len()),
        })
    }
}

impl<const N: usize> Party<N> {
    /// Takes one of this size on `lane`; none if it has its share of them.
    pub fn take(self: &Arc<Self>, lane: usize, size: usize) -> Option<Seat<N>> {
        let seat = Seat {
            party: self.clone(),
            lane: lane % self.lanes.len(),
            size,
        };
        let (all, own) = seat.counts();
        let (all, own) = (all.fetch_add(1, Relaxed), own.fetch_add(1, Relaxed));
        let free = self.stock.slots[size].saturating_sub(all);
        let is_alone = self.stock.parties.load(Relaxed) <= 1;
        (own == 0 || own < free.saturating_mul(TIMES) || is_alone).then_some(seat)
    }
}

impl<const N: usize> Drop for Party<N> {
    fn drop(&mut self) {
        self.stock.parties.fetch_sub(1, Relaxed);
    }
}

impl<const N: usize> Seat<N> {
    fn counts(&self) -> (&AtomicUsize, &AtomicUsize) {
        let Seat { party, lane, size } = self;
        let all = &party.stock.lanes[*lane].0[*size];
        (all, &party.lanes[*lane].0[*size])
    }
}

impl<const N: usize> Drop for Seat<N> {
    fn drop(&mut self) {
        let (all, own) = self.counts();
        all.fetch_sub(1, Relaxed);
        own.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(party: &Arc<Party<1>>) -> Vec<Seat<1>> {
        std::iter::from_fn(|| party.take(0, 0)).collect()
    }

    #[test]
    fn one_leaves_some_for_others() {
        let stock = Stock::new([80], 1);
        let (one, other, third) = (stock.party(), stock.party(), stock.party());
        let mut first = all(&one);
        assert_eq!(first.len(), 60);
        let second = all(&other);
        assert_eq!(second.len(), 15);
        assert!(!all(&third).is_empty());
        // What the first gives back it does not get again, as long as others want it.
        first.truncate(40);
        let more = all(&other);
        assert_eq!(more.len(), 15);
        assert!(one.take(0, 0).is_none());
        drop((first, second, more));
        assert_eq!(all(&one).len(), 60);
    }

    #[test]
    fn who_is_the_only_one_has_all() {
        let stock = Stock::new([10, 3], 2);
        let one = stock.party();
        let taken: Vec<_> = (0..10).map(|_| one.take(1, 0).unwrap()).collect();
        let other = stock.party();
        assert!(one.take(1, 0).is_none());
        assert!(one.take(0, 0).is_some() && one.take(1, 1).is_some());
        assert!(other.take(1, 0).is_some(), "each may have one");
        drop(other);
        assert!(one.take(1, 0).is_some());
        drop(taken);
    }
}
