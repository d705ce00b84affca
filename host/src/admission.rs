//! A place before a sandbox: overload queues, then sheds.

use crate::failure::Cause;
use crate::settings::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The places of one app, and the queue before them.
pub struct Turnstile {
    places: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
}

/// A place, given back when dropped.
pub struct Place(Arc<Turnstile>);

impl Turnstile {
    /// As many places as `limits` ask for, within the `capacity` that there is.
    pub fn new(limits: &Limits, capacity: usize) -> Self {
        Turnstile {
            places: Semaphore::new(limits.concurrency.unwrap_or(capacity).min(capacity)),
            waiting: AtomicUsize::new(0),
            queue: limits.queue,
            patience: limits.queue_timeout,
        }
    }

    /// Takes a place, after waiting for one if all are taken and the queue has
    /// room.
    pub async fn enter(self: &Arc<Self>) -> Result<Place, Cause> {
        if let Ok(place) = self.places.try_acquire() {
            place.forget();
            return Ok(Place(self.clone()));
        }
        let _waiting = Waiting::join(self)?;
        match tokio::time::timeout(self.patience, self.places.acquire()).await {
            Ok(place) => {
                place.expect("a turnstile is never closed").forget();
                Ok(Place(self.clone()))
            }
            Err(_) => Err(Cause::QueueTimeout(self.patience)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.add_permits(1);
    }
}

/// One that waits in the queue, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(turnstile: &'a Turnstile) -> Result<Self, Cause> {
        let waiting = Waiting(&turnstile.waiting);
        if turnstile.waiting.fetch_add(1, Ordering::Relaxed) >= turnstile.queue {
            return Err(Cause::Overloaded);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn turnstile(places: usize, queue: usize) -> Arc<Turnstile> {
        let limits = Limits { concurrency: Some(places), queue, ..Limits::default() };
        Arc::new(Turnstile::new(&limits, 10))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn queues_then_sheds() {
        let turnstile = turnstile(1, 1);
        let place = turnstile.enter().await.unwrap();
        let mut second = pin!(turnstile.enter());
        assert!(poll(second.as_mut()).is_pending());
        assert!(matches!(turnstile.enter().await, Err(Cause::Overloaded)));
        drop(place);
        assert!(second.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_bounded_in_time_and_leaves_the_queue() {
        let turnstile = turnstile(1, 1);
        let _place = turnstile.enter().await.unwrap();
        for _ in 0..3 {
            assert!(matches!(turnstile.enter().await, Err(Cause::QueueTimeout(_))));
        }
    }

    #[test]
    fn there_are_no_more_places_than_slots() {
        assert_eq!(turnstile(1000, 1).places.available_permits(), 10);
    }
}
