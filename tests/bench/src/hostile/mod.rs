//! Every hostile guest, client and token that is known, one at a time, beside a victim of
//! another tenant and the operator's calls.
//!
//! Each row has a server of its own, started with a file and a state directory as an
//! operator starts it. Adversaries run at nice 19: real ones would run elsewhere.

mod adversaries;
mod components;
mod crowd;
mod figures;
mod http2;
mod measure;
mod operator;
mod scene;
mod victim;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use self::adversaries::Adversary;
use self::figures::{Marks, Row, SHORT, STRICT};
use self::measure::{Times, measure};
use self::scene::Stage;
use crate::artefacts::{Artefacts, Ready};
use crate::process;

/// Open files that the largest crowd needs.
const OPEN_FILES: u64 = 12_000;

/// The flags of `hostile`.
#[derive(Debug, Args)]
pub struct Hostile {
    /// Only adversaries whose names contain this; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// Seconds beside each adversary [default: 5, with --short 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,

    /// List all adversaries
    #[arg(long)]
    list: bool,

    /// The form for continuous integration: short, with marks that hold on a busy machine;
    /// exits with 1 if one is missed
    #[arg(long)]
    short: bool,

    /// Print the table as docs/benchmarks.md has it
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

impl Hostile {
    fn chosen(&self) -> Vec<&'static Adversary> {
        let is_chosen = |adversary: &&Adversary| {
            self.only.is_empty() || self.only.iter().any(|name| adversary.name.contains(name))
        };
        adversaries::all()
            .filter(|adversary| adversary.is_in_short || !self.short || !self.only.is_empty())
            .filter(is_chosen)
            .collect()
    }

    fn times(&self) -> Times {
        let seconds = |otherwise| Duration::from_secs(self.seconds.unwrap_or(otherwise));
        match self.short {
            true => Times {
                before: Duration::from_millis(500),
                meanwhile: seconds(3),
                memory_slack: (0.1, 128 << 20),
                thread_slack: 64,
            },
            false => Times {
                before: seconds(5),
                meanwhile: seconds(5),
                memory_slack: (0.1, 0),
                thread_slack: 0,
            },
        }
    }

    fn marks(&self) -> &'static Marks {
        if self.short { &SHORT } else { &STRICT }
    }
}

/// Runs it. Returns whether every mark was met, or, but for the short form, whether every
/// row could be measured.
pub fn run(args: &Hostile) -> Result<bool> {
    let chosen = args.chosen();
    if args.list {
        for adversary in chosen {
            let (by, does) = (adversary.by.name(), adversary.does);
            println!("{:<24} {by:<7} {does}", adversary.name);
        }
        return Ok(true);
    }
    ensure!(
        !chosen.is_empty(),
        "there is no such adversary; --list has all"
    );
    process::raise_open_files(OPEN_FILES)?;
    let artefacts = Artefacts::of_guests(&args.ready, &adversaries::test_guests())?;
    let stage = Stage::new()?;
    let times = args.times();
    let mut rows = Vec::new();
    for (index, adversary) in chosen.iter().enumerate() {
        eprintln!("{} of {}: {}", index + 1, chosen.len(), adversary.name);
        let measured = measure(&artefacts, &stage, adversary, &times);
        let row = Row::new(adversary, measured, args.marks());
        eprintln!("  {}\n  {}", row.figures(), row.verdict());
        rows.push(row);
    }
    match (args.json, args.markdown) {
        (true, _) => println!("{}", serde_json::to_string_pretty(&rows)?),
        (_, true) => print!("{}", figures::markdown(&rows)),
        _ => print!("{}", figures::table(&rows)),
    }
    Ok(rows.iter().all(|row| match args.short {
        true => row.is_met(),
        false => row.is_measured(),
    }))
}
