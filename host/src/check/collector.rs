//! Collects what the host sees of one request after the other.

use super::rules::Rule;
use super::violations;
use crate::failure::{Cause, Limit};
use crate::gateway::InputError;
use crate::observer::{Event, Observer};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Breaches of one rule that are kept of a request: a guest can try for ever.
const KEPT: usize = 3;
/// Lines that are kept of what a request printed.
const LINES: usize = 6;
/// Octets that are kept of a line.
const LINE: usize = 200;

/// What was seen since it was last looked at.
#[derive(Debug, Default)]
pub struct Seen {
    /// Breaches of rules, and how each happened.
    pub violations: Vec<(&'static Rule, String)>,
    /// Whether the host answered, or cut the answer, in the app's place.
    pub failed: bool,
    /// Whether that was for want of time.
    pub late: bool,
    /// Whether the app was told that a body is not whole.
    pub incomplete: bool,
    /// The last lines that were printed.
    pub printed: VecDeque<String>,
}

/// The observer of an app that is being checked.
#[derive(Debug, Default)]
pub struct Collector(Mutex<Seen>);

impl Collector {
    /// What was seen since the last time.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Collector {
    fn observe(&self, event: Event<'_>) {
        let mut seen = self.lock();
        match event {
            Event::Failed(cause) => {
                seen.failed = true;
                seen.late |= matches!(cause, Cause::Limit(Limit::Cpu(_) | Limit::Wall(_), _));
            }
            Event::NotRead(error) => seen.incomplete |= error == InputError::Incomplete,
            Event::Printed(b"") => {}
            Event::Printed(line) => {
                if seen.printed.len() == LINES {
                    seen.printed.pop_front();
                }
                let line = String::from_utf8_lossy(&line[..line.len().min(LINE)]);
                seen.printed.push_back(line.into_owned());
            }
            _ => {}
        }
        if let Some((rule, happened)) = violations::of(&event) {
            let same = seen.violations.iter();
            if same.filter(|(it, _)| it.name == rule.name).count() < KEPT {
                seen.violations.push((rule, happened));
            }
        }
    }
}
