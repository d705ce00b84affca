//! The process that compiles, from its own side: a component comes from standard
//! input, its code goes to standard output.

use super::{Budget, CompileError, code, confine};
use crate::sandbox::{Details, compiling_engine};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::time::Duration;

/// The subcommand that is this process.
const COMMAND: &str = "compile-apart";

/// The status of one that was given no valid component.
pub const INVALID: u8 = 3;

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// What backtraces are to tell.
    pub details: Details,
    /// What it may take.
    pub budget: Budget,
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// No valid component.
    #[error("{0}")]
    Invalid(String),
    /// It could not be confined, or not read or write.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Job {
    /// The command line that says it.
    pub fn arguments(&self) -> [OsString; 4] {
        let details = match self.details {
            Details::Names => "names",
            Details::Lines => "lines",
        };
        let seconds = self.budget.cpu.as_secs().max(1);
        [
            COMMAND.into(),
            details.into(),
            seconds.to_string().into(),
            self.budget.memory.to_string().into(),
        ]
    }

    /// What this process was started for, if that is to compile.
    pub fn of_this_process() -> Option<Self> {
        let mut words = std::env::args_os().skip(1);
        if words.next()? != COMMAND {
            return None;
        }
        let words: Option<Vec<String>> = words.map(|word| word.into_string().ok()).collect();
        Job::parse(&words?)
    }

    fn parse(words: &[String]) -> Option<Self> {
        let [details, seconds, memory] = words else {
            return None;
        };
        let details = match details.as_str() {
            "names" => Details::Names,
            "lines" => Details::Lines,
            _ => return None,
        };
        Some(Job {
            details,
            budget: Budget {
                cpu: Duration::from_secs(seconds.parse().ok()?),
                memory: memory.parse().ok()?,
            },
        })
    }
}

/// Does `job`. Whatever calls this is to end after it.
pub fn run(job: &Job) -> Result<(), ChildError> {
    confine::bound(&job.budget)?;
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component)?;
    let engine =
        compiling_engine(job.details).map_err(|error| ChildError::Invalid(format!("{error:#}")))?;
    // From here on it does what a stranger's file makes it do.
    let open = confine::seal()?;
    if !open.is_empty() {
        eprintln!("this kernel leaves it {}", open.join(" and "));
    }
    let code = code(&engine, &component).map_err(|error| match error {
        // What it is refused for is said once, by whoever waits.
        CompileError::Invalid(why) => ChildError::Invalid(why),
        other => ChildError::Invalid(other.to_string()),
    })?;
    io::stdout().lock().write_all(&code)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_says_the_job() {
        for details in [Details::Names, Details::Lines] {
            let job = Job {
                details,
                budget: Budget::default(),
            };
            let [command, words @ ..] = job.arguments();
            assert_eq!(command, COMMAND);
            let words = words.map(|word| word.into_string().unwrap());
            assert_eq!(Job::parse(&words), Some(job));
        }
        assert_eq!(Job::parse(&["names".into()]), None);
    }
}
