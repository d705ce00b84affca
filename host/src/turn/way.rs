//! Giving way to whatever else is ready on a thread.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Ready when the thread has looked at its sockets and run whatever else was.
///
/// Tokio's own yield says so when it is merely polled again, which hyper does up
/// to sixteen times before it gives up the thread. This one asks for the wake-up
/// itself.
///
/// Whoever polls last is woken: a guest whose response begins goes on in a task of its own,
/// in the middle of this perhaps.
pub async fn give_way() {
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
}
