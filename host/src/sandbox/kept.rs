//! Instances that wait for another request, where an app's owner allows that they
//! serve more than one (`--reuse`).
//!
//! The one that served last is taken first, so that under little load the others
//! grow old and go. One that waits takes a slot of the pool, and must never cost
//! anybody theirs: within an app there are as many slots as places for requests,
//! and when a pool runs out all the same, the one that has waited longest goes.

use super::instance::Sandbox;
use crate::commons::{Idle, Room};
use crate::metrics::{self, Event};
use crate::settings::Reuse;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use wasmtime::Engine;

/// All that keep instances, whatever app they are of.
static ALL: Mutex<Vec<Weak<Kept>>> = Mutex::new(Vec::new());

/// The instances of one program that wait.
pub struct Kept {
    reuse: Reuse,
    /// In whose pool they have their slots.
    engine: Engine,
    shelf: Mutex<Shelf>,
    /// Told when one is put back that dies before those which are waited for.
    sooner: Arc<Notify>,
}

struct Shelf {
    /// In the order in which they were put back.
    waiting: VecDeque<Reusable>,
    /// Whether any are to be kept.
    is_open: bool,
    /// When the old are looked for next, if anybody does.
    sweep: Option<Instant>,
}

/// A sandbox that may serve again. When it is dropped it is counted why.
pub struct Reusable {
    sandbox: Sandbox,
    /// Requests that it may still serve, the one that it serves included.
    left: u32,
    /// When it is too old to serve.
    dies: Instant,
    /// Since when it waits.
    since: Instant,
    end: Event,
}

/// How long a sandbox lives that is about to be made.
pub struct Life {
    born: Instant,
    reuse: Reuse,
}

impl Reusable {
    /// One that was just made.
    pub fn new(sandbox: Sandbox, life: Life) -> Self {
        metrics::count(Event::InstanceMade);
        Reusable {
            sandbox,
            left: life.reuse.requests,
            dies: life.born + life.reuse.age,
            since: life.born,
            // Until somebody knows better: it is also dropped with a request that
            // is cut off.
            end: Event::InstanceUnfit,
        }
    }

    fn end_as(mut self, end: Event) {
        self.end = end;
    }
}

impl Deref for Reusable {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl DerefMut for Reusable {
    fn deref_mut(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

impl Drop for Reusable {
    fn drop(&mut self) {
        metrics::count(self.end);
    }
}

impl Kept {
    /// None yet. What they have comes out of `room`.
    pub fn new(engine: &Engine, reuse: Reuse, room: &Arc<Room>) -> Arc<Self> {
        let kept = Arc::new(Kept {
            reuse,
            engine: engine.clone(),
            shelf: Mutex::new(Shelf {
                waiting: VecDeque::new(),
                is_open: true,
                sweep: None,
            }),
            sooner: Arc::default(),
        });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&kept));
        let idle: Arc<dyn Idle> = kept.clone();
        room.yields(Arc::downgrade(&idle));
        kept
    }

    /// The life of one that is made now.
    pub fn life(&self) -> Life {
        Life {
            born: Instant::now(),
            reuse: self.reuse,
        }
    }

    /// One that may serve another request; whoever takes it has it alone.
    pub fn take(&self) -> Option<Reusable> {
        let now = Instant::now();
        loop {
            let last = self.shelf().waiting.pop_back()?;
            if now < last.dies {
                return Some(last);
            }
            last.end_as(Event::InstanceAged);
        }
    }

