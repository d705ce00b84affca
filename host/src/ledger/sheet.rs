//! What is counted of an app on one lane.

use super::histogram::{Histogram, Times};
use crate::hit::{HITS, Hit};
use crate::receipt::Receipt;
use http::StatusCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How requests ended, by the class of their status (RFC 9110, section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 2xx.
    Successful,
    /// 3xx.
    Redirection,
    /// 4xx.
    ClientError,
    /// 5xx.
    ServerError,
    /// The client left before it got a status.
    Left,
}

/// The number of endings.
pub const ENDINGS: usize = 5;

/// The counts of one lane. Alone on its cache lines: no other core writes there.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Sheet {
    endings: [AtomicU64; ENDINGS],
    hits: [AtomicU64; HITS],
    wall: Histogram,
    cpu: Histogram,
    received: AtomicU64,
    sent: AtomicU64,
    host_calls: AtomicU64,
    memory: AtomicU64,
}

/// What was counted, on whatever lanes.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Requests, by [`Ending`].
    pub endings: [u64; ENDINGS],
    /// Those that were refused or failed, by [`Hit`].
    pub hits: [u64; HITS],
    /// Times on the clock.
    pub wall: Times,
    /// Times on a CPU, of those that had a sandbox.
    pub cpu: Times,
    /// Octets of body that were read.
    pub received: u64,
    /// Octets of body that were sent.
    pub sent: u64,
    /// Calls of the host's functions.
    pub host_calls: u64,
    /// The most memory that a sandbox had, in octets.
    pub memory: u64,
}

impl Ending {
    fn of(status: Option<StatusCode>) -> Self {
        match status.map(|status| status.as_u16()) {
            None => Ending::Left,
            Some(..300) => Ending::Successful,
            Some(300..400) => Ending::Redirection,
            Some(400..500) => Ending::ClientError,
            Some(500..) => Ending::ServerError,
        }
    }
}

impl Sheet {
    /// A request that ended with `status`, if it got one. `had_sandbox` unless it was
    /// refused before.
    pub fn enter(&self, receipt: &Receipt, status: Option<StatusCode>, had_sandbox: bool) {
        self.endings[Ending::of(status) as usize].fetch_add(1, Relaxed);
        self.wall.count(receipt.wall);
        if !had_sandbox {
            return;
        }
        self.cpu.count(receipt.cpu);
        self.received.fetch_add(receipt.received, Relaxed);
        self.sent.fetch_add(receipt.sent, Relaxed);
        self.host_calls.fetch_add(receipt.host_calls, Relaxed);
        if self.memory.load(Relaxed) < receipt.memory {
            self.memory.fetch_max(receipt.memory, Relaxed);
        }
    }

    /// One was refused, or failed.
    pub fn hit(&self, hit: Hit) {
        self.hits[hit as usize].fetch_add(1, Relaxed);
    }

    /// Adds all of it to `totals`.
    pub fn add_to(&self, totals: &mut Totals) {
        let each = totals.endings.iter_mut().zip(&self.endings);
        each.for_each(|(sum, count)| *sum += count.load(Relaxed));
        let each = totals.hits.iter_mut().zip(&self.hits);
        each.for_each(|(sum, count)| *sum += count.load(Relaxed));
        self.wall.add_to(&mut totals.wall);
        self.cpu.add_to(&mut totals.cpu);
        totals.received += self.received.load(Relaxed);
        totals.sent += self.sent.load(Relaxed);
        totals.host_calls += self.host_calls.load(Relaxed);
        totals.memory = totals.memory.max(self.memory.load(Relaxed));
    }
}

impl Totals {
    /// Requests, however they ended.
    pub fn requests(&self) -> u64 {
        self.endings.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn totals_are_those_of_all_sheets() {
        let sheets = [Sheet::default(), Sheet::default()];
        let receipt = |memory| Receipt {
            cpu: Duration::from_micros(10),
            wall: Duration::from_micros(20),
            memory,
            received: 1,
            sent: 2,
            host_calls: 3,
            ..Receipt::default()
        };
        sheets[0].enter(&receipt(5), Some(StatusCode::OK), true);
        sheets[1].enter(&receipt(9), Some(StatusCode::NOT_FOUND), true);
        sheets[1].enter(&receipt(7), None, true);
        let shed = Some(StatusCode::SERVICE_UNAVAILABLE);
        sheets[1].enter(&Receipt::default(), shed, false);
        sheets[1].hit(Hit::Queue);
        let mut totals = Totals::default();
        sheets.iter().for_each(|sheet| sheet.add_to(&mut totals));
        assert_eq!(totals.endings, [1, 0, 1, 1, 1]);
        assert_eq!(
            (totals.requests(), totals.hits[Hit::Queue as usize]),
            (4, 1)
        );
        assert_eq!((totals.wall.count(), totals.cpu.count()), (4, 3));
        let sums = (
            totals.received,
            totals.sent,
            totals.host_calls,
            totals.memory,
        );
        assert_eq!(sums, (3, 6, 9, 9));
    }

    #[test]
    fn each_hit_has_its_count() {
        assert_eq!(Hit::App as usize, HITS - 1);
        assert_eq!(Ending::Left as usize, ENDINGS - 1);
    }
}
