//! Tenants: whose apps they are, and what all apps of one may use together.

use crate::admission::{Place, Turnstile};
use crate::commons::{Good, Room};
use crate::components::Party;
use crate::failure::Cause;
use crate::settings::{Limits, TenantSettings};
use crate::turn::{Account, Accounts};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Where those who have a share wait for it, with their names.
static SHARES: Mutex<Vec<(Arc<str>, Weak<Turnstile>)>> = Mutex::new(Vec::new());

/// Out of which those with a `memory` take it, with their names.
static ROOMS: Mutex<Vec<(Arc<str>, Weak<Room>)>> = Mutex::new(Vec::new());

/// One of those who share a host, and do not trust one another.
pub struct Tenant {
    name: Arc<str>,
    /// None if only its apps' own limits hold.
    turnstile: Option<Arc<Turnstile>>,
    /// What its guests have used, on each thread.
    accounts: Accounts,
    /// Who shares the host with others.
    party: Arc<Party>,
}

impl Tenant {
    /// A tenant on so many lanes, who shares the host as `party`.
    pub fn new(name: &str, settings: &TenantSettings, lanes: usize, party: Arc<Party>) -> Self {
        let turnstile = settings.concurrency.map(|places| {
            let limits = Limits {
                concurrency: Some(places),
                queue: settings.queue,
                queue_timeout: settings.queue_timeout,
                ..Limits::default()
            };
            // All its places are on whichever lane asks; a sandbox takes one of its
            // app's as well, and that says on which lane it is.
            Arc::new(Turnstile::new(&limits, lanes.max(1), places))
        });
        let name: Arc<str> = name.into();
        if let Some(turnstile) = &turnstile {
            let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
            shares.retain(|(_, turnstile)| turnstile.strong_count() > 0);
            shares.push((name.clone(), Arc::downgrade(turnstile)));
        }
        if settings.memory.is_some() {
            let room = Arc::downgrade(party.room());
            let mut rooms = ROOMS.lock().unwrap_or_else(PoisonError::into_inner);
            // One that takes the place of another goes on with its room.
            rooms.retain(|(_, other)| other.strong_count() > 0 && !other.ptr_eq(&room));
            rooms.push((name.clone(), room));
        }
        Tenant {
            name,
            turnstile,
            accounts: Account::on_each(lanes, settings.weight),
            party,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its guests have used on each lane's thread.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Who shares the host with others: all its apps are one.
    pub fn party(&self) -> &Arc<Party> {
        &self.party
    }

    /// How many of its requests have a place, running or waiting for their app's.
    pub fn taken(&self) -> usize {
        self.turnstile.as_ref().map_or(0, |places| places.taken())
    }

    /// Takes a place of its share for a request that came in on `lane`, after waiting
    /// if all are taken; none if it has no share.
    pub async fn enter(&self, lane: usize) -> Result<Option<Place>, Cause> {
        let Some(turnstile) = &self.turnstile else {
            return Ok(None);
        };
        match turnstile.enter(lane).await {
            Ok(place) => Ok(Some(place)),
            Err(cause) => Err(Cause::Tenant(self.name.clone(), Box::new(cause))),
        }
    }
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tenant").field(&self.name).finish()
    }
}

/// How the share of a tenant is used at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Its requests that have a place.
    pub running: usize,
    /// Those that wait for one.
    pub queued: usize,
}

/// The shares of all tenants that have one, by name.
pub fn shares() -> BTreeMap<Arc<str>, Share> {
    let all: Vec<_> = {
        let shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
        let present = |(name, turnstile): &(Arc<str>, Weak<Turnstile>)| {
            Some((name.clone(), turnstile.upgrade()?))
        };
        shares.iter().filter_map(present).collect()
    };
    let mut shares: BTreeMap<_, Share> = BTreeMap::new();
    for (name, turnstile) in all {
        // Two have the same name while one takes the place of another that still answers.
        let share = shares.entry(name).or_default();
        share.running += turnstile.taken();
        share.queued += turnstile.waiting();
    }
    shares
}

/// The octets of memory that the sandboxes of each tenant with a `memory` have together,
/// by name.
pub fn memory() -> BTreeMap<Arc<str>, u64> {
    let rooms = ROOMS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory: BTreeMap<_, u64> = BTreeMap::new();
    for (name, room) in rooms.iter() {
        // One that has none any more goes on with its room.
        if let Some(room) = room.upgrade().filter(|room| room.memory_limit().is_some()) {
            *memory.entry(name.clone()).or_default() += room.taken(Good::Memory);
        }
    }
    memory
}
