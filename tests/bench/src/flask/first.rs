//! How long `rhost serve` takes to its first answer: with nothing there but
//! Python, and when everything was built before.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{ANSWER, TARGET, app};
use crate::artefacts::Artefacts;
use crate::ask;
use crate::limits;
use crate::report::mark;
use crate::request::Request;
use crate::servers;

/// What it may take from nothing, and when all is there.
const COLD: Duration = Duration::from_secs(60);
const WARM: Duration = Duration::from_secs(1);

/// When a start is given up. What misses its mark is measured to the end.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often the warm start is measured.
const WARM_STARTS: usize = 5;

/// From the start of the process to the end of the first answer, in seconds.
#[derive(Debug, Serialize)]
pub struct Start {
    cold: f64,
    /// The slowest.
    warm: f64,
}

/// Starts rhost with an empty `cache`, which it leaves full, and then again.
pub fn measure(artefacts: &Artefacts, cache: &Path) -> Result<Start> {
    if cache.exists() {
        fs::remove_dir_all(cache).with_context(|| format!("{} stays", cache.display()))?;
    }
    eprintln!("rhost starts from nothing");
    let cold = first_answer(artefacts, cache)?.as_secs_f64();
    let mut warm: f64 = 0.0;
    for _ in 0..WARM_STARTS {
        warm = warm.max(first_answer(artefacts, cache)?.as_secs_f64());
    }
    Ok(Start { cold, warm })
}

fn first_answer(artefacts: &Artefacts, cache: &Path) -> Result<Duration> {
    let mut command = servers::rhost_command(artefacts, &app()?);
    command
        .args(["--access-log", "off", "--cpu", limits::CPU, "--cache-dir"])
        .arg(cache)
        // Nothing is there: neither what pip has downloaded before.
        .env("PIP_NO_CACHE_DIR", "1");
    let begun = Instant::now();
    let server = servers::Server::start_within(PATIENCE, command, std::process::Stdio::null())
        .context("rhost does not start")?;
    let answer = ask::ask_for_body(server.addr, &Request::get(TARGET))?;
    let took = begun.elapsed();
    ensure!(answer == ANSWER, "rhost answers something else");
    limits::prove(server.addr, "localhost").with_context(|| server.said())?;
    Ok(took)
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |what: &str, took: f64, most: Duration| {
            let within = took < most.as_secs_f64();
            let what = format!(
                "the first answer, {what}: {took:.2} s (mark: under {} s)",
                most.as_secs()
            );
            mark(&what, within)
        };
        writeln!(f, "{}", line("from nothing", self.cold, COLD))?;
        writeln!(f, "{}", line("built before", self.warm, WARM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_is_missed_is_said() {
        let start = Start {
            cold: 31.0,
            warm: 1.5,
        };
        let text = start.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("met:") && lines[0].contains("31.00 s"));
        assert!(lines[1].contains("MISSED:") && lines[1].contains("1.50 s"));
    }
}
