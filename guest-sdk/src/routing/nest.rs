//! Routes below a prefix: their patterns, put together in a constant.

use crate::routing::route::{Route, Segment};
use crate::routing::shape::DEEPEST;

impl Route {
    /// The same route below a prefix of so many segments. The pattern and its
    /// segments are whole: those of the prefix, then its own.
    ///
    /// # Panics
    ///
    /// In a constant, if the pattern is not UTF-8, or too deep with its prefix.
    #[must_use]
    #[track_caller]
    pub const fn below(
        self,
        prefix: usize,
        pattern: &'static [u8],
        segments: &'static [Segment],
    ) -> Route {
        let pattern = match std::str::from_utf8(pattern) {
            Ok(pattern) => pattern,
            Err(_) => panic!("the pattern is not UTF-8"),
        };
        assert!(
            segments.len() <= DEEPEST,
            "a pattern has at most 32 segments, with its prefix: take the rest with `{{rest..}}`"
        );
        Route {
            pattern,
            segments,
            prefix: self.prefix + prefix,
            ..self
        }
    }
}

/// One list after the other. `filler` is any value: an array needs one until it
/// is filled.
///
/// # Panics
///
/// In a constant, if `LENGTH` is not that of both.
#[must_use]
pub const fn join<T: Copy, const LENGTH: usize>(filler: T, one: &[T], other: &[T]) -> [T; LENGTH] {
    assert!(LENGTH == one.len() + other.len());
    let mut both = [filler; LENGTH];
    let mut place = 0;
    while place < LENGTH {
        both[place] = match place < one.len() {
            true => one[place],
            false => other[place - one.len()],
        };
        place += 1;
    }
    both
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn joins_in_order() {
        const BOTH: [u8; 5] = join(0, b"ab", b"cde");
        assert_eq!(&BOTH, b"abcde");
        assert!(join::<u8, 0>(0, b"", b"").is_empty());
    }

    #[test]
    #[should_panic(expected = "LENGTH")]
    fn refuses_another_length() {
        let _ = join::<u8, 3>(0, b"ab", b"cde");
    }
}
