//! What a sandbox uses, and where that ends: time on a CPU, time on the clock,
//! memory.

use crate::failure::Limit;
use crate::settings::Limits;
use crate::turn::Turn;
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::ResourceLimiter;

/// Counts the time that a guest spends on a CPU.
///
/// Shared between whoever polls the guest, which brackets each poll, and the
/// guest's epoch callback, which looks at every tick. Both run in the request's
/// own task, so the lock is never waited for.
#[derive(Clone)]
pub struct CpuMeter(Arc<Mutex<CpuState>>);

struct CpuState {
    spent: Duration,
    budget: Duration,
    /// Where the stretch that is being measured began; none between polls.
    since: Option<Mark>,
    /// Whether to ask the kernel for this thread's CPU time, which costs a
    /// system call, instead of the clock, which does not. A guest that answers
    /// within a tick is never worth the call. One that runs on is: from its
    /// first tick, time in which the kernel ran something else is not charged.
    precise: bool,
    /// Held while a guest runs on past a tick.
    turn: Option<Turn>,
}

#[derive(Clone, Copy)]
enum Mark {
    Clock(Instant),
    ThreadCpu(Duration),
}

impl Mark {
    fn now(precise: bool) -> Self {
        if precise {
            let now = clock_gettime(ClockId::ThreadCPUTime);
            Mark::ThreadCpu(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32))
        } else {
            Mark::Clock(Instant::now())
        }
    }

    /// The time since then, by the same clock. Asked on the thread that made it.
    fn elapsed(self) -> Duration {
        match self {
            Mark::Clock(then) => then.elapsed(),
            Mark::ThreadCpu(then) => match Mark::now(true) {
                Mark::ThreadCpu(now) => now.saturating_sub(then),
                Mark::Clock(_) => unreachable!("asked for the thread's time"),
            },
        }
    }
}

impl CpuMeter {
    /// A meter that runs out after `budget`.
    pub fn new(budget: Duration) -> Self {
        CpuMeter(Arc::new(Mutex::new(CpuState {
            spent: Duration::ZERO,
            budget,
            since: None,
            precise: false,
            turn: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, CpuState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guest is about to run. Fails when its budget is already gone, as that
    /// of a guest can be which only ever runs in stretches shorter than a tick.
    pub fn enter(&self) -> Result<(), Limit> {
        let mut state = self.lock();
        state.since = Some(Mark::now(state.precise));
        state.check()
    }

    /// The guest gave up the thread, and its turn if it had one.
    pub fn leave(&self) {
        let mut state = self.lock();
        state.charge();
        let turn = state.turn.take();
        // The next guest is woken outside the lock.
        drop(state);
        drop(turn);
    }

    /// The guest runs on: its `turn` lasts until it leaves the thread.
    pub fn hold(&self, turn: Turn) {
        self.lock().turn = Some(turn);
    }

    /// A tick came while the guest was running.
    pub fn tick(&self) -> Result<(), Limit> {
        let mut state = self.lock();
        state.charge();
        state.precise = true;
        state.since = Some(Mark::now(true));
        state.check()
    }

    /// The time spent so far.
    pub fn spent(&self) -> Duration {
        self.lock().spent
    }
}

impl CpuState {
    fn charge(&mut self) {
        if let Some(since) = self.since.take() {
            self.spent += since.elapsed();
        }
    }

    fn check(&self) -> Result<(), Limit> {
        if self.spent < self.budget {
            Ok(())
        } else {
            Err(Limit::Cpu(self.budget))
        }
    }
}

/// Grants a sandbox memory and tables up to its limits, and remembers a refusal:
/// a guest that is refused mostly traps soon after, and the log is to name the
/// reason rather than the trap.
pub struct SpaceMeter {
    memory: u64,
    memory_limit: u64,
    table_limit: usize,
    refused: Option<Limit>,
}

impl SpaceMeter {
    /// Nothing used yet.
    pub fn new(limits: &Limits) -> Self {
        SpaceMeter {
            memory: 0,
            memory_limit: limits.memory,
            table_limit: limits.table_elements,
            refused: None,
        }
    }

    /// The limit that was met, if one was.
    pub fn refused(&self) -> Option<Limit> {
        self.refused
    }
}

impl ResourceLimiter for SpaceMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // One limit for the sandbox, over however many memories it has.
        let after = self.memory + (desired as u64).saturating_sub(current as u64);
        if after > self.memory_limit {
            self.refused = Some(Limit::Memory(self.memory_limit));
            return Ok(false);
        }
        self.memory = after;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_limit {
            self.refused = Some(Limit::Table(self.table_limit));
            return Ok(false);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut space = SpaceMeter::new(&Limits {
            memory: 100,
            ..Limits::default()
        });
        assert!(space.memory_growing(0, 60, None).unwrap());
        assert!(space.memory_growing(0, 30, None).unwrap());
        assert!(!space.memory_growing(30, 50, None).unwrap());
        assert_eq!(space.refused(), Some(Limit::Memory(100)));
        assert!(space.memory_growing(60, 70, None).unwrap());
    }

    #[test]
    fn a_spent_budget_stops_the_next_stretch() {
        let cpu = CpuMeter::new(Duration::from_micros(1));
        cpu.enter().unwrap();
        // Something that takes longer than a microsecond, however fast.
        std::hint::black_box((0..100_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        cpu.leave();
        assert_eq!(cpu.enter(), Err(Limit::Cpu(Duration::from_micros(1))));
    }

    #[test]
    fn waiting_between_polls_is_free() {
        let cpu = CpuMeter::new(Duration::from_secs(1));
        cpu.enter().unwrap();
        cpu.leave();
        let spent = cpu.spent();
        std::hint::black_box((0..1_000_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        assert_eq!(cpu.spent(), spent);
    }
}
