//! Guests that keep a thread busy take turns.
//!
//! A guest that runs on past a tick gives way. If it merely queued up again, a
//! newcomer would wait for a tick of every such guest there is. So of those on a
//! thread only one at a time is let run on, and before it does, the thread looks
//! at its sockets and serves what has come: a newcomer waits for one tick at the
//! most.
//!
//! Whose turn it is the accounts of their tenants say: the next one is of the tenant
//! that has used least of this thread's time, by weight. What newcomers use counts as
//! well: a guest whose tenant has used more than another, which had something to do just
//! now, lets the thread serve what has come once more.
//!
//! Newcomers begin without a turn, which costs them nothing, unless there are so many that
//! the thread has not looked at its sockets for a while; or their tenant has used more than
//! others who wait.

mod account;
mod order;
#[cfg(test)]
mod tests;

pub use account::Account;

pub use order::Stage;

use order::Order;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

/// For how long newcomers may keep the thread from its sockets, in nanoseconds. Whoever is
/// shed learns of it after as much, and one tick.
const UNSEEN: u64 = 1_000_000;

/// What is not worth another look at the sockets, in nanoseconds.
const LITTLE: u64 = 20_000;

/// How much more a tenant may have used than one that waits for its turn, before its
/// newcomers wait too, in nanoseconds of one of the common weight: a tick.
const LEAD: u64 = 2_000_000;

/// The right to run on until the next tick; the next guest's when dropped. None if it
/// has been passed on.
pub struct Turn(Option<Arc<Turns>>);

/// The turns of one thread, which is the only one that writes here.
pub struct Turns {
    /// Whether it is the turn of one of its guests.
    is_taken: AtomicBool,
    /// How many of them run on, whose turn it is or who wait for it.
    running_on: AtomicUsize,
    /// Those who wait for that one. They are given the turn, which if nobody is there any
    /// more to take it is the next one's.
    waiting: Mutex<Order<oneshot::Sender<Turn>>>,
    /// What the tenant had used whose turn it is, when that began. Nobody is held to have
    /// used less: who was idle has saved nothing up.
    floor: AtomicU64,
    /// The least that is used of those who run on and wait, and of newcomers that do.
    least_running_on: AtomicU64,
    least_new: AtomicU64,
    /// Whose turn it is: where its account is.
    looking: AtomicUsize,
    /// The least that is used of others who ran since that one began to look.
    least_seen: AtomicU64,
    /// Nanoseconds that guests ran since the thread looked at its sockets.
    unseen: AtomicU64,
}

thread_local! {
    static TURNS: Arc<Turns> = Arc::new(Turns {
        is_taken: AtomicBool::new(false),
        running_on: AtomicUsize::new(0),
        waiting: Mutex::new(Order::new()),
        floor: AtomicU64::new(0),
        least_running_on: AtomicU64::new(u64::MAX),
        least_new: AtomicU64::new(u64::MAX),
        looking: AtomicUsize::new(0),
        least_seen: AtomicU64::new(u64::MAX),
        unseen: AtomicU64::new(0),
    });
}

/// The turns of the thread that asks.
pub fn of_this_thread() -> Arc<Turns> {
    TURNS.with(Arc::clone)
}

/// A guest of `account` ran on this thread for `time`.
pub fn charge(account: &Account, time: Duration) {
    TURNS.with(|turns| {
        let used = account.charge(time, turns.floor.load(Relaxed));
        let looks = turns.looking.load(Relaxed) == place(account);
        if !looks && used < turns.least_seen.load(Relaxed) {
            turns.least_seen.store(used, Relaxed);
        }
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let unseen = turns.unseen.load(Relaxed).saturating_add(nanoseconds);
        turns.unseen.store(unseen, Relaxed);
    });
}

/// This thread is about to look at its sockets.
pub fn look() {
    TURNS.with(|turns| turns.unseen.store(0, Relaxed));
}

/// Whether a newcomer of `account` is to wait for its turn on this thread.
pub fn has_to_wait(account: &Account) -> bool {
    let used = account.used();
    TURNS.with(|turns| {
        turns.unseen.load(Relaxed) > UNSEEN
            || used >= turns.least_new.load(Relaxed)
            || used > turns.least_running_on.load(Relaxed).saturating_add(LEAD)
    })
}

fn place(account: &Account) -> usize {
    std::ptr::from_ref(account).addr()
}

