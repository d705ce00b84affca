//! A place before a sandbox: overload queues, then sheds.
//!
//! Each lane counts its own places, so that as long as there are enough no core
//! asks for what another one has just written. Only who finds none, on any lane,
//! comes to the queue that all share.

mod queue;
mod shares;

pub use shares::{Party, Seat, Stock};

use crate::failure::Cause;
use crate::settings::Limits;
use queue::Queue;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The places of one app, and the queue before them.
pub struct Turnstile {
    lanes: Vec<Arc<Lane>>,
    queue: Arc<Queue<Place>>,
    patience: Duration,
}

/// The places of one lane. Alone on its cache lines.
#[repr(align(128))]
struct Lane {
    number: usize,
    places: usize,
    taken: AtomicUsize,
    queue: Arc<Queue<Place>>,
}

/// A place on a lane, given up when dropped.
pub struct Place(Arc<Lane>);

impl Turnstile {
    /// As many places as `limits` ask for, as far as there are: `capacity` on each
    /// of `lanes`.
    pub fn new(limits: &Limits, lanes: usize, capacity: usize) -> Self {
        let most = lanes * capacity;
        let places = limits.concurrency.unwrap_or(most).min(most);
        let queue = Arc::new(Queue::new(lanes, limits.queue));
        let lane = |number| Lane {
            number,
            // The first lanes have what cannot be shared out evenly.
            places: places / lanes + usize::from(number < places % lanes),
            taken: AtomicUsize::new(0),
            queue: queue.clone(),
        };
        Turnstile {
            lanes: (0..lanes).map(|number| Arc::new(lane(number))).collect(),
            queue,
            patience: limits.queue_timeout,
        }
    }

    /// How many places there are, on all lanes.
    pub fn places(&self) -> usize {
        self.lanes.iter().map(|lane| lane.places).sum()
    }

    /// How many of them are taken.
    pub fn taken(&self) -> usize {
        let taken = |lane: &Arc<Lane>| lane.taken.load(Ordering::SeqCst);
        self.lanes.iter().map(taken).sum()
    }

    /// How many wait for one.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Takes a place, on the `preferred` lane if it has one, after waiting if all
    /// are taken and the queue has room.
    pub async fn enter(&self, preferred: usize) -> Result<Place, Cause> {
        if let Some(place) = self.try_enter(preferred) {
            return Ok(place);
        }
        let waiting = self.queue.join(preferred).ok_or(Cause::Overloaded)?;
        // One may have been given up before anyone could see who waits here.
        if let Some(place) = self.free(preferred) {
            return Ok(place);
        }
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(place) => Ok(place),
            Err(_) => Err(Cause::QueueTimeout(self.patience)),
        }
    }

    /// The same for who would not wait.
    pub fn try_enter(&self, preferred: usize) -> Option<Place> {
        // Who comes while others wait has to wait as well.
        if self.queue.waiting() > 0 {
            return None;
        }
        self.free(preferred)
    }

    /// A place that nobody has, on the `preferred` lane or on one after it.
    fn free(&self, preferred: usize) -> Option<Place> {
        let lanes = self.lanes.len();
        (0..lanes)
            .map(|next| &self.lanes[(preferred + next) % lanes])
            .find(|lane| lane.take())
            .map(|lane| Place(lane.clone()))
    }
}

impl Lane {
    fn take(&self) -> bool {
        let another = |taken| (taken < self.places).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, another)
            .is_ok()
    }
}

impl Place {
    /// The lane that it is on.
    pub fn lane(&self) -> usize {
        self.0.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Place(lane) = self;
        lane.taken.fetch_sub(1, Ordering::SeqCst);
        // In this order: who joins the queue after this look finds the place free.
        if lane.queue.waiting() > 0 && lane.take() {
            // If all who waited have left by now it is dropped again, and free.
            drop(lane.queue.hand(lane.number, Place(lane.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn turnstile(places: usize, queue: usize) -> Turnstile {
        let limits = Limits {
            concurrency: Some(places),
            queue,
            ..Limits::default()
        };
        Turnstile::new(&limits, 2, 5)
    }

    #[tokio::test]
    async fn a_lane_gives_its_places_to_its_own_first_and_not_for_ever() {
        let limits = Limits::default();
        let turnstile = Turnstile::new(&limits, 2, 1);
        let (mine, _theirs) = (turnstile.enter(0).await.unwrap(), turnstile.enter(1).await);
        let mut other = pin!(turnstile.enter(1));
        assert!(poll(other.as_mut()).is_pending());
        let (mut held, mut before) = (mine, 0);
        loop {
            let mut own = pin!(turnstile.enter(0));
            assert!(poll(own.as_mut()).is_pending());
            drop(held);
            if let Poll::Ready(place) = poll(other.as_mut()) {
                assert_eq!(place.unwrap().lane(), 0);
                break;
            }
            held = own.await.unwrap();
            before += 1;
            assert!(before < 100, "it waits for ever");
        }
        assert!(before > 0);
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
        for (asked, places) in [(1000, 10), (7, 7), (1, 1)] {
            let turnstile = turnstile(asked, 1);
            assert_eq!(turnstile.places(), places);
            let taken: Vec<_> = std::iter::from_fn(|| turnstile.free(0)).collect();
            assert_eq!(taken.len(), places);
        }
    }

    #[tokio::test]
    async fn a_full_lane_gives_way_to_another() {
        let limits = Limits::default();
        let turnstile = Turnstile::new(&limits, 2, 1);
        let first = turnstile.enter(1).await.unwrap();
        let second = turnstile.enter(1).await.unwrap();
        assert_eq!((first.lane(), second.lane()), (1, 0));
        drop(first);
        assert_eq!(turnstile.enter(0).await.unwrap().lane(), 1);
    }

    #[tokio::test]
    async fn of_a_lane_who_waits_longest_comes_first() {
        let turnstile = turnstile(1, 3);
        let place = turnstile.enter(0).await.unwrap();
        let mut second = pin!(turnstile.enter(0));
        let mut third = pin!(turnstile.enter(0));
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        drop(place);
        // The place is taken for the second, so it is not free for a fourth.
        let mut fourth = pin!(turnstile.enter(0));
        assert!(poll(fourth.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        drop(second.await.unwrap());
        drop(third.await.unwrap());
        assert!(fourth.await.is_ok());
    }

    #[test]
    fn without_a_queue_no_place_is_ever_lost() {
        let turnstile = turnstile(2, 0);
        std::thread::scope(|scope| {
            for lane in 0..4 {
                let turnstile = &turnstile;
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        let mut entering = pin!(turnstile.enter(lane));
                        // A place or a refusal, at once, and the place given up.
                        assert!(poll(entering.as_mut()).is_ready());
                    }
                });
            }
        });
        let left: Vec<_> = std::iter::from_fn(|| turnstile.free(0)).collect();
        assert_eq!(left.len(), 2);
    }

    #[tokio::test]
    async fn a_place_for_one_who_has_left_is_not_lost() {
        let turnstile = turnstile(1, 1);
        let place = turnstile.enter(0).await.unwrap();
        {
            let mut second = pin!(turnstile.enter(0));
            assert!(poll(second.as_mut()).is_pending());
            drop(place);
        }
        drop(turnstile.enter(0).await.unwrap());
        assert!(turnstile.enter(0).await.is_ok());
    }
}
