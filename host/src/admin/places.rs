//! How many requests of whom there are at a time. Each tenant has its own number of
//! followed logs, of uploads and of others, and all tenants together have so many; what is
//! the operator's no tenant takes.

use crate::roster::{Refused, Why};
use crate::settings::ApiQuota;
use crate::store::Scope;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a request holds a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// An answer that is there at once, or after a compilation.
    Short,
    /// A log that is followed.
    Follow,
    /// A component on its way in.
    Upload,
}

/// Their number.
const ERRANDS: usize = 3;

/// Requests of one tenant that are neither.
const SHORT: usize = 4;
/// Requests of all tenants together, by errand.
const TENANTS: [usize; ERRANDS] = [64, 128, 64];
/// Those of the operator: on the socket, or with a token for all.
const OPERATOR: [usize; ERRANDS] = [32, 32, 16];

/// The places of a server. Clones are of the same ones.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    operator: [usize; ERRANDS],
    tenants: [usize; ERRANDS],
    by_tenant: HashMap<String, [usize; ERRANDS]>,
}

/// One that is taken, until it is dropped.
pub(super) struct Place {
    places: Places,
    scope: Scope,
    errand: Errand,
}

impl Places {
    /// Takes one for an errand of `scope`, whose tenant may have `quota`. Fails at once if
    /// there is none.
    pub(super) fn take(
        &self,
        scope: &Scope,
        errand: Errand,
        quota: &ApiQuota,
    ) -> Result<Place, Refused> {
        let at = errand as usize;
        let mut taken = self.lock();
        match scope {
            Scope::All if taken.operator[at] >= OPERATOR[at] => {
                return Err(too_much(Why::NotNow, errand, "the operator"));
            }
            Scope::All => taken.operator[at] += 1,
            Scope::Tenant(tenant) => {
                let own = taken.by_tenant.get(tenant).map_or(0, |own| own[at]);
                let most = [SHORT, quota.followers, quota.uploads][at];
                if own >= most {
                    let whom = format!("tenant `{tenant}`, which may have {most}");
                    return Err(too_much(Why::Quota, errand, &whom));
                }
                if taken.tenants[at] >= TENANTS[at] {
                    return Err(too_much(Why::NotNow, errand, "all tenants together"));
                }
                taken.tenants[at] += 1;
                taken.by_tenant.entry(tenant.clone()).or_default()[at] += 1;
            }
        }
        drop(taken);
        Ok(Place {
            places: self.clone(),
            scope: scope.clone(),
            errand,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let at = self.errand as usize;
        let mut taken = self.places.lock();
        match &self.scope {
            Scope::All => taken.operator[at] -= 1,
            Scope::Tenant(tenant) => {
                taken.tenants[at] -= 1;
                if let Some(own) = taken.by_tenant.get_mut(tenant) {
                    own[at] -= 1;
                    if *own == [0; ERRANDS] {
                        taken.by_tenant.remove(tenant);
                    }
                }
            }
        }
    }
}

fn too_much(why: Why, errand: Errand, whom: &str) -> Refused {
    let (what, then) = match errand {
        Errand::Short => ("requests", "ask again in a moment"),
        Errand::Follow => ("followed logs", "end one, or ask without follow=true"),
        Errand::Upload => ("deploys", "ask again when one is done"),
    };
    Refused::new(why, format!("too many {what} at a time of {whom}; {then}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_takes_its_own_and_no_operators() {
        let places = Places::default();
        let quota = ApiQuota {
            followers: 3,
            uploads: 2,
        };
        let take = |tenant: Option<&str>, errand| {
            let scope = tenant.map_or(Scope::All, |tenant| Scope::Tenant(tenant.into()));
            places.take(&scope, errand, &quota)
        };
        let why = |taken: Result<Place, Refused>| taken.err().map(|refused| refused.why);
        let mut held = Vec::new();
        for (errand, most) in [
            (Errand::Short, SHORT),
            (Errand::Follow, 3),
            (Errand::Upload, 2),
        ] {
            for _ in 0..most {
                held.push(take(Some("acme"), errand).unwrap());
            }
            assert_eq!(why(take(Some("acme"), errand)), Some(Why::Quota));
            assert!(take(Some("other"), errand).is_ok());
            assert!(take(None, errand).is_ok());
        }
        // However many tenants there are, the operator has places.
        for tenant in 0..2 * TENANTS[1] {
            held.extend(take(Some(&tenant.to_string()), Errand::Follow).ok());
        }
        assert_eq!(why(take(Some("late"), Errand::Follow)), Some(Why::NotNow));
        for _ in 0..OPERATOR[1] {
            held.push(take(None, Errand::Follow).unwrap());
        }
        assert_eq!(why(take(None, Errand::Follow)), Some(Why::NotNow));
        held.clear();
        let taken = places.lock();
        assert_eq!((taken.operator, taken.tenants), ([0; 3], [0; 3]));
        assert!(taken.by_tenant.is_empty());
    }
}
