//! Apps: deployed components with their settings.
//!
//! One is small as long as nobody asks for it. With the first request its component
//! is loaded, and it has a desk on each lane; until room is needed and others were
//! used more recently.

mod desk;
mod standing;

pub use desk::Desk;

use crate::admission::{Place, Turnstile};
use crate::app_log::AppLog;
use crate::commons::Room;
use crate::components::{Component, Party, Seat, Supply};
use crate::development::Subject;
use crate::failure::Cause;
use crate::ledger::{AppName, Ledger};
use crate::load::{LoadError, Loaded};
use crate::log::Sink;
use crate::observer::Observer;
use crate::residency::{Resident, Share};
use crate::sandbox::SizeClass;
use crate::settings::{AppSettings, COMMON_WEIGHT, Limits};
use crate::turn::{Account, Accounts};
use arc_swap::ArcSwapOption;
use standing::{Keeping, Standing};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// What an app takes in memory beside its component, in octets on each lane: its
/// variables and its part of the log. Plenty for most.
const DESK: u64 = 4 << 10;

/// How long an app that could not be loaded is not tried again: to try may take as
/// long as to compile.
const AGAIN: Duration = Duration::from_secs(5);

/// A deployed component with its settings.
pub struct App {
    settings: Arc<AppSettings>,
    /// Its part of the log, once for each lane.
    logs: Box<[Arc<AppLog>]>,
    /// What a developer is shown of it (`--dev`).
    subject: Option<Arc<Subject>>,
    /// Where its component comes from, if that is not loaded for good.
    supply: Option<Supply>,
    /// Its tenant, if it has one who shares the host with others.
    party: Option<Arc<Party>>,
    /// What counts on from one time that it is loaded to the next; at first that of the
    /// app whose place it takes.
    keeping: Keeping,
    office: ArcSwapOption<Office>,
    /// What it used so far.
    ledger: Arc<Ledger>,
    /// Held by who loads it; why that failed last, and when.
    loading: Arc<tokio::sync::Mutex<Failure>>,
    last_used: AtomicU32,
}

/// When an app could not be loaded last, and why.
type Failure = Option<(Instant, Arc<str>)>;

/// What an app has while it is loaded.
struct Office {
    standing: Arc<Standing>,
    /// How big its sandboxes are.
    class: SizeClass,
    /// One for each lane.
    desks: Vec<Arc<Desk>>,
    /// Kept, as long as this is, for the next app that needs it.
    component: Option<(Arc<Component>, Share)>,
}

/// What a request gets of an app.
pub struct Entered {
    /// Where it is answered.
    pub desk: Arc<Desk>,
    /// Its place, and its sandbox of those that the app's party has.
    pub places: (Place, Option<Seat>),
    /// Whom the time is charged to that its guest spends.
    pub accounts: Accounts,
}

impl App {
    /// An app from a component that has been loaded, for good. What its guests print
    /// goes to `log`, what its sandboxes take comes out of `room`.
    ///
    /// It takes the place of `last`, if there is one: while requests of both run,
    /// they share the places that one app has.
    pub fn new(
        loaded: &Loaded,
        settings: &AppSettings,
        log: &Sink,
        room: &Arc<Room>,
        last: Option<&App>,
    ) -> Result<Self, LoadError> {
        App::made(settings, log, None, last, loaded.linked.len()).opened(loaded, room)
    }

