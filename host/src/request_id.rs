//! What a request is called: in its environ, in the logs and on an error page.

use http::{HeaderMap, HeaderName};
use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// In which a proxy says what it calls a request.
static FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken from a proxy; a UUID has 36.
const LONGEST: usize = 64;

/// Sixteen hexadecimal digits: unique within this process, unlike those of
/// another process, and without an order from which traffic could be counted. Or
/// what a proxy called the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// Zeros behind the last.
    octets: [u8; LONGEST],
    length: u8,
}

impl RequestId {
    /// The next one.
    pub fn next() -> Self {
        const DIGITS: usize = 16;
        let mut octets = [0; LONGEST];
        let scrambled = scramble(count());
        for (place, digit) in octets[..DIGITS].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(scrambled >> (60 - 4 * place)) as usize & 15];
        }
        RequestId {
            octets,
            length: DIGITS as u8,
        }
    }

    /// The one that somebody else gave: at most 64 letters, digits and `-_.:+/=@`,
    /// none of which has a meaning in a log, a page or a shell's word.
    pub fn given(text: &[u8]) -> Option<Self> {
        let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.:+/=@".contains(octet);
        if text.is_empty() || !text.iter().all(allowed) {
            return None;
        }
        let mut octets = [0; LONGEST];
        octets.get_mut(..text.len())?.copy_from_slice(text);
        Some(RequestId {
            octets,
            length: text.len() as u8,
        })
    }

    /// The id of a request with these fields, from somebody who may name it.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(&FIELD).into_iter();
        match (given.next(), given.next()) {
            (Some(id), None) => RequestId::given(id.as_bytes()),
            _ => None,
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..usize::from(self.length)]).expect("it is ASCII")
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

    #[test]
    fn what_is_given_is_short_and_plain() {
        let longest = "x".repeat(64);
        for id in [
            "1",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "Root=1-a_b@c/d:e+f.g",
            &longest,
        ] {
            assert_eq!(RequestId::given(id.as_bytes()).unwrap().as_str(), id);
        }
        let longer = "x".repeat(65);
        for id in [
            "", " ", "a b", "a\"", "<b>", "a\n", "a\x1b[2J", "\u{e9}", "a,b", &longer,
        ] {
            assert_eq!(RequestId::given(id.as_bytes()), None, "{id}");
        }
    }

    #[test]
    fn two_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(RequestId::of(&headers), None);
        headers.append(&FIELD, "a".parse().unwrap());
        assert_eq!(RequestId::of(&headers), RequestId::given(b"a"));
        headers.append(&FIELD, "b".parse().unwrap());
        assert_eq!(RequestId::of(&headers), None);
    }
}
