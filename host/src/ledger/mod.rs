//! What each app has used: its requests' receipts, added up.
//!
//! An app has a sheet for each lane, made at its first request there. A request is
//! entered on the sheet of the thread that serves it, so that no two cores write to
//! the same line; who asks adds the sheets up. An app that nobody asks for has none,
//! and is not among those that are listed.

mod histogram;
mod sheet;

pub use histogram::Times;
pub use sheet::{ENDINGS, Ending, Sheet, Totals};

use crate::admission::Turnstile;
use crate::settings::AppSettings;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, Weak};

/// Those of all apps that were asked for.
static ALL: Mutex<Vec<Weak<Ledger>>> = Mutex::new(Vec::new());

/// The ledger of one app. The version that replaces another goes on with it.
pub struct Ledger {
    name: AppName,
    sheets: Box<[OnceLock<Arc<Sheet>>]>,
    /// Where its requests run and wait now.
    turnstile: Mutex<Weak<Turnstile>>,
    listed: Once,
}

/// Which app a ledger is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppName {
    /// Whose it is, if anybody's.
    pub tenant: Option<Arc<str>>,
    /// What it is called.
    pub app: Arc<str>,
}

/// An app as its ledger shows it.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// What was counted.
    pub totals: Totals,
    /// Requests that have a place now.
    pub running: usize,
    /// Requests that wait for one of the app's now.
    pub queued: usize,
}

impl AppName {
    /// That of the app with these settings.
    pub fn of(settings: &AppSettings) -> Self {
        AppName {
            tenant: settings.tenant.as_deref().map(Arc::from),
            app: settings.name.as_str().into(),
        }
    }
}

impl Ledger {
    /// An empty one of an app on so many lanes.
    pub fn new(name: AppName, lanes: usize) -> Arc<Self> {
        Arc::new(Ledger {
            name,
            sheets: (0..lanes.max(1)).map(|_| OnceLock::new()).collect(),
            turnstile: Mutex::default(),
            listed: Once::new(),
        })
    }

    /// Which app it is of.
    pub fn name(&self) -> &AppName {
        &self.name
    }

    /// The app's requests run and wait at `turnstile` from here on.
    pub fn follow(&self, turnstile: &Arc<Turnstile>) {
        let mut last = self
            .turnstile
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Arc::downgrade(turnstile);
    }

    /// The sheet for requests that came in on `lane`.
    pub fn sheet(self: &Arc<Self>, lane: usize) -> Arc<Sheet> {
        let sheet = self.sheets[lane % self.sheets.len()].get_or_init(|| {
            self.listed.call_once(|| self.list());
            Arc::default()
        });
        sheet.clone()
    }

    fn list(self: &Arc<Self>) {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are gone are looked for when the list would have to grow, which
        // is the less often the longer it is.
        if all.len() == all.capacity() {
            all.retain(|ledger| ledger.strong_count() > 0);
        }
        all.push(Arc::downgrade(self));
    }

    fn add_to(&self, account: &mut Account) {
        let sheets = self.sheets.iter().filter_map(OnceLock::get);
        sheets.for_each(|sheet| sheet.add_to(&mut account.totals));
        let turnstile = self
            .turnstile
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(turnstile) = turnstile.upgrade() {
            account.running += turnstile.taken();
            account.queued += turnstile.waiting();
        }
    }
}

/// The accounts of all apps that were asked for, in the order of their names.
pub fn accounts() -> BTreeMap<AppName, Account> {
    let all: Vec<_> = {
        let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    };
    let mut accounts: BTreeMap<_, Account> = BTreeMap::new();
    for ledger in all {
        // Two can have the same name for a while: one app in the place of another
        // that still answers.
        ledger.add_to(accounts.entry(ledger.name.clone()).or_default());
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Receipt;
    use crate::settings::Limits;

    fn name(app: &str) -> AppName {
        AppName {
            tenant: Some("tests of the ledger".into()),
            app: app.into(),
        }
    }

    #[test]
    fn only_who_was_asked_for_is_listed() {
        let quiet = Ledger::new(name("quiet"), 2);
        assert!(!accounts().contains_key(quiet.name()));
        let busy = Ledger::new(name("busy"), 2);
        let turnstile = Arc::new(Turnstile::new(&Limits::default(), 2, 1));
        busy.follow(&turnstile);
        for lane in 0..3 {
            busy.sheet(lane).enter(&Receipt::default(), None, true);
        }
        let account = &accounts()[busy.name()];
        assert_eq!((account.totals.requests(), account.running), (3, 0));
        let busy_name = busy.name().clone();
        drop(busy);
        assert!(!accounts().contains_key(&busy_name));
    }

    #[test]
    fn a_list_of_the_gone_does_not_grow() {
        for _ in 0..10_000 {
            Ledger::new(name("gone"), 1).sheet(0);
        }
        let capacity = ALL.lock().unwrap().capacity();
        assert!(capacity < 1000, "{capacity}");
    }

    #[test]
    fn two_of_a_name_are_one_account() {
        let two = [Ledger::new(name("twice"), 1), Ledger::new(name("twice"), 1)];
        for ledger in &two {
            ledger.sheet(0).enter(&Receipt::default(), None, true);
        }
        assert_eq!(accounts()[two[0].name()].totals.requests(), 2);
    }
}
