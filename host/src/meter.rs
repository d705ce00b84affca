//! What a sandbox uses, and where that ends: time on a CPU, time on the clock,
//! memory.

use crate::commons::{Good, Held, Room};
use crate::failure::Limit;
use crate::receipt::Tally;
use crate::settings::Limits;
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

/// Octets of memory that a sandbox has without their being counted among those of all:
/// what the slot of a small one keeps anyway, and more than most need.
pub const UNCOUNTED: u64 = 1 << 20;

/// Grants a sandbox memory and tables up to its limits, and remembers a refusal:
/// a guest that is refused mostly traps soon after, and the log is to name the
/// reason rather than the trap.
pub struct SpaceMeter {
    memory: u64,
    memory_limit: u64,
    table_limit: usize,
    /// What it has of the memory of all sandboxes together.
    held: Held,
    refused: Option<Limit>,
}

impl SpaceMeter {
    /// Nothing used yet.
    pub fn new(limits: &Limits) -> Self {
        SpaceMeter {
            memory: 0,
            memory_limit: limits.memory,
            table_limit: limits.table_elements,
            held: Held::nothing_of(Good::Memory),
            refused: None,
        }
    }

    /// Octets of memory that were granted. There is no way to give any back.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The limit that was met, if one was.
    pub fn refused(&self) -> Option<Limit> {
        self.refused
    }

    /// The guest was refused something for this reason.
    pub fn refuse(&mut self, limit: Limit) {
        self.refused = Some(limit);
    }

    /// A memory is to grow from so many octets to so many, and may have `maximum`. What is
    /// counted among the memory of all sandboxes comes out of `room`. Returns whether it may.
    pub fn memory_growing(
        &mut self,
        room: &Arc<Room>,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        // It will not grow then, and what is granted is counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        // One limit for the sandbox, over however many memories it has.
        let after = self.memory + (desired as u64).saturating_sub(current as u64);
        if after > self.memory_limit {
            self.refuse(Limit::Memory(self.memory_limit));
            return false;
        }
        let counted = after.saturating_sub(UNCOUNTED);
        if counted > self.held.amount()
            && let Err(short) = self.held.set(counted, room)
        {
            self.refuse(Limit::SandboxMemory(short));
            return false;
        }
        self.memory = after;
        true
    }

    /// A table is to have so many elements. Returns whether it may.
    pub fn table_growing(&mut self, desired: usize) -> bool {
        let is_granted = desired <= self.table_limit;
        if !is_granted {
            self.refuse(Limit::Table(self.table_limit));
        }
        is_granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commons::{Commons, Short, Sizes};
    use crate::settings::COMMON_WEIGHT;
    use crate::turn::Account;

    const ALL: u64 = u64::MAX / 2;

    fn room(memory: u64) -> (Arc<Commons>, Arc<Room>) {
        let commons = Commons::new(Sizes { memory, files: 0 });
        let room = commons.room();
        (commons, room)
    }

    fn space(memory: u64) -> SpaceMeter {
        SpaceMeter::new(&Limits {
            memory,
            ..Limits::default()
        })
    }

    #[test]
    fn memory_is_counted_over_all_memories() {
        let (_, room) = room(0);
        let mut space = space(100);
        assert!(space.memory_growing(&room, 0, 60, None));
        assert!(space.memory_growing(&room, 0, 30, None));
        assert!(!space.memory_growing(&room, 30, 50, None));
        assert_eq!(space.refused(), Some(Limit::Memory(100)));
        assert!(space.memory_growing(&room, 60, 70, None));
    }

    #[test]
    fn what_is_beyond_a_little_is_of_all_sandboxes() {
        const MIB: usize = 1 << 20;
        let (commons, room) = room(10 << 20);
        let taken = || commons.taken(Good::Memory) >> 20;
        let (mut one, mut other) = (space(ALL), space(ALL));
        assert!(one.memory_growing(&room, 0, MIB, None));
        assert_eq!(taken(), 0);
        assert!(one.memory_growing(&room, MIB, 7 * MIB, None));
        assert_eq!(taken(), 6);
        assert!(other.memory_growing(&room, 0, 5 * MIB, None));
        assert_eq!((taken(), other.refused()), (10, None));
        assert!(!other.memory_growing(&room, 5 * MIB, 5 * MIB + 1, None));
        let limit = Limit::SandboxMemory(Short::All(10 << 20));
        assert_eq!((other.refused(), other.memory()), (Some(limit), 5 << 20));
        drop(one);
        assert_eq!(taken(), 4);
        assert!(other.memory_growing(&room, 5 * MIB, 6 * MIB, None));
        drop(other);
        assert_eq!(taken(), 0);
    }

    #[test]
    fn memory_that_cannot_be_is_not_counted() {
        let (commons, room) = room(ALL);
        let mut space = space(ALL);
        assert!(!space.memory_growing(&room, 0, 64 << 20, Some(32 << 20)));
        assert_eq!((space.memory(), space.refused()), (0, None));
        assert_eq!(commons.taken(Good::Memory), 0);
    }

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
