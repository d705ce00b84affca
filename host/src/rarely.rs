//! Lines of the host's own log that anyone who can connect has written, as often as they
//! like: one in a while is told, with the number of those that were not.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The least time between two of them.
const WHILE: Duration = Duration::from_secs(10);

/// One kind of line.
#[derive(Debug, Default)]
pub struct Rarely(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    untold: u64,
}

/// How many were not told since the last that was; in words, after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untold(u64);

impl Rarely {
    /// None has been told yet.
    pub const fn new() -> Self {
        Rarely(Mutex::new(State {
            told: None,
            untold: 0,
        }))
    }

    /// Another one; none if it is not to be told.
    pub fn next(&self) -> Option<Untold> {
        self.next_at(Instant::now())
    }

    fn next_at(&self, now: Instant) -> Option<Untold> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.told.is_some_and(|told| now < told + WHILE) {
            state.untold += 1;
            return None;
        }
        state.told = Some(now);
        Some(Untold(std::mem::take(&mut state.untold)))
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" (and 1 other since the last of these lines)"),
            others => write!(f, " (and {others} others since the last of these lines)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_while_is_told() {
        let (rarely, start) = (Rarely::new(), Instant::now());
        let next = |times| rarely.next_at(start + times * WHILE / 4);
        assert_eq!(next(0), Some(Untold(0)));
        for times in 1..4 {
            assert_eq!(next(times), None);
        }
        assert_eq!(next(4), Some(Untold(3)));
        assert_eq!(next(8), Some(Untold(0)));
        assert_eq!(Untold(0).to_string(), "");
        assert!(Untold(3).to_string().starts_with(" (and 3 others"));
    }
}
