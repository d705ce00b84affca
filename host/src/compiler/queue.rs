//! Whose turn it is to compile.
//!
//! Compiling is the longest work that a tenant can have the host do, so nobody waits
//! behind all of somebody else's. A tenant compiles one component at a time. Of the
//! tenants that wait, the next is the one that has used least CPU time of late, and who
//! has used its quota comes after who has not; of one tenant's components, the one that
//! came first. The operator has places of its own.
//!
//! A change of what is served is refused if its payer has used its quota, or has too many
//! that wait. What is served already is compiled again whatever its payer has used: its
//! code went since the host has a new engine, or too little room for it. It is charged
//! all the same.

#[cfg(test)]
mod tests;

use super::Payer;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Changes of one tenant that wait. One more is refused.
const WAITING: usize = 8;
/// Changes of the operator that wait.
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

/// The queue of all who compile in one host. Clones are the same queue.
#[derive(Debug, Clone)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Told when a ticket has its turn: threads that wait, and tasks.
    called: (Condvar, Notify),
}

/// Of a component that is to be compiled. Dropped, it leaves the queue.
#[derive(Debug)]
pub struct Ticket {
    queue: Queue,
    number: u64,
    payer: Payer,
}

/// A place of a component that is being compiled. Dropped, it is another's.
#[derive(Debug)]
pub struct Place(Ticket);

#[derive(Debug)]
struct State {
    /// Components of tenants that are compiled at a time; as many again of the operator.
    places: usize,
    /// The tickets whose turn it is, and their payers; none for the operator.
    running: Vec<(u64, Option<Arc<str>>)>,
    /// In the order in which they came.
    waiting: Vec<Queued>,
    next: u64,
    /// What tenants used of late.
    used: HashMap<Arc<str>, Used>,
}

#[derive(Debug)]
struct Queued {
    ticket: u64,
    payer: Payer,
    /// Whether what is served is to be changed.
    is_change: bool,
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
        Queue(Arc::new(Inner {
            state: Mutex::new(State {
                places: places.max(2),
                running: Vec::new(),
                waiting: Vec::new(),
                next: 0,
                used: HashMap::new(),
            }),
            called: (Condvar::new(), Notify::new()),
        }))
    }

    /// Waits for the turn of a change for `payer`. Fails at once if `payer` has used its
    /// quota, or too many of its changes wait.
    pub fn enter(&self, payer: &Payer) -> Result<Place, Refusal> {
        let now = Instant::now();
        let mut state = self.state();
        state.afford(payer, now)?;
        let most = match payer.name() {
            Some(_) => WAITING,
            None => OPERATORS_WAITING,
        };
        if state.changes_of(payer) >= most {
            return Err(Refusal::Full(most));
        }
        let ticket = self.ticket(&mut state, payer, true, now);
        drop(state);
        Ok(ticket.wait())
    }

    /// A ticket for what is served already. It is not refused: of each app there is one.
    pub fn line_up(&self, payer: &Payer) -> Ticket {
        self.ticket(&mut self.state(), payer, false, Instant::now())
    }

    /// How many wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    fn ticket(&self, state: &mut State, payer: &Payer, is_change: bool, now: Instant) -> Ticket {
        let number = state.line_up(payer, is_change);
        // None but this one can have a turn that had none before.
        state.call(now);
        Ticket {
            queue: self.clone(),
            number,
            payer: payer.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits for its turn, on this thread.
    pub fn wait(self) -> Place {
        let mut state = self.queue.state();
        while !state.is_running(self.number) {
            let (called, _) = &self.queue.0.called;
            state = called.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        Place(self)
    }

    /// Waits for its turn, on no thread.
    pub async fn turn(self) -> Place {
        loop {
            // Before it is looked at: it is told of what happens from here on.
            let called = self.queue.0.called.1.notified();
            if self.queue.state().is_running(self.number) {
                break;
            }
            called.await;
        }
        Place(self)
    }
}

impl Place {
    /// The component took this much CPU time.
    pub fn charge(&self, cpu: Duration) {
        let Ticket { queue, payer, .. } = &self.0;
        queue.state().charge(payer, cpu, Instant::now());
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.leave(self.number);
        state.call(Instant::now());
        drop(state);
        let (threads, tasks) = &self.queue.0.called;
        threads.notify_all();
        tasks.notify_waiters();
    }
}

impl State {
    fn line_up(&mut self, payer: &Payer, is_change: bool) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.waiting.push(Queued {
            ticket,
            payer: payer.clone(),
            is_change,
        });
        ticket
    }

    fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        self.running.retain(|(running, _)| *running != ticket);
    }

    /// Gives the places that are free to those whose turn it is at `now`. Whose turn it is
    /// changes with time, so it is decided here alone, and stays decided.
    fn call(&mut self, now: Instant) {
        while let Some(place) = self.turn(now) {
            let Queued { ticket, payer, .. } = self.waiting.remove(place);
            self.running.push((ticket, payer.name().cloned()));
        }
    }

    fn is_running(&self, ticket: u64) -> bool {
        self.running.iter().any(|(running, _)| *running == ticket)
    }

    fn changes_of(&self, payer: &Payer) -> usize {
        let of = |queued: &&Queued| queued.is_change && queued.payer.name() == payer.name();
        self.waiting.iter().filter(of).count()
    }

    fn left(&self, payer: &Payer, now: Instant) -> f64 {
        let used = payer.name().and_then(|name| self.used.get(name));
        used.map_or(0.0, |used| used.left(payer.quota().unwrap_or(COMMON), now))
    }

    /// Fails if `payer` has used its quota.
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

    fn charge(&mut self, payer: &Payer, cpu: Duration, now: Instant) {
        let Some(name) = payer.name() else {
            return;
        };
        let used = Used {
            seconds: self.left(payer, now) + cpu.as_secs_f64(),
            at: now,
        };
        self.used.insert(name.clone(), used);
    }

    /// Where the component waits that is to be compiled next, if there is a place for it.
    fn turn(&self, now: Instant) -> Option<usize> {
        let of_tenants = self.running.iter().filter(|(_, name)| name.is_some());
        let of_tenants = of_tenants.count();
        let of_operator = self.running.len() - of_tenants;
        if of_operator < self.places
            && let Some(own) = self.waiting.iter().position(Queued::is_operators)
        {
            return Some(own);
        }
        if of_tenants >= self.places {
            return None;
        }
        let may = |waiting: &Queued| {
            let mut running = self.running.iter();
            !waiting.is_operators()
                && !running.any(|(_, name)| name.as_ref() == waiting.payer.name())
        };
        let waiting = self.waiting.iter().enumerate();
        let rank = |payer: &Payer| (self.afford(payer, now).is_err(), self.left(payer, now));
        // Of those that have used as little, the first.
        let least = waiting
            .filter(|(_, waiting)| may(waiting))
            .map(|(place, waiting)| (place, rank(&waiting.payer)))
            .min_by(|(_, one), (_, other)| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        least.map(|(place, _)| place)
    }
}

impl Queued {
    fn is_operators(&self) -> bool {
        self.payer.name().is_none()
    }
}
