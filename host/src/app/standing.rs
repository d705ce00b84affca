//! What an app has among others while it is loaded, and as long as anything of it
//! counts.

use crate::admission::Turnstile;
use crate::components::Party;
use crate::turn::Accounts;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an app has among others.
pub struct Standing {
    /// Its places.
    pub turnstile: Arc<Turnstile>,
    /// Who shares the host with others: its tenant, or itself. None if there is nobody to
    /// share with.
    pub party: Option<Arc<Party>>,
    /// What its guests have used of each lane's thread, if it is no tenant's.
    pub accounts: Accounts,
}

/// Where an app keeps its standing from one time that it is loaded to the next, if there
/// is anything to be kept: of thousands of apps that were asked for once, most have
/// nothing that runs, and what each keeps would add up.
#[derive(Default)]
pub struct Keeping(Mutex<Option<Arc<Standing>>>);

impl Standing {
    fn is_idle(&self) -> bool {
        self.turnstile.taken() == 0 && self.turnstile.waiting() == 0
    }
}

impl Keeping {
    /// The same as an app that is replaced has.
    pub fn of(last: &Keeping) -> Self {
        Keeping(Mutex::new(last.get()))
    }

    /// What is kept.
    pub fn get(&self) -> Option<Arc<Standing>> {
        self.lock().clone()
    }

    /// What `make` makes of what is kept, which is kept from here on.
    pub fn renew(
        &self,
        make: impl FnOnce(Option<&Arc<Standing>>) -> Arc<Standing>,
    ) -> Arc<Standing> {
        let mut kept = self.lock();
        let standing = make(kept.as_ref());
        *kept = Some(standing.clone());
        standing
    }

    /// Keeps nothing if nobody else has it and none of its places is taken: a place that
    /// was given counts in it until it is given back.
    pub fn let_go(&self) {
        let mut kept = self.lock();
        let is_alone = kept.as_mut().is_some_and(|it| Arc::get_mut(it).is_some());
        if is_alone && kept.as_ref().is_some_and(|standing| standing.is_idle()) {
            *kept = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Standing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{COMMON_WEIGHT, Limits};
    use crate::turn::Account;

    fn standing() -> Arc<Standing> {
        Arc::new(Standing {
            turnstile: Arc::new(Turnstile::new(&Limits::default(), 1, 1)),
            party: None,
            accounts: Account::on_each(1, COMMON_WEIGHT),
        })
    }

    #[test]
    fn it_goes_when_nothing_of_it_counts() {
        let keeping = Keeping::default();
        let standing = keeping.renew(|last| {
            assert!(last.is_none());
            standing()
        });
        keeping.let_go();
        assert!(keeping.get().is_some(), "somebody has it");
        let place = standing.turnstile.try_enter(0).unwrap();
        drop(standing);
        keeping.let_go();
        assert!(keeping.get().is_some(), "a place is taken");
        let successor = Keeping::of(&keeping);
        drop(place);
        keeping.let_go();
        assert!(keeping.get().is_some(), "the next app has it");
        drop(successor);
        keeping.let_go();
        assert!(keeping.get().is_none());
    }

    #[test]
    fn what_is_kept_is_what_the_next_is_made_of() {
        let keeping = Keeping::default();
        let first = keeping.renew(|_| standing());
        let second = keeping.renew(|last| last.unwrap().clone());
        assert!(Arc::ptr_eq(&first, &second));
        let other = keeping.renew(|_| standing());
        assert!(Arc::ptr_eq(&other, &keeping.get().unwrap()));
    }
}
