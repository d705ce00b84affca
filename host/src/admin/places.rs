//! How many requests of whom there are at a time. Each tenant, and each token for all, has
//! its own number of followed logs, of uploads and of others, and all of them together have
//! so many. What is the operator's on the socket no token takes.

use crate::roster::{Refused, Why};
use crate::settings::ApiQuota;
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
/// Those of the operator on the socket; and those of all tokens for all together.
const OPERATOR: [usize; ERRANDS] = [32, 32, 16];
/// Those of one token for all.
const TOKEN: [usize; ERRANDS] = [16, 16, 8];

/// Whose a request is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// The operator's, on the socket.
    Socket,
    /// That of a token for all, by what the token is called.
    Token(String),
    /// A tenant's, by whichever of its tokens.
    Tenant(String),
}

impl Whose {
    /// How many there may be of all of this kind, by errand.
    fn of_all(&self) -> [usize; ERRANDS] {
        match self {
            Whose::Socket | Whose::Token(_) => OPERATOR,
            Whose::Tenant(_) => TENANTS,
        }
    }

    /// How many may be this one's, with that `quota` if it is a tenant's.
    fn of_one(&self, quota: &ApiQuota) -> [usize; ERRANDS] {
        match self {
            Whose::Socket => OPERATOR,
            Whose::Token(_) => TOKEN,
            Whose::Tenant(_) => [SHORT, quota.followers, quota.uploads],
        }
    }

    fn is_like(&self, other: &Whose) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The places of a server. Clones are of the same ones.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

/// Those that are taken, by whom.
type Taken = HashMap<Whose, [usize; ERRANDS]>;

/// One that is taken, until it is dropped.
pub(super) struct Place {
    places: Places,
    whose: Whose,
    errand: Errand,
}

impl Places {
    /// Takes one for an errand of `whose`, which may have `quota` if it is a tenant. Fails
    /// at once if there is none.
    pub(super) fn take(
        &self,
        whose: &Whose,
        errand: Errand,
        quota: &ApiQuota,
    ) -> Result<Place, Refused> {
        let at = errand as usize;
        let mut taken = self.lock();
        let own = taken.get(whose).map_or(0, |own| own[at]);
        let most = whose.of_one(quota)[at];
        if own >= most {
            return Err(match whose {
                Whose::Socket => too_much(Why::NotNow, errand, "the operator"),
                Whose::Token(id) => {
                    let whom = format!("token {id}, which may have {most}");
                    too_much(Why::Quota, errand, &whom)
                }
                Whose::Tenant(tenant) => {
                    let whom = format!("tenant `{tenant}`, which may have {most}");
                    too_much(Why::Quota, errand, &whom)
                }
            });
        }
        let alike = taken.iter().filter(|(other, _)| other.is_like(whose));
        if alike.map(|(_, own)| own[at]).sum::<usize>() >= whose.of_all()[at] {
            let whom = match whose {
                Whose::Tenant(_) => "all tenants together",
                _ => "all tokens for all together",
            };
            return Err(too_much(Why::NotNow, errand, whom));
        }
        taken.entry(whose.clone()).or_default()[at] += 1;
        drop(taken);
        Ok(Place {
            places: self.clone(),
            whose: whose.clone(),
            errand,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(own) = taken.get_mut(&self.whose) {
            own[self.errand as usize] -= 1;
            if *own == [0; ERRANDS] {
                taken.remove(&self.whose);
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
    fn nobody_takes_places_of_others() {
        let places = Places::default();
        let quota = ApiQuota {
            followers: 3,
            uploads: 2,
        };
        let tenant = |name: &str| Whose::Tenant(name.to_owned());
        let token = |id: &str| Whose::Token(id.to_owned());
        let take = |whose: &Whose, errand| places.take(whose, errand, &quota);
        let why = |taken: Result<Place, Refused>| taken.err().map(|refused| refused.why);
        let mut held = Vec::new();
        for (errand, most) in [
            (Errand::Short, SHORT),
            (Errand::Follow, 3),
            (Errand::Upload, 2),
        ] {
            for _ in 0..most {
                held.push(take(&tenant("acme"), errand).unwrap());
            }
            assert_eq!(why(take(&tenant("acme"), errand)), Some(Why::Quota));
            assert!(take(&tenant("other"), errand).is_ok());
            // A tenant that is called as a token is another.
            assert!(take(&token("acme"), errand).is_ok());
        }
        // However many tenants there are, the operator has places; and on the socket,
        // however many tokens.
        for number in 0..2 * TENANTS[1] {
            held.extend(take(&tenant(&number.to_string()), Errand::Follow).ok());
        }
        assert_eq!(
            why(take(&tenant("late"), Errand::Follow)),
            Some(Why::NotNow)
        );
        for id in ["a", "b"] {
            for _ in 0..TOKEN[1] {
                held.push(take(&token(id), Errand::Follow).unwrap());
            }
        }
        assert_eq!(why(take(&token("a"), Errand::Follow)), Some(Why::Quota));
        assert_eq!(why(take(&token("c"), Errand::Follow)), Some(Why::NotNow));
        for _ in 0..OPERATOR[1] {
            held.push(take(&Whose::Socket, Errand::Follow).unwrap());
        }
        assert_eq!(why(take(&Whose::Socket, Errand::Follow)), Some(Why::NotNow));
        held.clear();
        assert!(places.lock().is_empty());
    }
}