    /// The same for the first, and `observer` is told what it does against the
    /// rules.
    pub fn observed(
        loaded: &Loaded,
        settings: &AppSettings,
        log: &Sink,
        room: &Arc<Room>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, LoadError> {
        let mut app = App::made(settings, log, None, None, loaded.linked.len());
        for log in &mut app.logs {
            *log = Arc::new(AppLog::clone(log).observed(observer.clone()));
        }
        app.opened(loaded, room)
    }

    /// An app whose component is loaded from `supply` when it is asked for. It shares
    /// the host as one of `party`, or else for itself. The other arguments are those of
    /// [`App::new`].
    pub fn supplied(
        supply: Supply,
        party: Option<Arc<Party>>,
        settings: &AppSettings,
        log: &Sink,
        last: Option<&App>,
    ) -> Self {
        let lanes = supply.components.lanes();
        let mut app = App::made(settings, log, Some(supply), last, lanes);
        if let Some(party) = &party {
            for log in &mut app.logs {
                *log = Arc::new(AppLog::clone(log).within(party.log().clone()));
            }
        }
        app.party = party;
        app
    }

    fn made(
        settings: &AppSettings,
        log: &Sink,
        supply: Option<Supply>,
        last: Option<&App>,
        lanes: usize,
    ) -> Self {
        let mut log = AppLog::new(&settings.name, log.clone(), settings.limits.log_rate);
        if settings.dev {
            log = log.with_recent();
        }
        let subject = log.recent().map(|lines| {
            Arc::new(Subject {
                mount: settings.mount.clone(),
                lines: lines.clone(),
                source: settings.source.clone(),
                run_once: !settings.reuse.is_on(),
            })
        });
        let name = AppName::of(settings);
        let ledger = last.map(|last| &last.ledger);
        let ledger = ledger.filter(|ledger| *ledger.name() == name).cloned();
        App {
            ledger: ledger.unwrap_or_else(|| Ledger::new(name, lanes)),
            settings: Arc::new(settings.clone()),
            logs: (0..lanes.max(1)).map(|_| Arc::new(log.clone())).collect(),
            subject,
            supply,
            party: None,
            keeping: last
                .map(|last| Keeping::of(&last.keeping))
                .unwrap_or_default(),
            office: ArcSwapOption::empty(),
            loading: Arc::default(),
            last_used: AtomicU32::new(0),
        }
    }

    fn opened(self, loaded: &Loaded, room: &Arc<Room>) -> Result<Self, LoadError> {
        let standing = self.stand(loaded)?;
        let office = self.open(loaded, standing, room, None);
        self.office.store(Some(Arc::new(office)));
        Ok(self)
    }

    /// Its standing as the app of what is `loaded`: what is kept of it, and else a new one.
    fn stand(&self, loaded: &Loaded) -> Result<Arc<Standing>, LoadError> {
        let limits = &self.settings.limits;
        loaded.fit(limits)?;
        let lanes = loaded.linked.len();
        let standing = self.keeping.renew(|last| {
            let turnstile = Turnstile::new(limits, lanes, loaded.capacity());
            let last_turnstile = last.map(|last| &last.turnstile);
            let same = last_turnstile.filter(|last| last.places() == turnstile.places());
            let own = |supply: &Supply| {
                let last = last.and_then(|last| last.party.clone());
                last.unwrap_or_else(|| supply.components.party())
            };
            let party = self.party.clone();
            let accounts = last.map(|last| last.accounts.clone());
            Arc::new(Standing {
                turnstile: same.cloned().unwrap_or_else(|| Arc::new(turnstile)),
                party: party.or_else(|| self.supply.as_ref().map(own)),
                accounts: accounts.unwrap_or_else(|| Account::on_each(lanes, COMMON_WEIGHT)),
            })
        });
        self.ledger.follow(&standing.turnstile);
        Ok(standing)
    }

    /// Desks for what is `loaded`, whose sandboxes take out of `room`.
    fn open(
        &self,
        loaded: &Loaded,
        standing: Arc<Standing>,
        room: &Arc<Room>,
        component: Option<(Arc<Component>, Share)>,
    ) -> Office {
        let lanes = loaded.linked.iter().zip(&self.logs);
        let desk = |linked, log| Arc::new(Desk::new(linked, &self.settings, log, room));
        let desks = lanes.map(|(linked, log)| desk(linked, log));
        Office {
            class: loaded.class,
            standing,
            desks: desks.collect(),
            component,
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Arc<AppSettings> {
        &self.settings
    }

    /// What each of its requests may use.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Its part of the log, for who is on `lane`.
    pub fn log(&self, lane: usize) -> &Arc<AppLog> {
        &self.logs[lane % self.logs.len()]
    }

    /// What a developer is shown of it.
    pub fn subject(&self) -> Option<&Arc<Subject>> {
        self.subject.as_ref()
    }

    /// What it used so far.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// How many of its requests can run at a time, if it is loaded.
    pub fn places(&self) -> usize {
        let standing = self.keeping.get();
        standing.map_or(0, |standing| standing.turnstile.places())
    }

    /// How many of its requests run now.
    pub fn running(&self) -> usize {
        let standing = self.keeping.get();
        standing.map_or(0, |standing| standing.turnstile.taken())
    }

    /// How many of its requests wait for a place.
    pub fn queued(&self) -> usize {
        let standing = self.keeping.get();
        standing.map_or(0, |standing| standing.turnstile.waiting())
    }

    /// Whether it is in memory.
    pub fn is_loaded(&self) -> bool {
        self.office.load().is_some()
    }

    /// How many of its instances wait for another request.
    pub fn waiting(&self) -> usize {
        let office = self.office.load();
        let desks = office.iter().flat_map(|office| &office.desks);
        desks.map(|desk| desk.waiting()).sum()
    }

    /// Drops the instances that wait, and keeps none from here on. Requests that
    /// still come are served, each by an instance of its own.
    pub fn retire(&self) {
        if let Some(office) = &*self.office.load() {
            office.retire();
        }
    }

    /// A desk for a request that came in on `lane`, and its place there; after the app
    /// has been loaded if it is not, and after waiting if all places are taken. What its
    /// guest spends is charged to the `tenant`, or to the app if it is no tenant's.
    pub async fn enter(
        self: &Arc<Self>,
        lane: usize,
        tenant: Option<&Accounts>,
    ) -> Result<Entered, Cause> {
        if let Some(entered) = self.enter_now(lane, tenant) {
            return entered;
        }
        let office = match self.office.load_full() {
            Some(office) => office,
            None => self.load().await?,
        };
        let place = office.standing.turnstile.enter(lane).await?;
        office.seat(place, tenant)
    }

    /// The same if it takes no waiting, and no count that lanes share.
    fn enter_now(&self, lane: usize, tenant: Option<&Accounts>) -> Option<Result<Entered, Cause>> {
        let office = self.office.load();
        let office = office.as_ref()?;
        self.use_now();
        let place = office.standing.turnstile.try_enter(lane)?;
        Some(office.seat(place, tenant))
    }

    fn use_now(&self) {
        if let Some(supply) = &self.supply {
            let now = supply.components.residency().clock();
            if self.last_used.load(Relaxed) != now {
                self.last_used.store(now, Relaxed);
            }
        }
    }

    /// Loads it now, on this thread, unless it is in memory. Fails if that cannot be,
    /// however often it is tried.
    pub fn load_now(self: &Arc<Self>) -> Result<(), LoadError> {
        let Some(supply) = &self.supply else {
            return Ok(());
        };
        if self.is_loaded() {
            return Ok(());
        }
        let component = match supply.find() {
            Some(found) => found?,
            None => supply.make(supply.line_up().wait())?,
        };
        self.settle(supply, component).map(drop)
    }

    /// Loads it, for the first who asks for it.
    async fn load(self: &Arc<Self>) -> Result<Arc<Office>, Cause> {
        let last = self.loading.clone().lock_owned().await;
        if let Some(office) = self.office.load_full() {
            return Ok(office);
        }
        if let Some((when, why)) = &*last
            && when.elapsed() < AGAIN
        {
            return Err(Cause::NotLoaded(why.clone()));
        }
        // It goes on though nobody may wait for it any more: whoever asks next waits for
        // the same, and an app is in the queue of the compiler once.
        let loaded = tokio::spawn(self.clone().load_alone(last)).await;
        loaded.unwrap_or_else(|error| Err(Cause::NotLoaded(error.to_string().into())))
    }

    /// The same for who holds what failed `last`.
    async fn load_alone(
        self: Arc<Self>,
        mut last: OwnedMutexGuard<Failure>,
    ) -> Result<Arc<Office>, Cause> {
        let loaded = self.load_in_turn().await;
        loaded.map_err(|why| {
            let why: Arc<str> = why.into();
            *last = Some((Instant::now(), why.clone()));
            Cause::NotLoaded(why)
        })
    }

    /// The same. No thread waits for the turn to compile it.
    async fn load_in_turn(self: Arc<Self>) -> Result<Arc<Office>, String> {
        let app = self.clone();
        let found = blocking(move || {
            let supply = app.supply.as_ref().ok_or("it is gone")?;
            let Some(found) = supply.find() else {
                return Ok(None);
            };
            let office = found.and_then(|component| app.settle(supply, component));
            office.map(Some).map_err(|error| error.to_string())
        });
        if let Some(office) = found.await? {
            return Ok(office);
        }
        let supply = self.supply.clone().ok_or("it is gone")?;
        let place = supply.line_up().turn().await;
        let made = blocking(move || {
            let office = supply
                .make(place)
                .and_then(|component| self.settle(&supply, component));
            office.map_err(|error| error.to_string())
        });
        made.await
    }

    /// Opens it with its `component`.
    fn settle(
        self: &Arc<Self>,
        supply: &Supply,
        component: Arc<Component>,
    ) -> Result<Arc<Office>, LoadError> {
        let residency = supply.components.residency();
        let share = residency.share(DESK * supply.components.lanes() as u64, 0);
        let standing = self.stand(&component.loaded)?;
        let party = standing.party.clone();
        let party = party.unwrap_or_else(|| supply.components.party());
        let parts = Some((component.clone(), share));
        let office = Arc::new(self.open(&component.loaded, standing, party.room(), parts));
        self.office.store(Some(office.clone()));
        // Without kept code it would have to be compiled again.
        if supply.components.come_back() {
            let resident: Arc<dyn Resident> = self.clone();
            let is_full = residency.came(Arc::downgrade(&resident));
            // After it: who came last was used last.
            self.use_now();
            if is_full {
                let residency = residency.clone();
                // The request that is waiting does not wait for this.
                match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => drop(runtime.spawn_blocking(move || residency.make_room())),
                    Err(_) => residency.make_room(),
                }
            }
        }
        Ok(office)
    }
}

/// What `work` comes to, on a thread that may be held up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(error.to_string()))
}

impl Resident for App {
    fn last_used(&self) -> u32 {
        self.last_used.load(Relaxed)
    }

    fn leave(&self) {
        let Some(office) = self.office.swap(None) else {
            return;
        };
        office.retire();
        if let (Some(supply), Some((component, _))) = (&self.supply, &office.component) {
            supply.keep_code(component);
        }
        // Nobody can enter by it any more, unless somebody is about to.
        if Arc::into_inner(office).is_some() {
            self.keeping.let_go();
        }
    }
}

impl Office {
    /// What who has this `place` gets, unless the app's party has its share already.
    fn seat(&self, place: Place, tenant: Option<&Accounts>) -> Result<Entered, Cause> {
        let lane = place.lane();
        let seat = match &self.standing.party {
            Some(party) => Some(party.take(lane, self.class).ok_or(Cause::NoShare)?),
            None => None,
        };
        Ok(Entered {
            desk: self.desks[lane].clone(),
            places: (place, seat),
            accounts: tenant.unwrap_or(&self.standing.accounts).clone(),
        })
    }

    fn retire(&self) {
        self.desks.iter().for_each(|desk| desk.retire());
    }
}
