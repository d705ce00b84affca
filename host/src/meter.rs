//! What a sandbox uses, and where that ends: time on a CPU, time on the clock,
//! memory.

mod space;

pub use space::{SpaceMeter, TABLE_ELEMENT, UNCOUNTED};

use crate::failure::Limit;
use crate::receipt::Tally;
use crate::turn::{self, Accounts, Stage, Thread, Turn};
use rustix::time::{ClockId, clock_gettime};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// Counts the time that a guest spends on a CPU.
///
/// Shared between whoever polls the guest, which brackets each poll, and the
/// guest's epoch callback, which looks at every tick. Both run in the request's
/// own task, one after the other, so that nothing here has to be ordered.
#[derive(Clone)]
pub struct CpuMeter(Arc<CpuState>);

struct CpuState {
    budget: Duration,
    /// Whom the time is charged to, beside the guest itself.
    accounts: Accounts,
    /// Nanoseconds.
    spent: AtomicU64,
    /// Where the stretch that is being measured began, in nanoseconds of the
    /// clock that measures it.
    since: AtomicU64,
    /// Whether to ask the kernel for this thread's CPU time, which costs a
    /// system call, instead of the clock, which does not. A guest that answers
    /// within a tick is never worth the call. One that runs on is: from its
    /// first tick, time in which the kernel ran something else is not charged.
    precise: AtomicBool,
    bound: Mutex<Option<Bound>>,
    /// Whether the guest waits for its turn, and for nothing else.
    awaits_turn: AtomicBool,
    /// What else is counted of the request. Here, so that both are one allocation.
    tally: Tally,
}

/// What ties a guest to a thread.
enum Bound {
    /// Held while it runs on past a tick; and while it is on its way to another thread
    /// whose turn that is.
    Turn(Turn),
    /// It is on its way to wait there.
    Wait(Thread),
}

impl Bound {
    /// None if it is wherever it is.
    fn thread(&self) -> Option<&Thread> {
        match self {
            Bound::Turn(turn) => turn.thread(),
            Bound::Wait(thread) => Some(thread),
        }
    }

    fn is_here(&self) -> bool {
        self.thread().is_none_or(Thread::is_here)
    }
}

impl CpuMeter {
    /// A meter that runs out after `budget`. What it counts is charged to that of
    /// `accounts` which is the thread's that the guest runs on.
    pub fn new(budget: Duration, accounts: Accounts) -> Self {
        CpuMeter(Arc::new(CpuState {
            budget,
            accounts,
            spent: AtomicU64::new(0),
            since: AtomicU64::new(0),
            precise: AtomicBool::new(false),
            bound: Mutex::new(None),
            awaits_turn: AtomicBool::new(false),
            tally: Tally::default(),
        }))
    }

    /// The guest is about to run. Fails when its budget is already gone, as that
    /// of a guest can be which only ever runs in stretches shorter than a tick. One that
    /// waits for its turn has the next tick for that, which knows where it is.
    pub fn enter(&self) -> Result<(), Limit> {
        self.0.since.store(self.0.now(), Relaxed);
        match self.awaits_turn() {
            true => Ok(()),
            false => self.0.check(),
        }
    }

    /// The guest gave up the thread, and its turn if it had one.
    pub fn leave(&self) {
        self.0.charge();
        // Only a guest that is counted precisely can have one.
        if self.0.precise.load(Relaxed) {
            let bound = self.0.bound().take_if(|bound| bound.is_here());
            // The next guest is woken outside the lock.
            drop(bound);
        }
    }

    /// The thread that the guest is to go on in, after it gave up this one.
    pub fn called_to(&self) -> Option<Thread> {
        if !self.0.precise.load(Relaxed) {
            return None;
        }
        let bound = self.0.bound();
        bound.as_ref().and_then(Bound::thread).cloned()
    }

    /// Whether the guest gave up the thread to wait for its turn on it.
    pub fn awaits_turn(&self) -> bool {
        self.0.awaits_turn.load(Relaxed)
    }

    /// The guest is no more. Gives up the turn that it may have elsewhere.
    pub fn end(&self) {
        let bound = self.0.bound().take();
        drop(bound);
    }

    /// A guest is about to begin. It waits for a turn if others are to run before it.
    pub async fn begin(&self) {
        if turn::has_to_wait(&self.0.accounts) {
            self.0.count_precisely();
            self.take_turn(Stage::Newcomer).await;
        }
    }