    /// One that has served, and is fit to serve again; it goes if it has served as
    /// often or for as long as it may.
    pub fn put(self: &Arc<Self>, mut instance: Reusable) {
        instance.left -= 1;
        instance.since = Instant::now();
        if instance.left == 0 {
            return instance.end_as(Event::InstanceSpent);
        }
        if instance.dies <= instance.since {
            return instance.end_as(Event::InstanceAged);
        }
        let dies = instance.dies;
        let mut shelf = self.shelf();
        if !shelf.is_open {
            drop(shelf);
            return instance.end_as(Event::InstanceReplaced);
        }
        shelf.waiting.push_back(instance);
        match shelf.sweep {
            Some(next) if next <= dies => {}
            Some(_) => {
                shelf.sweep = Some(dies);
                self.sooner.notify_one();
            }
            None => {
                // Without a runtime the old are dropped when one is taken.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    shelf.sweep = Some(dies);
                    runtime.spawn(sweep(Sweeping(Arc::downgrade(self))));
                }
            }
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.shelf().waiting.len()
    }

    /// Drops all that wait, and keeps none from here on.
    pub fn close(&self) {
        self.shelf().is_open = false;
        while self.drop_first(Event::InstanceReplaced, |_| true) {}
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the one that waits longest of those that are `meant`. The shelf stays
    /// locked meanwhile: who finds it empty then knows that the slots are free.
    fn drop_first(&self, end: Event, meant: impl Fn(&Reusable) -> bool) -> bool {
        let mut shelf = self.shelf();
        let first = shelf.waiting.iter().position(meant);
        match first.and_then(|place| shelf.waiting.remove(place)) {
            Some(instance) => {
                instance.end_as(end);
                true
            }
            None => false,
        }
    }

    /// When the next one dies that waits. With none there is nobody to look for,
    /// and the task that asks is to end.
    fn next_death(&self) -> Option<Instant> {
        let mut shelf = self.shelf();
        shelf.sweep = shelf.waiting.iter().map(|instance| instance.dies).min();
        shelf.sweep
    }
}

impl Idle for Kept {
    fn waits_since(&self) -> Option<std::time::Instant> {
        let shelf = self.shelf();
        shelf.waiting.front().map(|first| first.since.into_std())
    }

    fn end_longest(&self) -> bool {
        self.drop_first(Event::InstanceEvicted, |_| true)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        for instance in shelf.waiting.drain(..) {
            instance.end_as(Event::InstanceReplaced);
        }
    }
}

/// The task that drops the old ones of a program. It does not keep the program, and
/// ends when none waits.
struct Sweeping(Weak<Kept>);

/// The thread that it runs on may end before those that wait: the next that is put
/// back then begins another.
impl Drop for Sweeping {
    fn drop(&mut self) {
        if let Some(kept) = self.0.upgrade() {
            kept.shelf().sweep = None;
        }
    }
}

async fn sweep(mut sweeping: Sweeping) {
    loop {
        let Some(kept) = sweeping.0.upgrade() else {
            return;
        };
        let Some(death) = kept.next_death() else {
            // It said so itself, and another may have begun since.
            sweeping.0 = Weak::new();
            return;
        };
        let sooner = kept.sooner.clone();
        drop(kept);
        tokio::select! {
            () = sleep_until(death) => {}
            () = sooner.notified() => {}
        }
        let now = Instant::now();
        while drop_dead(&sweeping.0, now) {
            // An end takes a while: requests go before the next one.
            tokio::task::yield_now().await;
        }
    }
}

fn drop_dead(kept: &Weak<Kept>, now: Instant) -> bool {
    kept.upgrade()
        .is_some_and(|kept| kept.drop_first(Event::InstanceAged, |instance| instance.dies <= now))
}

/// Drops the instance that has waited longest of all that have a slot in the pool of
/// `engine`; says whether there was one.
pub fn make_room(engine: &Engine) -> bool {
    let mut longest: Option<(Instant, Arc<Kept>)> = None;
    for kept in ALL.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let Some(kept) = kept.upgrade() else { continue };
        if !Engine::same(&kept.engine, engine) {
            continue;
        }
        let since = kept.shelf().waiting.front().map(|first| first.since);
        if let Some(since) = since
            && longest.as_ref().is_none_or(|(before, _)| since < *before)
        {
            longest = Some((since, kept));
        }
    }
    longest.is_some_and(|(_, kept)| kept.drop_first(Event::InstanceEvicted, |_| true))
}
