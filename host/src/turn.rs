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
//! A thread that has nothing to do takes one of those who wait for another's turn: such a
//! guest goes there, whole, and stays until it waits for something else than its turn.
//!
//! A tenant whose connections are all on one thread has its share of the others as well: a
//! guest that would wait here for others of its own goes to wait on a thread where it would
//! be the next one.
//!
//! Newcomers begin without a turn, which costs them nothing, unless there are so many that
//! the thread has not looked at its sockets for a while; or their tenant has used more than
//! others who wait.

mod account;
mod order;
#[cfg(test)]
mod tests;
mod thread;
mod way;

pub use account::{Account, Accounts};
pub use order::Stage;
pub use thread::{Thread, Turn, Visit, crew};

use std::cell::OnceCell;
use std::time::Duration;
use thread::{LITTLE, UNSEEN};
use way::give_way;

/// How much more a tenant may have used than one that waits for its turn, before its
/// newcomers wait too, in nanoseconds of one of the common weight: two ticks.
const LEAD: u64 = 2_000_000;

thread_local! {
    static HERE: OnceCell<Thread> = const { OnceCell::new() };
}

/// What `look` finds out of the thread that asks. One that was never given a place among
/// others serves alone.
fn here<R>(look: impl FnOnce(&Thread) -> R) -> R {
    HERE.with(|here| look(here.get_or_init(|| crew(1).swap_remove(0))))
}

/// The thread that asks is that one, from now on.
pub fn serve_as(thread: Thread) {
    HERE.with(|here| {
        let _ = here.set(thread);
    });
}

/// The thread that asks.
pub fn this_thread() -> Thread {
    here(Thread::clone)
}

/// A guest of the tenant with these `accounts` ran on this thread for `time`.
pub fn charge(accounts: &Accounts, time: Duration) {
    here(|thread| {
        let account = account::of(accounts, thread.number());
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        thread.charge(account, nanoseconds, account.worth(time));
    });
}

/// This thread is about to sleep.
pub fn sleep() {
    here(Thread::sleep);
}

/// This thread was asleep.
pub fn wake() {
    here(Thread::wake);
}

/// Whether a newcomer of the tenant with these `accounts` is to wait for its turn on this
/// thread.
pub fn has_to_wait(accounts: &Accounts) -> bool {
    here(|thread| {
        let used = account::of(accounts, thread.number()).used();
        thread.unseen() > UNSEEN
            || used >= thread.least_waiting(Stage::Newcomer)
            || used > thread.least_waiting(Stage::RunsOn).saturating_add(LEAD)
    })
}

/// The thread on which a guest of the tenant with these `accounts`, which has to wait for its
/// turn, had better do that, if it is not this one.
pub fn sooner(accounts: &Accounts) -> Option<Thread> {
    here(|thread| thread.sooner(accounts))
}

/// Lets whatever else is ready on this thread go first, unless one of it is a
/// guest that runs on, which would take a whole tick. It takes none as long as it looks
/// what others have to do.
pub async fn let_others_pass() {
    if here(|thread| thread.running_on() == 0 || thread.is_looking()) {
        tokio::task::yield_now().await;
    }
}

impl Thread {
    /// Whether it is the one that asks.
    pub fn is_here(&self) -> bool {
        here(|here| here.is(self))
    }
}

impl Turn {
    /// Gives way, and waits for the turn of this guest of the tenant with these
    /// `accounts`: on the thread that asks, or on another one that has nothing to do, as
    /// [`Turn::is_here`] says. `has_one` says that it still has its last.
    pub async fn next(accounts: &Accounts, stage: Stage, has_one: bool) -> Self {
        let thread = this_thread();
        let account = account::of(accounts, thread.number());
        let turn = thread.turn(account, stage, has_one).await;
        if !turn.is_here() {
            return turn;
        }
        if stage == Stage::Newcomer && thread.unseen() <= UNSEEN {
            thread.begins(account);
            return turn;
        }
        // As long as there is work of who has used less, it is not this one's turn. That
        // ends when there is next to none, or as soon as it has cost as much.
        loop {
            thread.begin_to_look(account);
            give_way().await;
            let (ran, least) = thread.seen();
            // With next to nothing to do, answers to it may still wait for this one.
            if ran == 0 || (ran < LITTLE && least >= account.used()) {
                thread.begins(account);
                return turn;
            }
            // There is enough to do without this one.
            if let Some(elsewhere) = thread.turn_elsewhere(stage) {
                return elsewhere;
            }
            if least >= account.used() {
                if ran > UNSEEN / 2 {
                    // Once more, and whoever comes now waits for a turn.
                    thread.close();
                    give_way().await;
                }
                thread.begins(account);
                return turn;
            }
        }
    }

    /// Whether it is a turn of the thread that asks.
    pub fn is_here(&self) -> bool {
        self.thread().is_none_or(Thread::is_here)
    }
}
