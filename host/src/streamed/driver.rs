//! The task that drives a guest whose response has begun.

use super::Records;
use crate::guest::Guest;
use crate::output::Outlet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A guest that a task of its own drives. The body of its response has the other hold on it.
/// Both run on the thread of their connection, so that neither waits for the lock.
pub struct Driven {
    outlet: Outlet,
    records: Records,
    state: Mutex<State>,
}

struct State {
    /// None once it has ended, or was stopped.
    guest: Option<Guest>,
    /// Whether it ended well, once it has.
    ended: Option<bool>,
    /// Wakes the task.
    driver: Option<Waker>,
    /// Wakes whoever waits for a block.
    body: Option<Waker>,
    /// Whether nobody takes what it writes any more.
    is_unread: bool,
}

impl Driven {
    /// Has `guest` driven by a task of its own on this thread.
    pub fn start(guest: Guest, records: Records) -> Arc<Self> {
        let driven = Arc::new(Driven {
            outlet: guest.outlet().clone(),
            records,
            state: Mutex::new(State {
                guest: Some(guest),
                ended: None,
                driver: None,
                body: None,
                is_unread: false,
            }),
        });
        tokio::spawn(Driver {
            driven: driven.clone(),
            has_given_way: false,
        });
        driven
    }

    /// Returns when the guest has to have finished, if it still runs.
    pub fn deadline(&self) -> Option<Instant> {
        self.state().guest.as_ref().map(Guest::deadline)
    }

    /// Ready once the guest has ended, with whether it ended well. Until then whoever polls
    /// is woken when there is a block to take.
    pub fn poll_ended(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut state = self.state();
        if let Some(well) = state.ended {
            return Poll::Ready(well);
        }
        match &mut state.body {
            Some(body) => body.clone_from(cx.waker()),
            body => *body = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Lets a guest go on that waits for its blocks to be taken: they were, and more is asked
    /// for.
    pub fn go_on(&self) {
        if let Some(driver) = &self.state().driver {
            driver.wake_by_ref();
        }
    }

    /// Stops the guest, and gives its sandbox back.
    pub fn stop(&self) {
        let guest = self.state().guest.take();
        drop(guest);
        self.go_on();
    }

    /// Stops the guest, whose deadline has passed, and says so.
    pub fn cut_late(&self) {
        let guest = self.state().guest.take();
        if let Some(guest) = guest {
            let late = guest.late();
            drop(guest);
            let well = self.records.end(Err(late), &self.outlet);
            self.state().ended = Some(well);
        }
        self.go_on();
    }

    /// Lets the guest run to its end; what it still writes goes nowhere.
    pub fn finish(&self) {
        self.state().is_unread = true;
        self.go_on();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task: it ends when the guest has, or was stopped.
struct Driver {
    driven: Arc<Driven>,
    /// The connection sends the first block before the guest is driven on (PEP 3333,
    /// "Buffering and Streaming").
    has_given_way: bool,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.has_given_way, true) {
            self.driven.state().driver = Some(cx.waker().clone());
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let driven = &*self.driven;
        let mut state = driven.state();
        let State {
            guest: slot,
            driver,
            body,
            is_unread,
            ended,
        } = &mut *state;
        let Some(guest) = slot else {
            return Poll::Ready(());
        };
        match driver {
            Some(driver) => driver.clone_from(cx.waker()),
            driver => *driver = Some(cx.waker().clone()),
        }
        loop {
            match guest.poll(cx) {
                Poll::Ready(result) => {
                    *slot = None;
                    *ended = Some(driven.records.end(result, &driven.outlet));
                    if let Some(body) = body.take() {
                        body.wake();
                    }
                    return Poll::Ready(());
                }
                Poll::Pending if !driven.outlet.has_blocks() => return Poll::Pending,
                Poll::Pending if *is_unread => drop(driven.outlet.take()),
                Poll::Pending => {
                    if let Some(body) = body.take() {
                        body.wake();
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}
