//! The threads on which files are read, written and looked for on a guest's behalf: such a
//! call may wait for a disk, or for ever, which no thread that serves may do.
//!
//! There are few, and they are shared fairly. What a job uses of a processor competes with
//! the threads that serve, so only so many jobs at a time may do that: half of the
//! processors' worth for one tenant. A job that has taken longer than `BRIEF` is taken to
//! wait for its disk, and others begin beside it: up to half of the threads for one tenant,
//! and the last quarter of them only for a tenant that has none. Where these are taken too, a
//! tenant that has none is given one more, which ends when there is nothing to do. So a disk
//! that hangs takes its own tenants' threads and nobody else's, however many tenants it has.
//!
//! Whoever waits for a job may leave: if it has not begun, it never does.

use rustix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A job that has taken so long waits for a disk rather than uses a processor.
const BRIEF: Duration = Duration::from_millis(2);
/// How long a thread that has nothing to do waits for something.
const LINGER: Duration = Duration::from_secs(5);
/// With so many that wait, those whose waiters have left are looked for.
const MANY: usize = 64;

/// The threads of one host.
pub struct FileThreads {
    sizes: Sizes,
    state: Mutex<State>,
    /// Told when there may be something to do for a thread that has nothing.
    more: Condvar,
}

/// One tenant's part in them.
pub struct FileShare {
    threads: Arc<FileThreads>,
    debt: Arc<AtomicU64>,
}

/// Counts the time on a processor that the jobs of one sandbox took.
#[derive(Default)]
pub struct Bill {
    nanoseconds: AtomicU64,
    /// What its tenant owes, to which it comes if nobody takes it: a job may be done when there
    /// is no sandbox any more.
    debt: Arc<AtomicU64>,
}

/// How many there may be.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Jobs at a time, but for those of tenants that have no other.
    most: usize,
    /// Those that may have begun just now, as they may use a processor.
    brief: usize,
    /// Of one tenant.
    own: usize,
    own_brief: usize,
}

#[derive(Default)]
struct State {
    /// Those that have something to do, the one that has waited longest first.
    parties: Vec<Party>,
    running: Vec<Running>,
    /// Threads there are, and of them those that have nothing to do, and of these those
    /// that look every now and then whether something may begin.
    threads: usize,
    idle: usize,
    watching: usize,
    /// How many jobs there have been.
    jobs: u64,
}

/// The jobs of one tenant that wait. There is at least one.
struct Party {
    share: Weak<FileShare>,
    waiting: VecDeque<Box<dyn Job>>,
    /// With so many, those that nobody waits for are looked for.
    many: usize,
}

struct Running {
    job: u64,
    share: Weak<FileShare>,
    since: Instant,
}

trait Job: Send {
    fn is_wanted(&self) -> bool;
    fn run(self: Box<Self>);
}

struct Work<F, R> {
    work: F,
    reply: oneshot::Sender<R>,
    bill: Arc<Bill>,
    /// Whether it is done even if nobody waits for it any more.
    anyway: bool,
}

impl<F: FnOnce() -> R + Send, R: Send> Job for Work<F, R> {
    fn is_wanted(&self) -> bool {
        self.anyway || !self.reply.is_closed()
    }

    fn run(self: Box<Self>) {
        let begun = processor_time();
        let result = (self.work)();
        let took = processor_time().saturating_sub(begun);
        self.bill.add(took);
        // Whoever waited may have left.
        let _ = self.reply.send(result);
    }
}

/// Nanoseconds that this thread was on a processor.
fn processor_time() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

impl Bill {
    fn add(&self, nanoseconds: u64) {
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// What it has come to since it was last taken.
    pub fn take(&self) -> Duration {
        taken(&self.nanoseconds)
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        self.debt.fetch_add(*self.nanoseconds.get_mut(), Relaxed);
    }
}

/// What is counted there, of which nothing is left.
fn taken(nanoseconds: &AtomicU64) -> Duration {
    match nanoseconds.load(Relaxed) {
        0 => Duration::ZERO,
        _ => Duration::from_nanos(nanoseconds.swap(0, Relaxed)),
    }
}

impl FileThreads {
    /// As many as suit so many processors. None is there before there is a job.
    pub fn new(processors: usize) -> Arc<Self> {
        let brief = processors.max(1);
        let most = 8.max(2 * brief);
        Arc::new(FileThreads {
            sizes: Sizes {
                most,
                brief,
                own: most / 2,
                own_brief: brief.div_ceil(2),
            },
            state: Mutex::default(),
            more: Condvar::new(),
        })
    }

