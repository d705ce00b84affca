//! A guest that is running, polled within its limits: in its request's own task, once its
//! response has begun in a task of its own, or, while it has its turns on another thread,
//! there.

use crate::backtrace::Backtrace;
use crate::failure::{Cause, Limit};
use crate::meter::CpuMeter;
use crate::metrics::{self, Event};
use crate::output::{Outlet, Standing};
use crate::turn::Thread;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// What a guest is to whoever drives it: a future that ends when `handle` does.
/// Dropping it stops the guest and gives its slot back.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>>;

/// A running guest with its clocks.
pub struct Guest {
    at: At,
    outlet: Outlet,
    cpu: CpuMeter,
    wall: Duration,
    deadline: Instant,
    /// Wakes the request at its deadline. Made when the guest first waits for
    /// something, which most guests never do.
    alarm: Option<Pin<Box<Sleep>>>,
}

enum At {
    Home(Running),
    /// On another thread, from where it comes back when it waits for something.
    Away(oneshot::Receiver<Back>, Bell),
}

/// Wakes the request of a guest that is on another thread, and has written something there.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<Option<Waker>>>);

/// What comes back from another thread.
enum Back {
    Ended(Result<(), Cause>),
    Waits(Running),
}

impl Guest {
    /// A guest that began at `start` and may take `wall` from there. Its time on
    /// a CPU is counted by `cpu`, its response gathers in `outlet`.
    pub fn new(
        running: Running,
        outlet: Outlet,
        cpu: CpuMeter,
        start: Instant,
        wall: Duration,
    ) -> Self {
        Guest {
            at: At::Home(running),
            outlet,
            cpu,
            wall,
            deadline: start + wall,
            alarm: None,
        }
    }

    /// Its response in the making.
    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// When its answer has to be finished.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is said of one whose deadline has passed.
    pub fn late(&self) -> Cause {
        Cause::Limit(Limit::Wall(self.wall), Backtrace::default())
    }

    /// Lets the guest run until it gives up the thread. Not to be polled again
    /// once it is ready.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        loop {
            match &mut self.at {
                At::Home(running) => {
                    if let Poll::Ready(result) = stretch(running, &self.cpu, cx) {
                        return Poll::Ready(result);
                    }
                    match self.cpu.called_to() {
                        Some(thread) => self.go_to(&thread),
                        None => return self.wait(cx),
                    }
                }
                At::Away(back, bell) => match Pin::new(back).poll(cx) {
                    Poll::Ready(Ok(Back::Ended(result))) => return Poll::Ready(result),
                    Poll::Ready(Ok(Back::Waits(running))) => {
                        self.at = At::Home(running);
                        // What it wrote before it waited leaves, even if it waits no more.
                        if self.outlet.has_blocks() {
                            cx.waker().wake_by_ref();
                            return self.wait(cx);
                        }
                    }
                    Poll::Ready(Err(_)) => {
                        let why = "the thread that ran it has ended";
                        return Poll::Ready(Err(Cause::NotStarted(why.into())));
                    }
                    Poll::Pending => {
                        bell.answer(cx);
                        return self.wait(cx);
                    }
                },
            }
        }
    }

    /// Goes on in `thread`.
    fn go_to(&mut self, thread: &Thread) {
        metrics::count(Event::GuestMoved);
        let (home, back) = oneshot::channel();
        let bell = Bell::default();
        let away = At::Away(back, bell.clone());
        if let At::Home(running) = std::mem::replace(&mut self.at, away) {
            // If it is not taken, it is dropped, which says so.
            thread.visit(Box::pin(Visit {
                running: Some(running),
                outlet: self.outlet.clone(),
                cpu: self.cpu.clone(),
                home: Some(home),
                bell,
            }));
        }
    }

    /// It gave up the thread, and may not do so for ever.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        // Whatever it waits for, its client taking a block included.
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline.into())));
        let late = alarm.as_mut().poll(cx).is_ready();
        match late {
            true => Poll::Ready(Err(self.late())),
            false => Poll::Pending,
        }
    }
}

/// Lets `running` run on this thread until it gives it up.
fn stretch(running: &mut Running, cpu: &CpuMeter, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
    if let Err(limit) = cpu.enter() {
        return Poll::Ready(Err(Cause::Limit(limit, Backtrace::default())));
    }
    let polled = running.as_mut().poll(cx);
    cpu.leave();
    polled
}

impl Bell {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is polled with `cx` comes when it rings.
    fn answer(&self, cx: &Context<'_>) {
        *self.waker() = Some(cx.waker().clone());
    }

    fn ring(&self) {
        let waker = self.waker().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A guest of another thread, as long as it waits for nothing but its turn.
struct Visit {
    running: Option<Running>,
    outlet: Outlet,
    cpu: CpuMeter,
    home: Option<oneshot::Sender<Back>>,
    bell: Bell,
}

impl Future for Visit {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Visit {
            running,
            outlet,
            cpu,
            home,
            bell,
        } = &mut *self;
        // Whoever waited for it may have left.
        if home
            .as_mut()
            .is_none_or(|home| home.poll_closed(cx).is_ready())
        {
            return Poll::Ready(());
        }
        let back = match running.as_mut().map(|running| stretch(running, cpu, cx)) {
            Some(Poll::Pending) if cpu.awaits_turn() => {
                // A block is not held for as long as a guest keeps a processor.
                if outlet.has_blocks() {
                    bell.ring();
                }
                return Poll::Pending;
            }
            Some(Poll::Pending) => running.take().map(Back::Waits),
            Some(Poll::Ready(result)) => {
                // It is over before that is said: its places are free again by then.
                *running = None;
                Some(Back::Ended(result))
            }
            None => None,
        };
        if let (Some(home), Some(back)) = (home.take(), back) {
            // With nobody there any more it ends.
            drop(home.send(back));
        }
        Poll::Ready(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.running.take().is_some() {
            self.cpu.end();
        }
    }
}

/// What comes of a guest whose `handle` gave `result`: is what it wrote a
/// response? Of one that still runs (`has_ended` is false) only what it did so far
/// can be judged.
pub fn verdict(
    result: Result<(), Cause>,
    standing: Standing,
    has_ended: bool,
) -> Result<(), Cause> {
    // A broken rule comes first: the error that the guest returns is mostly what
    // it was told about it.
    if let Some(fault) = standing.fault {
        return Err(Cause::Fault(fault));
    }
    result?;
    if has_ended && standing.missing > 0 {
        return Err(Cause::Missing(standing.missing));
    }
    Ok(())
}
