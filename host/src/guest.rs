//! A guest that is running, polled within its limits.

use crate::backtrace::Backtrace;
use crate::failure::{Cause, Limit};
use crate::meter::CpuMeter;
use crate::output::{Outlet, Standing};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// What a guest is to whoever drives it: a future that ends when `handle` does.
/// Dropping it stops the guest and gives its slot back.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>>;

/// A running guest with its clocks.
pub struct Guest {
    running: Running,
    outlet: Outlet,
    cpu: CpuMeter,
    wall: Duration,
    deadline: Instant,
    /// Wakes the request at its deadline. Made when the guest first waits for
    /// something, which most guests never do.
    alarm: Option<Pin<Box<Sleep>>>,
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
            running,
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
        if let Err(limit) = self.cpu.enter() {
            return Poll::Ready(Err(Cause::Limit(limit, Backtrace::default())));
        }
        let polled = self.running.as_mut().poll(cx);
        self.cpu.leave();
        if polled.is_ready() {
            return polled;
        }
        // With blocks to be taken it is the client that is waited for, and the
        // body that is polled when it has taken them.
        let late = if self.outlet.has_blocks() {
            Instant::now() >= self.deadline
        } else {
            let alarm = self
                .alarm
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline.into())));
            alarm.as_mut().poll(cx).is_ready()
        };
        match late {
            true => Poll::Ready(Err(self.late())),
            false => Poll::Pending,
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