/// Lets whatever else is ready on this thread go first, unless one of it is a
/// guest that runs on, which would take a whole tick.
pub async fn let_others_pass() {
    if TURNS.with(|turns| turns.running_on()) == 0 {
        tokio::task::yield_now().await;
    }
}

impl Turn {
    /// Gives way, and waits for the turn of this guest of `account` on the thread that
    /// asks.
    pub async fn next(account: &Arc<Account>, stage: Stage) -> Self {
        let turns = of_this_thread();
        let turn = turns.wait(account, stage).await;
        if stage == Stage::Newcomer && turns.unseen.load(Relaxed) <= UNSEEN {
            turns.floor.fetch_max(account.used(), Relaxed);
            return turn;
        }
        // As long as there is work of who has used less, it is not this one's turn. That
        // ends when there is next to none, or as soon as it has cost as much.
        loop {
            turns.looking.store(place(account), Relaxed);
            turns.least_seen.store(u64::MAX, Relaxed);
            // Those who come meanwhile have as much again, so that few have to wait.
            turns.unseen.store(0, Relaxed);
            give_way().await;
            let ran = turns.unseen.swap(0, Relaxed);
            if ran < LITTLE || turns.least_seen.load(Relaxed) >= account.used() {
                turns.floor.fetch_max(account.used(), Relaxed);
                return turn;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

impl Turns {
    /// How many guests run on.
    pub fn running_on(&self) -> usize {
        self.running_on.load(Relaxed)
    }

    /// The next turn that is for `account`.
    async fn wait(self: &Arc<Self>, account: &Arc<Account>, stage: Stage) -> Turn {
        let given = {
            let mut waiting = self.waiting();
            account.begin_at(self.floor.load(Relaxed));
            if !self.is_taken.load(Relaxed) {
                self.is_taken.store(true, Relaxed);
                self.note(&waiting, Some(stage));
                return Turn(Some(self.clone()));
            }
            let (giver, given) = oneshot::channel();
            waiting.push(account, stage, giver);
            let more = usize::from(stage == Stage::RunsOn);
            self.running_on.fetch_add(more, Relaxed);
            self.note_least(&waiting);
            given
        };
        given.await.expect("who waits is given a turn")
    }

    /// Gives the turn to the next who waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let next = {
                let mut waiting = self.waiting();
                let next = waiting.pop();
                self.note(&waiting, next.as_ref().map(|(stage, _)| *stage));
                self.is_taken.store(next.is_some(), Relaxed);
                next
            };
            let Some((_, guest)) = next else {
                return;
            };
            // Who takes it is woken outside the lock.
            match guest.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                Err(mut untaken) => untaken.0 = None,
            }
        }
    }

    /// Notes who wait, while it is the turn of one at stage `next`.
    fn note(&self, waiting: &Order<oneshot::Sender<Turn>>, next: Option<Stage>) {
        let next = usize::from(next == Some(Stage::RunsOn));
        self.running_on.store(waiting.running_on() + next, Relaxed);
        self.note_least(waiting);
    }

    /// Notes what newcomers have to know of those who wait.
    fn note_least(&self, waiting: &Order<oneshot::Sender<Turn>>) {
        let least = waiting.least(Stage::RunsOn);
        self.least_running_on.store(least, Relaxed);
        self.least_new
            .store(waiting.least(Stage::Newcomer), Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, Order<oneshot::Sender<Turn>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ready when the thread has looked at its sockets and run whatever else was.
///
/// Tokio's own yield says so when it is merely polled again, which hyper does up
/// to sixteen times before it gives up the thread. This one asks for the wake-up
/// itself.
///
/// Whoever polls last is woken: a guest whose answer was taken whole goes on in a
/// task of its own, in the middle of this perhaps.
async fn give_way() {
    let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let way = Arc::new(Way {
        given: AtomicBool::new(false),
        task: Mutex::new(task),
    });
    let waker = Waker::from(way.clone());
    let mut deferred = pin!(tokio::task::yield_now());
    let _ = deferred.as_mut().poll(&mut Context::from_waker(&waker));
    poll_fn(|cx| {
        let mut task = way.task();
        if way.given.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        task.clone_from(cx.waker());
        Poll::Pending
    })
    .await;
}

struct Way {
    given: AtomicBool,
    task: Mutex<Waker>,
}

impl Way {
    fn task(&self) -> MutexGuard<'_, Waker> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Way {
    fn wake(self: Arc<Self>) {
        let task = self.task();
        self.given.store(true, Ordering::Release);
        task.wake_by_ref();
    }
}
