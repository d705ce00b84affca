//! What a tenant has used of one thread's time.

use crate::settings::COMMON_WEIGHT;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// The time that the guests of one tenant have spent on one thread, by its weight. Alone
/// on its cache lines: only its thread counts here.
#[repr(align(128))]
#[derive(Debug)]
pub struct Account {
    weight: u64,
    /// Nanoseconds, as they are worth to one of the common weight.
    used: AtomicU64,
    /// How many guests wait for their turn there.
    waiting: AtomicUsize,
    /// How long a guest runs there before it ends or gives way, as a moving average, in
    /// nanoseconds.
    stretch: AtomicU64,
}

/// The accounts of one tenant: one for each thread.
pub type Accounts = Arc<[Arc<Account>]>;

/// That of the thread of this number.
pub fn of(accounts: &Accounts, thread: usize) -> &Arc<Account> {
    &accounts[thread % accounts.len()]
}

impl Account {
    /// The account of one of this weight, which has used nothing.
    pub fn new(weight: u32) -> Self {
        Account {
            weight: u64::from(weight.max(1)),
            used: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            stretch: AtomicU64::new(0),
        }
    }

    /// One for each of so many threads.
    pub fn on_each(threads: usize, weight: u32) -> Accounts {
        let one = |_| Arc::new(Account::new(weight));
        (0..threads.max(1)).map(one).collect()
    }

    /// What has been used of it.
    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// How many of its guests wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// So many of them do.
    pub fn note_waiting(&self, guests: usize) {
        self.waiting.store(guests, Relaxed);
    }

    /// How long one of its guests runs, in nanoseconds, as most did.
    pub fn stretch(&self) -> u64 {
        self.stretch.load(Relaxed)
    }

    /// A guest ran for so many nanoseconds.
    pub fn note_stretch(&self, nanoseconds: u64) {
        let stretch = self.stretch();
        let next = stretch - stretch / 8 + nanoseconds / 8;
        self.stretch.store(next, Relaxed);
    }

    /// What `time` is worth to it: the greater its weight, the less.
    pub fn worth(&self, time: Duration) -> u64 {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        nanoseconds.saturating_mul(COMMON_WEIGHT.into()) / self.weight
    }

    /// Who was idle begins where all others are by now.
    pub fn begin_at(&self, floor: u64) {
        self.used.store(self.used().max(floor), Relaxed);
    }

    /// One of its guests ran for what is worth so much. Returns what has been used.
    pub fn charge(&self, worth: u64, floor: u64) -> u64 {
        let used = self.used().max(floor).saturating_add(worth);
        self.used.store(used, Relaxed);
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_worth_less_to_who_has_more_weight() {
        let time = Duration::from_micros(30);
        for (weight, worth) in [(100, 30_000), (300, 10_000), (1, 3_000_000), (10_000, 300)] {
            let account = Account::new(weight);
            assert_eq!(account.charge(account.worth(time), 0), worth);
            assert_eq!(account.charge(account.worth(time), 0), worth * 2);
        }
    }

    #[test]
    fn nothing_is_saved_up() {
        let account = Account::new(COMMON_WEIGHT);
        account.begin_at(1_000);
        assert_eq!(account.charge(5, 500), 1_005);
        assert_eq!(account.charge(5, 2_000), 2_005);
    }
}
