//! How many changes a tenant makes at a time, and in a minute.

use super::refused::{Refused, Why};
use crate::settings::Quotas;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Counts changes by tenant. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace(Arc<Mutex<HashMap<String, Changes>>>);

/// A change that is being made. Dropped, another may begin.
#[derive(Debug)]
pub struct Changing {
    pace: Pace,
    /// None for the operator's.
    tenant: Option<String>,
}

#[derive(Debug)]
struct Changes {
    running: usize,
    /// How many more there may be at `at`; it grows by the minute's number in a minute.
    left: f64,
    at: Instant,
}

impl Pace {
    /// Begins a change of the operator's, who may make any number.
    pub(super) fn operators(&self) -> Changing {
        Changing {
            pace: self.clone(),
            tenant: None,
        }
    }

    /// Begins a change at `now`. Fails if `tenant` makes as many as it may already.
    pub(super) fn begin(
        &self,
        tenant: &str,
        quotas: &Quotas,
        now: Instant,
    ) -> Result<Changing, Refused> {
        let mut all = self.all();
        let most = f64::from(quotas.deploys_per_minute);
        let full = || Changes {
            running: 0,
            left: most,
            at: now,
        };
        let changes = all.entry(tenant.to_owned()).or_insert_with(full);
        let since = now.saturating_duration_since(changes.at).as_secs_f64();
        changes.left = (changes.left + since * most / MINUTE.as_secs_f64()).min(most);
        changes.at = now;
        if changes.running >= quotas.deploys {
            let text = format!(
                "tenant `{tenant}` makes {} changes at a time already (max-deploys); ask again when one is done",
                quotas.deploys
            );
            return Err(Refused::new(Why::Wait(1), text));
        }
        if changes.left < 1.0 {
            let wait = ((1.0 - changes.left) * MINUTE.as_secs_f64() / most).ceil();
            let text = format!(
                "tenant `{tenant}` has made its {} changes a minute (deploys-per-minute); ask again in {wait} s",
                quotas.deploys_per_minute
            );
            return Err(Refused::new(Why::Wait(wait as u32), text));
        }
        changes.left -= 1.0;
        changes.running += 1;
        Ok(Changing {
            pace: self.clone(),
            tenant: Some(tenant.to_owned()),
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Changes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        if let Some(tenant) = &self.tenant
            && let Some(changes) = self.pace.all().get_mut(tenant)
        {
            changes.running -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_makes_as_many_changes_as_it_may() {
        let quotas = Quotas {
            deploys: 2,
            deploys_per_minute: 6,
            ..Quotas::default()
        };
        let (pace, begun) = (Pace::default(), Instant::now());
        let begin = |seconds| pace.begin("acme", &quotas, begun + Duration::from_secs(seconds));
        let two = [begin(0).unwrap(), begin(0).unwrap()];
        let refused = begin(0).unwrap_err();
        assert!(refused.text.contains("max-deploys"), "{refused}");
        assert!(pace.begin("other", &quotas, begun).is_ok());
        drop(two);
        for _ in 0..4 {
            drop(begin(0).unwrap());
        }
        let refused = begin(0).unwrap_err();
        assert!(refused.text.contains("deploys-per-minute"), "{refused}");
        assert_eq!(refused.why, Why::Wait(10));
        assert!(begin(9).is_err());
        drop(begin(10).unwrap());
        assert!(begin(10).is_err());
        // Who waited has no more than a minute's.
        assert_eq!((0..10).filter(|_| begin(3600).is_ok()).count(), 6);
        drop(pace.operators());
    }
}
