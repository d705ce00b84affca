//! A row: the victim and the operator before, beside and after one adversary.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::adversaries::Adversary;
use super::operator::{self, Operations, operate};
use super::scene::{Scene, Stage, VICTIM};
use super::victim::{self, Waits};
use crate::artefacts::Artefacts;
use crate::load::Until;
use crate::process;
use crate::report::mib;

/// Time in which memory has to come back.
pub const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Time in which threads have to end: tokio keeps one that is idle for 10 s.
const THREADS_END_WITHIN: Duration = Duration::from_secs(12);

/// Resident memory beyond which a server is ended: what is left is for others.
const RESIDENT: u64 = 8 << 30;

/// How often it is looked at the server.
const LOOK: Duration = Duration::from_millis(20);

/// What the victim waits for before anything is measured.
const WARM: Duration = Duration::from_millis(300);

/// How long a row takes.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The victim alone.
    pub before: Duration,
    /// The victim beside the adversary.
    pub meanwhile: Duration,
    /// Part by which memory may be more afterwards, and how much more beside it.
    pub memory_slack: (f64, u64),
    /// Threads that there may be more afterwards.
    pub thread_slack: u64,
}

/// What was measured of one adversary.
#[derive(Serialize)]
pub struct Figures {
    /// The victim alone.
    pub before: Side,
    /// The victim beside the adversary.
    pub meanwhile: Side,
    /// The host afterwards.
    pub after: Host,
    /// Whether its memory came back.
    pub memory_is_back: bool,
    /// Whether its threads ended.
    pub threads_are_back: bool,
    /// The operator's calls.
    pub operator: Operations,
    /// What the adversary found out.
    pub note: Option<String>,
    /// What should have come of it and did not.
    pub fault: Option<String>,
}

/// The victim and the host, at one time.
#[derive(Serialize)]
pub struct Side {
    /// In milliseconds, as what follows.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest wait of all.
    pub longest_ms: f64,
    /// Answers in a second, good ones.
    pub per_second: f64,
    /// Answers that failed.
    pub failed: u64,
    /// What the first of them was.
    pub failure: Option<String>,
    /// The host.
    pub host: Host,
}

/// What the host holds; the most, where it is over a time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Host {
    /// Resident memory in bytes.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
}

impl Host {
    fn now(pid: u32) -> Result<Self> {
        Ok(Host {
            resident: process::memory(pid)?.resident,
            threads: process::threads(pid)?,
        })
    }
}

fn side(waits: Waits, host: Host) -> Side {
    Side {
        p50_ms: waits.at(0.5),
        p99_ms: waits.at(0.99),
        longest_ms: waits.longest(),
        per_second: waits.per_second(),
        failed: waits.failed,
        failure: waits.failure,
        host,
    }
}

/// Measures one.
pub fn measure(
    artefacts: &Artefacts,
    stage: &Stage,
    adversary: &Adversary,
    times: &Times,
) -> Result<Figures> {
    let scene = Scene::set(artefacts, stage, adversary)?;
    beside(&scene, adversary, times).with_context(|| format!("the server{}", scene.server.said()))
}

fn beside(scene: &Scene, adversary: &Adversary, times: &Times) -> Result<Figures> {
    let (addr, pid) = (scene.server.addr, scene.server.pid());
    victim::ask(addr, VICTIM, Until::Elapsed(WARM))?;
    operator::warm(scene)?;
    let before = victim::ask(addr, VICTIM, Until::Elapsed(times.before))?;
    let at_first = Host::now(pid)?;
    process::forget_peak(pid)?;
    let [victim_ends, attack_ends, operator_ends] = [const { AtomicBool::new(false) }; 3];
    let (waits, operator, attacked, most) = thread::scope(|scope| {
        let victim = scope.spawn(|| victim::ask(addr, VICTIM, Until::Told(&victim_ends)));
        let attack = scope.spawn(|| adversary.run(scene, &attack_ends));
        let operator = scope.spawn(|| operate(scene, &operator_ends));
        let begun = Instant::now();
        let (mut threads, mut resident) = (at_first.threads, at_first.resident);
        while begun.elapsed() < times.meanwhile
            || adversary.ends_by_itself() && !attack.is_finished()
        {
            threads = threads.max(process::threads(pid).unwrap_or(0));
            resident = process::memory(pid).map_or(resident, |memory| memory.peak);
            if resident > RESIDENT {
                // Before the kernel ends it, or something else.
                process::kill(pid);
                break;
            }
            thread::sleep(LOOK);
        }
        // The operator stops the app while its requests go on.
        operator_ends.store(true, Ordering::Relaxed);
        let operator = operator.join().expect("the operator does not panic");
        threads = threads.max(process::threads(pid).unwrap_or(0));
        let resident = process::memory(pid).map_or(resident, |memory| memory.peak);
        attack_ends.store(true, Ordering::Relaxed);
        let attacked = attack.join().expect("the adversary does not panic");
        victim_ends.store(true, Ordering::Relaxed);
        let waits = victim.join().expect("the victim does not panic");
        (waits, operator, attacked, Host { resident, threads })
    });
    let (note, fault) = match attacked {
        Ok(note) => (note, None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let after = until_back(pid, at_first, times)
        .with_context(|| format!("it is gone; it had {}", mib(most.resident)))?;
    Ok(Figures {
        before: side(before, at_first),
        meanwhile: side(waits?, most),
        memory_is_back: after.resident <= memory_mark(at_first, times),
        threads_are_back: after.threads <= at_first.threads + times.thread_slack,
        after,
        operator,
        note,
        fault,
    })
}

/// The memory that the host may have afterwards.
fn memory_mark(at_first: Host, times: &Times) -> u64 {
    let (part, slack) = times.memory_slack;
    (at_first.resident as f64 * (1.0 + part)) as u64 + slack
}

/// Waits until memory and threads are back, or should be.
fn until_back(pid: u32, at_first: Host, times: &Times) -> Result<Host> {
    let (memory, threads) = (
        memory_mark(at_first, times),
        at_first.threads + times.thread_slack,
    );
    let begun = Instant::now();
    let mut resident = None;
    loop {
        let now = Host::now(pid)?;
        if now.resident <= memory || begun.elapsed() >= BACK_WITHIN {
            resident.get_or_insert(now.resident);
        }
        if let Some(resident) = resident
            && (now.threads <= threads || begun.elapsed() >= THREADS_END_WITHIN)
        {
            return Ok(Host { resident, ..now });
        }
        thread::sleep(LOOK);
    }
}
