//! Tenants: whose apps they are, and what all apps of one may use together.

use crate::admission::{Place, Turnstile};
use crate::failure::Cause;
use crate::settings::{Limits, TenantSettings};
use crate::turn::{Account, Accounts};
use std::sync::Arc;

/// One of those who share a host, and do not trust one another.
pub struct Tenant {
    name: Arc<str>,
    /// None if only its apps' own limits hold.
    turnstile: Option<Turnstile>,
    /// What its guests have used, on each thread.
    accounts: Accounts,
}

impl Tenant {
    /// A tenant on so many lanes.
    pub fn new(name: &str, settings: &TenantSettings, lanes: usize) -> Self {
        let turnstile = settings.concurrency.map(|places| {
            let limits = Limits {
                concurrency: Some(places),
                queue: settings.queue,
                queue_timeout: settings.queue_timeout,
                ..Limits::default()
            };
            // All its places are on whichever lane asks; a sandbox takes one of its
            // app's as well, and that says on which lane it is.
            Turnstile::new(&limits, lanes.max(1), places)
        });
        Tenant {
            name: name.into(),
            turnstile,
            accounts: Account::on_each(lanes, settings.weight),
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

    /// How many of its requests have a place, running or waiting for their app's.
    pub fn taken(&self) -> usize {
        self.turnstile.as_ref().map_or(0, Turnstile::taken)
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
