//! Whose turn it is to compile.
//!
//! Compiling is the longest work that a tenant can have the host do, so nobody waits
//! behind all of somebody else's. A tenant compiles one component at a time. Of the
//! tenants that wait, the next is the one that has used least CPU time of late; of one
//! tenant's components, the one that came first. The operator has places of its own.

#[cfg(test)]
mod tests;

use super::Payer;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Components of one tenant that wait. One more is refused.
const WAITING: usize = 8;
/// Components of the operator that wait.
const OPERATORS_WAITING: usize = 256;
/// The time over which a quota holds.
const MINUTE: Duration = Duration::from_secs(60);
/// What is taken for the quota of a payer without one when turns are compared.
const COMMON: Duration = MINUTE;

/// Why a component is not compiled now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// So many components of its payer wait already.
    Full(usize),
    /// Its payer has used its quota; when it may try again.
    Spent {
        /// CPU time that it may use in a minute.
        quota: Duration,
        /// The time until then.
        wait: Duration,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Full(most) => write!(
                f,
                "{most} components of the same tenant wait to be compiled already; ask again in a moment"
            ),
            Refusal::Spent { quota, wait } => write!(
                f,
                "the tenant has used its {} of compiling a minute (compile-time); ask again in {} s, or ask the operator for more",
                humantime::format_duration(*quota),
                wait.as_secs() + 1
            ),
        }
    }
}

/// The queue of all who compile in one host.
#[derive(Debug)]
pub struct Queue {
    /// Components of tenants that are compiled at a time; as many again of the operator.
    places: usize,
    state: Mutex<State>,
    changed: Condvar,
}

/// A place of a component that is being compiled. Dropped, it is another's.
#[derive(Debug)]
pub struct Place<'a> {
    queue: &'a Queue,
    payer: Payer,
}

#[derive(Debug, Default)]
struct State {
    /// How many are compiled, by their payers; none for the operator.
    running: HashMap<Option<Arc<str>>, usize>,
    /// In the order in which they came.
    waiting: Vec<(u64, Payer)>,
    next: u64,
    /// What tenants used of late.
    used: HashMap<Arc<str>, Used>,
}

/// CPU time that was used, of which a minute takes a quota's worth away.
#[derive(Debug, Clone, Copy)]
struct Used {
    seconds: f64,
    at: Instant,
}

impl Used {
    /// What is left of it at `now`, for who may use `quota` in a minute.
    fn left(&self, quota: Duration, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at);
        let gone = since.as_secs_f64() * quota.as_secs_f64() / MINUTE.as_secs_f64();
        (self.seconds - gone).max(0.0)
    }
}

impl Queue {
    /// One with so many places for all tenants together. There are two at least: a
    /// second tenant does not wait for the first.
    pub fn new(places: usize) -> Self {
        Queue {
            places: places.max(2),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Fails if `payer` has used its quota.
    pub fn afford(&self, payer: &Payer) -> Result<(), Refusal> {
        self.state().afford(payer, Instant::now())
    }

    /// Waits for the turn of `payer`. Fails at once if too many of its components wait.
    pub fn enter(&self, payer: &Payer) -> Result<Place<'_>, Refusal> {
        let mut state = self.state();
        let most = match payer.name() {
            Some(_) => WAITING,
            None => OPERATORS_WAITING,
        };
        if state.waiting_of(payer) >= most {
            return Err(Refusal::Full(most));
        }
        let ticket = state.next;
        state.next += 1;
        state.waiting.push((ticket, payer.clone()));
        while state.turn(self.places, Instant::now()) != Some(ticket)
            && !state.is_operators_turn(ticket, self.places)
        {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.retain(|(other, _)| *other != ticket);
        *state.running.entry(payer.name().cloned()).or_default() += 1;
        drop(state);
        // There may be a place for another as well.
        self.changed.notify_all();
        Ok(Place {
            queue: self,
            payer: payer.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// The component took this much CPU time.
    pub fn charge(&self, cpu: Duration) {
        let Some(name) = self.payer.name() else {
            return;
        };
        let (mut state, now) = (self.queue.state(), Instant::now());
        let quota = self.payer.quota().unwrap_or(COMMON);
        let before = state
            .used
            .get(name)
            .map_or(0.0, |used| used.left(quota, now));
        let used = Used {
            seconds: before + cpu.as_secs_f64(),
            at: now,
        };
        state.used.insert(name.clone(), used);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        let name = self.payer.name().cloned();
        if let Some(running) = state.running.get_mut(&name) {
            *running -= 1;
            if *running == 0 {
                state.running.remove(&name);
            }
        }
        drop(state);
        self.queue.changed.notify_all();
    }
}

impl State {
    fn waiting_of(&self, payer: &Payer) -> usize {
        let of = |(_, other): &&(u64, Payer)| other.name() == payer.name();
        self.waiting.iter().filter(of).count()
    }

    fn running_of(&self, name: Option<&Arc<str>>) -> usize {
        self.running.get(&name.cloned()).copied().unwrap_or(0)
    }

    fn left(&self, payer: &Payer, now: Instant) -> f64 {
        let used = payer.name().and_then(|name| self.used.get(name));
        used.map_or(0.0, |used| used.left(payer.quota().unwrap_or(COMMON), now))
    }

    fn afford(&self, payer: &Payer, now: Instant) -> Result<(), Refusal> {
        let Some(quota) = payer.quota() else {
            return Ok(());
        };
        let beyond = self.left(payer, now) - quota.as_secs_f64();
        if beyond < 0.0 {
            return Ok(());
        }
        let seconds = beyond * MINUTE.as_secs_f64() / quota.as_secs_f64();
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Err(Refusal::Spent { quota, wait })
    }

    /// The tenant's component that is to be compiled next, if there is a place for it.
    fn turn(&self, places: usize, now: Instant) -> Option<u64> {
        let tenants = self.running.iter().filter(|(name, _)| name.is_some());
        if tenants.map(|(_, running)| running).sum::<usize>() >= places {
            return None;
        }
        let may = |(_, payer): &&(u64, Payer)| {
            payer.name().is_some() && self.running_of(payer.name()) == 0
        };
        let waiting = self.waiting.iter().filter(may);
        // Of those that have used as little, the first.
        let least = waiting
            .min_by(|(_, one), (_, other)| self.left(one, now).total_cmp(&self.left(other, now)));
        least.map(|(ticket, _)| *ticket)
    }

    fn is_operators_turn(&self, ticket: u64, places: usize) -> bool {
        let own = self
            .waiting
            .iter()
            .find(|(_, payer)| payer.name().is_none());
        own.is_some_and(|(first, _)| *first == ticket) && self.running_of(None) < places
    }
}
