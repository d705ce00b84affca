//! What all apps of one tenant may write to the log together.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// So many bytes a second, and as many again in a burst.
#[derive(Debug)]
pub struct LogShare {
    rate: AtomicU64,
    left: Mutex<Left>,
}

#[derive(Debug)]
struct Left {
    octets: u64,
    filled: Instant,
}

impl Default for LogShare {
    /// Any number, until [`LogShare::limit`] says how many.
    fn default() -> Self {
        LogShare {
            rate: AtomicU64::new(u64::MAX),
            left: Mutex::new(Left {
                octets: u64::MAX,
                filled: Instant::now(),
            }),
        }
    }
}

impl LogShare {
    /// There are `rate` bytes a second from here on.
    pub fn limit(&self, rate: u64) {
        self.rate.store(rate, Relaxed);
    }

    /// Takes so many bytes; false if there are not as many left.
    pub fn take(&self, octets: u64) -> bool {
        let rate = self.rate.load(Relaxed);
        if rate == u64::MAX {
            return true;
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let earned = now.duration_since(left.filled).as_secs_f64() * rate as f64;
        if earned >= 1.0 {
            left.octets = left.octets.saturating_add(earned as u64);
            left.filled = now;
        }
        left.octets = left.octets.min(rate);
        match left.octets.checked_sub(octets) {
            Some(rest) => {
                left.octets = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_as_large_as_was_said_last() {
        let share = LogShare::default();
        assert!((0..1000).all(|_| share.take(1 << 40)));
        share.limit(100);
        assert!(share.take(60));
        assert!(!share.take(100));
        share.limit(u64::MAX - 1);
        assert!(!share.take(u64::MAX));
        share.limit(0);
        assert!(!share.take(1));
    }
}
