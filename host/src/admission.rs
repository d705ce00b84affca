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
    /// How many places are taken on each lane.
    taken: Vec<AtomicUsize>,
    /// How many there are on each.
    capacity: usize,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
}

/// A place on a lane, given back when dropped.
pub struct Place {
    turnstile: Arc<Turnstile>,
    lane: usize,
}

impl Turnstile {
    /// As many places as `limits` ask for, as far as there are: `capacity` on each
    /// of `lanes`.
    pub fn new(limits: &Limits, lanes: usize, capacity: usize) -> Self {
        let most = lanes * capacity;
        Turnstile {
            places: Semaphore::new(limits.concurrency.unwrap_or(most).min(most)),
            taken: (0..lanes).map(|_| AtomicUsize::new(0)).collect(),
            capacity,
            waiting: AtomicUsize::new(0),
            queue: limits.queue,
            patience: limits.queue_timeout,
        }
    }

    /// Takes a place, on the `preferred` lane if it has one, after waiting if all
    /// are taken and the queue has room.
    pub async fn enter(self: &Arc<Self>, preferred: usize) -> Result<Place, Cause> {
        match self.places.try_acquire() {
            Ok(place) => place.forget(),
            Err(_) => self.wait().await?,
        }
        Ok(Place {
            turnstile: self.clone(),
            lane: self.take_on(preferred),
        })
    }

    async fn wait(&self) -> Result<(), Cause> {
        let _waiting = Waiting::join(self)?;
        match tokio::time::timeout(self.patience, self.places.acquire()).await {
            Ok(place) => {
                place.expect("a turnstile is never closed").forget();
                Ok(())
            }
            Err(_) => Err(Cause::QueueTimeout(self.patience)),
        }
    }

    /// Takes a place on a lane. Whoever asks has been let in, so there is one: no
    /// more are let in than all lanes have together.
    fn take_on(&self, preferred: usize) -> usize {
        let lanes = self.taken.len();
        let mut lane = preferred % lanes;
        loop {
            let free = |taken: usize| (taken < self.capacity).then_some(taken + 1);
            if self.taken[lane]
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, free)
                .is_ok()
            {
                return lane;
            }
            lane = (lane + 1) % lanes;
        }
    }
}

impl Place {
    /// The lane that it is on.
    pub fn lane(&self) -> usize {
        self.lane
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // First the lane's, so that who is let in finds it.
        self.turnstile.taken[self.lane].fetch_sub(1, Ordering::Release);
        self.turnstile.places.add_permits(1);
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
        let limits = Limits {
            concurrency: Some(places),
            queue,
            ..Limits::default()
        };
        Arc::new(Turnstile::new(&limits, 2, 5))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn queues_then_sheds() {
        let turnstile = turnstile(1, 1);
        let place = turnstile.enter(0).await.unwrap();
        let mut second = pin!(turnstile.enter(0));
        assert!(poll(second.as_mut()).is_pending());
        assert!(matches!(turnstile.enter(0).await, Err(Cause::Overloaded)));
        drop(place);
        assert!(second.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_bounded_in_time_and_leaves_the_queue() {
        let turnstile = turnstile(1, 1);
        let _place = turnstile.enter(0).await.unwrap();
        for _ in 0..3 {
            assert!(matches!(
                turnstile.enter(0).await,
                Err(Cause::QueueTimeout(_))
            ));
        }
    }

    #[test]
    fn there_are_no_more_places_than_slots() {
        assert_eq!(turnstile(1000, 1).places.available_permits(), 10);
    }

    #[tokio::test]
    async fn a_full_lane_gives_way_to_another() {
        let limits = Limits::default();
        let turnstile = Arc::new(Turnstile::new(&limits, 2, 1));
        let first = turnstile.enter(1).await.unwrap();
        let second = turnstile.enter(1).await.unwrap();
        assert_eq!((first.lane(), second.lane()), (1, 0));
        drop(first);
        assert_eq!(turnstile.enter(0).await.unwrap().lane(), 1);
    }
}
