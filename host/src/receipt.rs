//! The receipt: what one request cost.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

/// What one request cost, up to now or, once its answer has left, altogether.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Time that its guest was on a CPU, that in the host's functions included.
    pub cpu: Duration,
    /// Time since its head arrived.
    pub wall: Duration,
    /// Time for which it waited for a place.
    pub queue: Duration,
    /// Time that its instance took to be made. Zero for one that has served before.
    pub start: Duration,
    /// The most memory that its instance had, in bytes: linear memory, tables, and what the
    /// host held for it. A guest cannot give memory back, so an instance that has served
    /// before begins with what it had.
    pub memory: u64,
    /// Octets of body that its guest has read.
    pub received: u64,
    /// Octets of body that were handed to the connection.
    pub sent: u64,
    /// Calls of the host's functions, those of WASI included.
    pub host_calls: u64,
}

/// Counts what only the sandbox sees of a request.
///
/// Whoever writes here and whoever reads run in the request's own task, so that
/// nothing has to be ordered, and no core waits for another's line.
#[derive(Debug, Default)]
pub struct Tally {
    /// Nanoseconds.
    start: AtomicU64,
    memory: AtomicU64,
    received: AtomicU64,
    host_calls: AtomicU64,
}

impl Tally {
    /// Its instance was made in this time.
    pub fn started(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.start.store(nanos, Relaxed);
    }

    /// Its instance has so many octets of memory.
    pub fn has_memory(&self, octets: u64) {
        self.memory.store(octets, Relaxed);
    }

    /// Its guest read so many octets.
    pub fn received(&self, octets: usize) {
        add(&self.received, octets as u64);
    }

    /// Its guest called the host.
    pub fn called(&self) {
        add(&self.host_calls, 1);
    }

    /// Writes what was counted on `receipt`.
    pub fn write_on(&self, receipt: &mut Receipt) {
        receipt.start = Duration::from_nanos(self.start.load(Relaxed));
        receipt.memory = self.memory.load(Relaxed);
        receipt.received = self.received.load(Relaxed);
        receipt.host_calls = self.host_calls.load(Relaxed);
    }
}

/// There is one writer, which is spared the price of an addition that others could
/// come between.
fn add(sum: &AtomicU64, more: u64) {
    sum.store(sum.load(Relaxed) + more, Relaxed);
}

/// Waits for `future`, and says how long that took: no time, and no look at the
/// clock, if it was ready at once.
pub async fn waited<F: Future>(future: F) -> (F::Output, Duration) {
    let mut future = pin!(future);
    let mut since: Option<Instant> = None;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => {
            let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
            Poll::Ready((output, waited))
        }
        Poll::Pending => {
            since.get_or_insert_with(Instant::now);
            Poll::Pending
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_on_the_receipt() {
        let tally = Tally::default();
        tally.started(Duration::from_micros(3));
        tally.has_memory(1 << 16);
        tally.has_memory(2 << 16);
        tally.received(5);
        tally.received(6);
        tally.called();
        let mut receipt = Receipt {
            sent: 7,
            ..Receipt::default()
        };
        tally.write_on(&mut receipt);
        let expected = Receipt {
            start: Duration::from_micros(3),
            memory: 2 << 16,
            received: 11,
            sent: 7,
            host_calls: 1,
            ..Receipt::default()
        };
        assert_eq!(receipt, expected);
    }

    #[tokio::test]
    async fn who_does_not_wait_waited_no_time() {
        assert_eq!(waited(async { 1 }).await, (1, Duration::ZERO));
        let (_, time) = waited(tokio::task::yield_now()).await;
        assert!(time > Duration::ZERO);
    }
}
