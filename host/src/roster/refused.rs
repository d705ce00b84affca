//! Why a change is not made, or something is not shown.

use super::NotServed;
use crate::compiler::CompileError;
use crate::compiler::queue::Refusal;
use crate::load::LoadError;
use crate::store::StoreError;
use std::fmt;

/// What kind of reason it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// What was sent cannot be understood.
    Malformed,
    /// Nobody knows who asks.
    Unknown,
    /// Who asks may not.
    Forbidden,
    /// There is no such thing, or none that may be seen.
    Missing,
    /// It is in the way of something that is there.
    Conflict,
    /// What was sent stopped coming.
    Late,
    /// What was sent is larger than it may be.
    TooLarge,
    /// What was sent is understood, and wrong.
    Wrong,
    /// It was asked of another host.
    Elsewhere,
    /// It is more than its tenant may have at a time.
    Quota,
    /// A tenant has what it may have for now; it may be tried again in so many seconds.
    Wait(u32),
    /// A tenant has as much on the disk as it may.
    Full,
    /// Not now; it may be tried again.
    NotNow,
    /// The host's own failure.
    Failed,
}

/// Why a change is not made: a line, the last words of which are what to do.
#[derive(Debug)]
pub struct Refused {
    /// What kind of reason it is.
    pub why: Why,
    /// The line.
    pub text: String,
}

impl Refused {
    /// For the reason in `text`.
    pub fn new(why: Why, text: impl Into<String>) -> Self {
        // Whatever a parser has to say, it is a line.
        let text = text.into().replace('\n', " ");
        Refused { why, text }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let why = match &error {
            StoreError::Missing(_) => Why::Missing,
            StoreError::Damaged(_) => Why::Conflict,
            _ => Why::Failed,
        };
        if why == Why::Failed {
            tracing::error!("{error}; nothing was changed");
            let text = format!(
                "{error}; it is not known to be kept, so it is not done: see the server's disk, then restart it"
            );
            return Refused::new(why, text);
        }
        Refused::new(why, error.to_string())
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        let why = match &error {
            LoadError::Engine(_) => Why::Failed,
            LoadError::Compile(CompileError::Refused(refusal)) => refusal.into(),
            _ => Why::Wrong,
        };
        Refused::new(why, error.to_string())
    }
}

impl From<&Refusal> for Why {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Full(_) => Why::Wait(1),
            Refusal::Spent { wait, .. } => {
                let seconds = wait.as_secs().saturating_add(1);
                Why::Wait(u32::try_from(seconds).unwrap_or(u32::MAX))
            }
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Refused::new(Why::from(&refusal), refusal.to_string())
    }
}

impl From<NotServed> for Refused {
    fn from(error: NotServed) -> Self {
        match error {
            NotServed::Store(error) => error.into(),
            NotServed::Apps(errors) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Refused::new(Why::Failed, errors.join("; and "))
            }
        }
    }
}
