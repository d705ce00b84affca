//! Guests that keep a thread busy take turns.
//!
//! A guest that runs on past a tick gives way. If it merely queued up again, a
//! newcomer would wait for a tick of every such guest there is. So of those on a
//! thread only one at a time is let run on, and before it does, the thread looks
//! at its sockets and serves what has come: a newcomer waits for one tick at the
//! most.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to run on until the next tick; the next guest's when dropped.
pub struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

thread_local! {
    static TURNS: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

impl Turn {
    /// Gives way, and waits for this guest's turn on the thread that asks.
    pub async fn next() -> Self {
        let turns = TURNS.with(Arc::clone);
        let turn = turns.acquire_owned().await.expect("turns never end");
        give_way().await;
        Turn(turn)
    }
}

/// Lets whatever else is ready on this thread go first, unless one of it is a
/// guest that runs on, which would take a whole tick.
pub async fn let_others_pass() {
    if TURNS.with(|turns| turns.available_permits() > 0) {
        tokio::task::yield_now().await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn being_polled_again_is_not_having_given_way() {
        let mut way = pin!(give_way());
        let polls =
            poll_fn(|cx| Poll::Ready([(); 16].map(|()| way.as_mut().poll(cx).is_ready()))).await;
        assert_eq!(polls, [false; 16]);
        way.await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_moves_to_another_task_is_woken_there() {
        let mut way = Box::pin(give_way());
        let polled = poll_fn(|cx| Poll::Ready(way.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        let moved = tokio::spawn(way);
        // Time passes only when nothing else can.
        let woken = tokio::time::timeout(std::time::Duration::from_secs(1), moved).await;
        woken.expect("it is woken").unwrap();
    }

    #[tokio::test]
    async fn one_at_a_time_and_each_in_its_turn() {
        let ran = Arc::new(Mutex::new(Vec::new()));
        let guests = ["a", "b", "c"].map(|name| {
            let ran = ran.clone();
            tokio::spawn(async move {
                for _ in 0..2 {
                    let turn = Turn::next().await;
                    ran.lock().unwrap().push(name);
                    drop(turn);
                }
            })
        });
        for guest in guests {
            guest.await.unwrap();
        }
        assert_eq!(*ran.lock().unwrap(), ["a", "b", "c", "a", "b", "c"]);
    }
}
