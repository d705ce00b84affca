//! Those who wait for a place on any lane.
//!
//! A place goes to one of its own lane, as a rule: to wake another core's thread costs
//! more than all else here. But nobody is overtaken by more than a few.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// How many who came later may go before one that waits on another lane.
const OVERTAKING: u64 = 8;

/// The queue before places of kind `P`.
pub struct Queue<P> {
    /// How many may wait.
    room: usize,
    /// Written under the lock of the lines, of which it is the sum of lengths.
    waiting: AtomicUsize,
    lines: Mutex<Lines<P>>,
}

struct Lines<P> {
    /// How many have come so far.
    come: u64,
    /// Of each lane, in the order in which they came.
    of_lane: Vec<VecDeque<Waiter<P>>>,
}

struct Waiter<P> {
    number: u64,
    give: oneshot::Sender<P>,
}

/// One that waits, until it is dropped. It is ready when it has a place.
pub struct Waiting<'a, P> {
    queue: &'a Queue<P>,
    lane: usize,
    number: u64,
    given: oneshot::Receiver<P>,
}

impl<P> Queue<P> {
    /// A queue of so many lanes, with room for so many.
    pub fn new(lanes: usize, room: usize) -> Self {
        let lines = Lines {
            come: 0,
            of_lane: (0..lanes.max(1)).map(|_| VecDeque::new()).collect(),
        };
        Queue {
            room,
            waiting: AtomicUsize::new(0),
            lines: Mutex::new(lines),
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Waits on `lane` from here on; none if there is no room.
    pub fn join(&self, lane: usize) -> Option<Waiting<'_, P>> {
        let mut lines = self.lines();
        if self.waiting() >= self.room {
            return None;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let (give, given) = oneshot::channel();
        let (number, lane) = (lines.come, lane % lines.of_lane.len());
        lines.come += 1;
        lines.of_lane[lane].push_back(Waiter { number, give });
        Some(Waiting {
            queue: self,
            lane,
            number,
            given,
        })
    }

    /// Gives a place on `lane` to one who waits. Returns it if nobody does any more.
    pub fn hand(&self, lane: usize, mut place: P) -> Result<(), P> {
        loop {
            let next = {
                let mut lines = self.lines();
                let next = lines.next(lane);
                self.waiting
                    .fetch_sub(usize::from(next.is_some()), Ordering::SeqCst);
                next
            };
            let Some(waiter) = next else {
                return Err(place);
            };
            // Who takes it is woken outside the lock.
            match waiter.give.send(place) {
                Ok(()) => return Ok(()),
                Err(untaken) => place = untaken,
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines<P>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P> Lines<P> {
    /// Takes the one out whose turn it is for a place on `lane`.
    fn next(&mut self, lane: usize) -> Option<Waiter<P>> {
        let first = |line: usize| self.of_lane[line].front().map(|waiter| waiter.number);
        let lines = 0..self.of_lane.len();
        let (oldest, number) = lines
            .filter_map(|line| Some((line, first(line)?)))
            .min_by_key(|(_, number)| *number)?;
        let lane = lane % self.of_lane.len();
        let line = match first(lane) {
            Some(own) if own - number <= OVERTAKING => lane,
            _ => oldest,
        };
        self.of_lane[line].pop_front()
    }
}

impl<P> Future for Waiting<'_, P> {
    type Output = P;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<P> {
        Pin::new(&mut self.given)
            .poll(cx)
            .map(|given| given.expect("who waits is given a place"))
    }
}

impl<P> Drop for Waiting<'_, P> {
    fn drop(&mut self) {
        let mut lines = self.queue.lines();
        let line = &mut lines.of_lane[self.lane];
        if let Ok(place) = line.binary_search_by_key(&self.number, |waiter| waiter.number) {
            line.remove(place);
            self.queue.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        // Otherwise it was given a place, which is handed on as it is dropped.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_leaves_nothing_behind() {
        let queue = Queue::<()>::new(2, 3);
        let waiting: Vec<_> = (0..3).map(|lane| queue.join(lane).unwrap()).collect();
        assert!(queue.join(0).is_none());
        assert_eq!(queue.waiting(), 3);
        drop(waiting);
        assert_eq!(queue.waiting(), 0);
        assert!(queue.lines().of_lane.iter().all(VecDeque::is_empty));
        assert!(queue.hand(0, ()).is_err());
    }

    #[test]
    fn own_lane_first_unless_another_waits_much_longer() {
        let queue = Queue::new(2, 100);
        let mut waiting = vec![queue.join(1).unwrap()];
        waiting.extend((0..20).map(|_| queue.join(0).unwrap()));
        for place in 0..21 {
            queue.hand(0, place).unwrap();
        }
        let given = |waiting: &mut Waiting<'_, i32>| waiting.given.try_recv().unwrap();
        let given: Vec<_> = waiting.iter_mut().map(given).collect();
        assert_eq!(given[0], i32::try_from(OVERTAKING).unwrap());
        assert_eq!(given[1..9], (0..8).collect::<Vec<_>>());
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn one_who_has_a_place_and_leaves_gives_it_back() {
        let queue = Queue::new(1, 2);
        let place = std::sync::Arc::new(());
        let waiting = queue.join(0).unwrap();
        queue.hand(0, place.clone()).unwrap();
        assert_eq!(std::sync::Arc::strong_count(&place), 2);
        drop(waiting);
        assert_eq!(std::sync::Arc::strong_count(&place), 1);
    }
}