    /// The guest waits for its turn, which lasts until it leaves the thread. It goes on
    /// when it is polled on the thread whose turn that is, or on which it had better wait.
    pub async fn take_turn(&self, stage: Stage) {
        if let Some(thread) = turn::sooner(&self.0.accounts) {
            self.0.go(Bound::Wait(thread)).await;
            *self.0.bound() = None;
        }
        let has_one = self.0.bound().is_some();
        self.0.awaits_turn.store(true, Relaxed);
        let turn = Turn::next(&self.0.accounts, stage, has_one).await;
        self.0.awaits_turn.store(false, Relaxed);
        self.0.go(Bound::Turn(turn)).await;
    }

    /// A tick came while the guest was running.
    pub fn tick(&self) -> Result<(), Limit> {
        self.0.count_precisely();
        self.0.check()
    }

    /// Between two pieces of work that the host does for the guest: lets others go first, if
    /// the guest has had the thread for longer than that.
    pub async fn pause(&self, after: Duration) -> Result<(), Limit> {
        let since = self.0.since.load(Relaxed);
        if Duration::from_nanos(self.0.now().saturating_sub(since)) >= after {
            self.tick()?;
            self.take_turn(Stage::RunsOn).await;
        }
        Ok(())
    }

    /// The host worked for the guest for so long on a thread that runs no guests. Fails
    /// when the budget is gone.
    pub fn charge_elsewhere(&self, time: Duration) -> Result<(), Limit> {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let spent = self.0.spent.load(Relaxed).saturating_add(nanoseconds);
        self.0.spent.store(spent, Relaxed);
        self.charge_tenant(time);
        self.0.check()
    }

    /// The host worked so long for the guest's tenant, and for none of its guests that are left.
    pub fn charge_tenant(&self, time: Duration) {
        let accounts = &self.0.accounts;
        let account = &accounts[turn::this_thread().number() % accounts.len()];
        account.charge(account.worth(time), 0);
    }

    /// The time spent so far.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.0.spent.load(Relaxed))
    }

    /// What else is counted of the request.
    pub fn tally(&self) -> &Tally {
        &self.0.tally
    }
}

impl CpuState {
    fn bound(&self) -> MutexGuard<'_, Option<Bound>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guest is polled on the thread that it is bound for before it goes on.
    async fn go(&self, to: Bound) {
        let last = self.bound().replace(to);
        // The next guest is woken outside the lock.
        drop(last);
        poll_fn(|_| match &*self.bound() {
            Some(to) if !to.is_here() => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// The time by the clock that measures, in nanoseconds. Compared only with
    /// what the same clock said on the same thread.
    fn now(&self) -> u64 {
        let clock = match self.precise.load(Relaxed) {
            true => ClockId::ThreadCPUTime,
            false => ClockId::Monotonic,
        };
        let now = clock_gettime(clock);
        now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
    }

    fn charge(&self) {
        let stretch = self.now().saturating_sub(self.since.load(Relaxed));
        let spent = self.spent.load(Relaxed) + stretch;
        self.spent.store(spent, Relaxed);
        turn::charge(&self.accounts, Duration::from_nanos(stretch));
    }

    /// From here on it is the kernel that is asked.
    fn count_precisely(&self) {
        self.charge();
        self.precise.store(true, Relaxed);
        self.since.store(self.now(), Relaxed);
    }

    fn check(&self) -> Result<(), Limit> {
        if Duration::from_nanos(self.spent.load(Relaxed)) < self.budget {
            Ok(())
        } else {
            Err(Limit::Cpu(self.budget))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::COMMON_WEIGHT;
    use crate::turn::Account;

    fn accounts() -> Accounts {
        Account::on_each(1, COMMON_WEIGHT)
    }

    #[test]
    fn a_spent_budget_stops_the_next_stretch() {
        let cpu = CpuMeter::new(Duration::from_micros(1), accounts());
        cpu.enter().unwrap();
        // Something that takes longer than a microsecond, however fast.
        std::hint::black_box((0..100_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        cpu.leave();
        assert_eq!(cpu.enter(), Err(Limit::Cpu(Duration::from_micros(1))));
    }

    #[test]
    fn waiting_between_polls_is_free() {
        let cpu = CpuMeter::new(Duration::from_secs(1), accounts());
        cpu.enter().unwrap();
        cpu.leave();
        let spent = cpu.spent();
        std::hint::black_box((0..1_000_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        assert_eq!(cpu.spent(), spent);
    }

    #[test]
    fn what_is_spent_is_charged_to_its_account() {
        let accounts = accounts();
        let cpu = CpuMeter::new(Duration::from_secs(1), accounts.clone());
        let begun = accounts[0].used();
        cpu.enter().unwrap();
        std::hint::black_box((0..100_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        cpu.leave();
        let spent = u64::try_from(cpu.spent().as_nanos()).unwrap();
        assert!(spent > 0);
        assert_eq!(accounts[0].used() - begun, spent);
    }
}
