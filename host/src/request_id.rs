//! What a request is called: in its environ, in the logs and on an error page.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sixteen hexadecimal digits: unique within this process, unlike those of
/// another process, and without an order from which traffic could be counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The next one.
    pub fn next() -> Self {
        let mut digits = [0; 16];
        let scrambled = scramble(count());
        for (place, digit) in digits.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(scrambled >> (60 - 4 * place)) as usize & 15];
        }
        RequestId(digits)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

/// A number that nobody has had. Each thread takes a thousand at a time, rather
/// than fight the others for every one.
fn count() -> u64 {
    const BLOCK: u64 = 1024;
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<u64> = OnceLock::new();
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let next = match NEXT.get() {
        used_up if used_up % BLOCK == 0 => TAKEN.fetch_add(BLOCK, Ordering::Relaxed),
        next => next,
    };
    NEXT.set(next + 1);
    let start = START.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    start.wrapping_add(next)
}

/// A bijection on 64 bits (the finalizer of splitmix64), so that what is counted
/// stays unique.
fn scramble(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_are_alike() {
        let take = || (0..10_000).map(|_| RequestId::next().to_string());
        let other = std::thread::spawn(move || take().collect::<Vec<_>>());
        let mut ids: HashSet<String> = take().collect();
        ids.extend(other.join().unwrap());
        assert_eq!(ids.len(), 20_000);
        assert!(ids.iter().all(|id| id.len() == 16));
    }
}
