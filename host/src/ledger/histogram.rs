//! How often something took how long.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Two buckets for each power of two of a microsecond, up to four minutes; the last
/// has what took longer as well.
const BUCKETS: usize = 56;

/// Counts times. Its buckets are fixed, so that histograms can be added up.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// Nanoseconds.
    sum: AtomicU64,
}

/// What a histogram has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    buckets: [u64; BUCKETS],
    sum: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            sum: AtomicU64::new(0),
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        Times {
            buckets: [0; BUCKETS],
            sum: 0,
        }
    }
}

impl Histogram {
    /// Counts one that took so long.
    pub fn count(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos / 1000)].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
    }

    /// Adds what was counted to `times`.
    pub fn add_to(&self, times: &mut Times) {
        for (sum, bucket) in times.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Relaxed);
        }
        times.sum += self.sum.load(Relaxed);
    }
}

impl Times {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What they come to.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// How many there were below each fourth power of two of a microsecond, that of
    /// those before not among them: 64 us, 256 us, 1 ms (1,024 us), and so on to 67 s,
    /// and those beyond.
    pub fn coarse(&self) -> Vec<(f64, u64)> {
        let mut coarse: Vec<(f64, u64)> = (3..=13)
            .map(|fourth| (f64::from(1_u32 << (2 * fourth)) / 1e6, 0))
            .collect();
        coarse.push((f64::INFINITY, 0));
        for (number, count) in self.buckets.iter().enumerate() {
            let end = end_of(number) as f64 / 1e6;
            // What the last one has may be longer than its end.
            let is_last = number == BUCKETS - 1;
            let place = coarse
                .iter()
                .position(|(bound, _)| end <= *bound && !is_last);
            let last = coarse.len() - 1;
            coarse[place.unwrap_or(last)].1 += count;
        }
        coarse
    }

    /// The buckets that are not empty, each by where it begins and ends, in
    /// microseconds.
    pub fn fine(&self) -> impl Iterator<Item = ([u64; 2], u64)> {
        let buckets = self.buckets.iter().enumerate();
        buckets
            .filter(|(_, count)| **count > 0)
            .map(|(number, count)| ([begin_of(number), end_of(number)], *count))
    }
}

/// The bucket of so many microseconds: for each power of two one up to its half and one
/// from there.
fn bucket(micros: u64) -> usize {
    let number = match micros.checked_ilog2() {
        None => 0,
        Some(0) => 1,
        Some(power) => 2 * power as usize + (micros >> (power - 1) & 1) as usize,
    };
    number.min(BUCKETS - 1)
}

/// The first microsecond of a bucket.
fn begin_of(number: usize) -> u64 {
    match number {
        0 | 1 => number as u64,
        _ => (2 + number as u64 % 2) << (number / 2 - 1),
    }
}

/// The first microsecond beyond it.
fn end_of(number: usize) -> u64 {
    begin_of(number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another() {
        for micros in 0..100_000 {
            let number = bucket(micros);
            assert!((begin_of(number)..end_of(number)).contains(&micros));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_time_is_in_one_bucket_of_each_kind() {
        let histogram = Histogram::default();
        for micros in [0, 63, 64, 1000, 1024, 400_000_000] {
            histogram.count(Duration::from_micros(micros));
        }
        let mut times = Times::default();
        histogram.add_to(&mut times);
        histogram.add_to(&mut times);
        assert_eq!(times.count(), 12);
        assert_eq!(times.sum(), Duration::from_micros(2 * 400_002_151));
        let coarse = times.coarse();
        let counts: Vec<u64> = coarse.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [4, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(coarse[0].0, 0.000_064);
        assert_eq!(coarse[10].0, 67.108_864);
        assert_eq!(times.fine().map(|(_, count)| count).sum::<u64>(), 12);
    }
}
