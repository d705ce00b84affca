//! The order in which guests have their turns.

use super::account::Account;
use std::collections::VecDeque;
use std::sync::Arc;

/// Newcomers of a tenant that go before those of its guests that run on, one after the
/// other: these are not to wait for ever.
const IN_A_ROW: u32 = 16;

/// Those who wait: first the tenant that has used least, of its guests those that have not
/// begun, and of these the one that has waited longest.
pub struct Order<T>(Vec<Party<T>>);

/// The guests of one tenant. There is at least one.
struct Party<T> {
    account: Arc<Account>,
    newcomers: VecDeque<T>,
    run_on: VecDeque<T>,
    /// How many newcomers went before those that run on.
    in_a_row: u32,
}

/// How far a guest is that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not begun.
    Newcomer,
    /// It runs on past a tick.
    RunsOn,
}

impl<T> Order<T> {
    /// Nobody waits.
    pub const fn new() -> Self {
        Order(Vec::new())
    }

    /// `guest`, of the tenant that has `account`, waits from here on.
    pub fn push(&mut self, account: &Arc<Account>, stage: Stage, guest: T) {
        let Order(parties) = self;
        let own = parties
            .iter()
            .position(|party| Arc::ptr_eq(&party.account, account));
        let own = own.unwrap_or_else(|| {
            parties.push(Party {
                account: account.clone(),
                newcomers: VecDeque::new(),
                run_on: VecDeque::new(),
                in_a_row: 0,
            });
            parties.len() - 1
        });
        match stage {
            Stage::Newcomer => parties[own].newcomers.push_back(guest),
            Stage::RunsOn => parties[own].run_on.push_back(guest),
        }
        parties[own].note();
    }

    /// Whose turn it is. Of tenants that have used the same it is the one that has not
    /// had a turn for longest.
    pub fn pop(&mut self) -> Option<(Stage, T)> {
        let Order(parties) = self;
        let used = |(_, party): &(usize, &Party<T>)| party.account.used();
        let (place, _) = parties.iter().enumerate().min_by_key(used)?;
        let mut party = parties.remove(place);
        let guest = party.pop();
        party.note();
        if party.len() > 0 {
            parties.push(party);
        }
        guest
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        let parties = self.0.iter();
        parties.map(Party::len).sum()
    }

    /// How many wait that run on.
    pub fn running_on(&self) -> usize {
        self.0.iter().map(|party| party.run_on.len()).sum()
    }

    /// The least that any tenant has used of whom a guest waits at this stage; if there is
    /// none, more than anyone can have.
    pub fn least(&self, stage: Stage) -> u64 {
        let waits = |party: &&Party<T>| match stage {
            Stage::Newcomer => !party.newcomers.is_empty(),
            Stage::RunsOn => !party.run_on.is_empty(),
        };
        let used = self
            .0
            .iter()
            .filter(waits)
            .map(|party| party.account.used());
        used.min().unwrap_or(u64::MAX)
    }
}

impl<T> Party<T> {
    fn len(&self) -> usize {
        self.newcomers.len() + self.run_on.len()
    }

    /// Has its account know how many wait.
    fn note(&self) {
        self.account.note_waiting(self.len());
    }

    fn pop(&mut self) -> Option<(Stage, T)> {
        let may_be_new = self.in_a_row < IN_A_ROW || self.run_on.is_empty();
        if may_be_new && let Some(newcomer) = self.newcomers.pop_front() {
            self.in_a_row += 1;
            return Some((Stage::Newcomer, newcomer));
        }
        self.in_a_row = 0;
        let guest = self.run_on.pop_front()?;
        Some((Stage::RunsOn, guest))
    }
}

#[cfg(test)]
mod tests {
    use super::Stage::{Newcomer, RunsOn};
    use super::*;
    use crate::settings::COMMON_WEIGHT;

    fn account() -> Arc<Account> {
        Arc::new(Account::new(COMMON_WEIGHT))
    }

    fn all<T>(order: &mut Order<T>) -> Vec<T> {
        std::iter::from_fn(|| order.pop().map(|(_, guest)| guest)).collect()
    }

    #[test]
    fn who_has_used_least_comes_first() {
        let [a, b, c] = [account(), account(), account()];
        let mut order = Order::new();
        assert_eq!(order.least(RunsOn), u64::MAX);
        for (account, guest, used) in [(&a, "a", 3), (&b, "b", 1), (&c, "c", 2)] {
            account.charge(used, 0);
            order.push(account, RunsOn, guest);
        }
        order.push(&a, Newcomer, "new");
        assert_eq!((order.least(RunsOn), order.least(Newcomer)), (1, 3));
        assert_eq!(all(&mut order), ["b", "c", "new", "a"]);
        assert_eq!(order.least(Newcomer), u64::MAX);
    }

    #[test]
    fn within_a_tenant_who_has_waited_longest() {
        let [a, b] = [account(), account()];
        let mut order = Order::new();
        for (account, guest) in [(&a, "a1"), (&a, "a2"), (&b, "b1"), (&a, "a3")] {
            order.push(account, RunsOn, guest);
        }
        // As long as nothing is charged they alternate.
        assert_eq!(all(&mut order), ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn newcomers_come_first_and_not_for_ever() {
        let (a, mut order) = (account(), Order::new());
        order.push(&a, RunsOn, 100);
        order.push(&a, RunsOn, 101);
        (0..40).for_each(|guest| order.push(&a, Newcomer, guest));
        let all = all(&mut order);
        assert_eq!((all[16], all[33], all.len()), (100, 101, 42));
        let newcomers: Vec<_> = all.into_iter().filter(|guest| *guest < 100).collect();
        assert_eq!(newcomers, (0..40).collect::<Vec<_>>());
    }
}