    /// One more who shares them.
    pub fn share(self: &Arc<Self>) -> Arc<FileShare> {
        Arc::new(FileShare {
            threads: self.clone(),
            debt: Arc::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that what was just pushed is done as soon as it may.
    fn wake(self: &Arc<Self>, state: &mut State) {
        let may_begin = state.next(&self.sizes, Instant::now()).is_some();
        if !may_begin && state.watching > 0 {
            return;
        }
        if state.idle > 0 {
            self.more.notify_one();
        } else if state.threads <= self.sizes.most.max(state.running.len()) {
            state.threads += 1;
            let threads = self.clone();
            let begun = std::thread::Builder::new()
                .name("rhost-files".into())
                .spawn(move || threads.serve());
            if begun.is_err() {
                state.threads -= 1;
            }
        }
    }

    /// What one of the threads does.
    fn serve(self: Arc<Self>) {
        let mut state = self.state();
        loop {
            if let Some((job, work)) = state.begin(&self.sizes) {
                if !state.parties.is_empty() {
                    self.wake(&mut state);
                }
                drop(state);
                // A job that panics has no result, which says so.
                let _ = catch_unwind(AssertUnwindSafe(|| work.run()));
                state = self.state();
                state.running.retain(|running| running.job != job);
                continue;
            }
            // One that looks now and then is enough.
            let watches = !state.parties.is_empty() && state.watching == 0;
            let patience = if watches { BRIEF } else { LINGER };
            state.idle += 1;
            state.watching += usize::from(watches);
            let (woken, waited) = self
                .more
                .wait_timeout(state, patience)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            state.watching -= usize::from(watches);
            if waited.timed_out() && !watches {
                state.threads -= 1;
                return;
            }
        }
    }
}

impl State {
    fn push(&mut self, share: &Arc<FileShare>, job: Box<dyn Job>) {
        let share = Arc::downgrade(share);
        let own = self.parties.iter().position(|it| it.share.ptr_eq(&share));
        let own = own.unwrap_or_else(|| {
            self.parties.push(Party {
                share,
                waiting: VecDeque::new(),
                many: MANY,
            });
            self.parties.len() - 1
        });
        let party = &mut self.parties[own];
        if party.waiting.len() >= party.many {
            party.waiting.retain(|job| job.is_wanted());
            party.many = MANY.max(2 * party.waiting.len());
        }
        party.waiting.push_back(job);
    }

    /// Whose job may begin now: of those that may, the one that has the fewest running.
    fn next(&self, sizes: &Sizes, now: Instant) -> Option<usize> {
        let is_brief = |it: &&Running| now.saturating_duration_since(it.since) < BRIEF;
        let spare = sizes.most.saturating_sub(self.running.len());
        if self.running.iter().filter(is_brief).count() >= sizes.brief {
            return None;
        }
        let of = |party: &Party| {
            let own = self.running.iter();
            let own = own.filter(|running| running.share.ptr_eq(&party.share));
            (own.clone().count(), own.filter(is_brief).count())
        };
        let parties = self.parties.iter().map(of).enumerate();
        let may = |(_, (all, brief)): &(usize, (usize, usize))| {
            let is_within = *all < sizes.own && spare > sizes.most / 4;
            *brief < sizes.own_brief && (*all == 0 || is_within)
        };
        let next = parties.filter(may).min_by_key(|(_, (all, _))| *all);
        next.map(|(place, _)| place)
    }

    /// Begins the next job, if one may: its number, and what there is to do.
    fn begin(&mut self, sizes: &Sizes) -> Option<(u64, Box<dyn Job>)> {
        let since = Instant::now();
        loop {
            let place = self.next(sizes, since)?;
            let mut party = self.parties.remove(place);
            let share = party.share.clone();
            let job = loop {
                match party.waiting.pop_front() {
                    Some(job) if !job.is_wanted() => {}
                    other => break other,
                }
            };
            if !party.waiting.is_empty() {
                self.parties.push(party);
            }
            if let Some(work) = job {
                self.jobs += 1;
                let job = self.jobs;
                self.running.push(Running { job, share, since });
                return Some((job, work));
            }
        }
    }
}

impl FileShare {
    /// A bill for one sandbox.
    pub fn bill(&self) -> Arc<Bill> {
        Arc::new(Bill {
            nanoseconds: AtomicU64::default(),
            debt: self.debt.clone(),
        })
    }

    /// What jobs took of which no sandbox was charged, since this was last taken.
    pub fn take_debt(&self) -> Duration {
        taken(&self.debt)
    }

    /// Has `work` done, and what it takes of a processor put on `bill`. It is not done if
    /// nobody waits for it any more before it begins.
    pub fn run<R: Send + 'static>(
        self: &Arc<Self>,
        bill: &Arc<Bill>,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        self.push(bill, work, false)
    }

    /// The same, and it is done even if nobody waits for it.
    pub fn run_anyway<R: Send + 'static>(
        self: &Arc<Self>,
        bill: &Arc<Bill>,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        self.push(bill, work, true)
    }

    fn push<R: Send + 'static>(
        self: &Arc<Self>,
        bill: &Arc<Bill>,
        work: impl FnOnce() -> R + Send + 'static,
        anyway: bool,
    ) -> oneshot::Receiver<R> {
        let (reply, result) = oneshot::channel();
        let mut state = self.threads.state();
        state.push(
            self,
            Box::new(Work {
                work,
                reply,
                bill: bill.clone(),
                anyway,
            }),
        );
        self.threads.wake(&mut state);
        result
    }
}

#[cfg(test)]
mod tests;
