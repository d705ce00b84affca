//! Many apps that few ask for: how soon a server of tens of thousands is ready, what
//! one takes that is not loaded, and how long its first request does.

mod generate;
mod measure;
mod prepare;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::report::{count, mark};

/// Seconds until it is ready.
const READY_MARK: f64 = 2.0;
/// Octets of resident memory for an app that is not loaded.
const APP_MARK: f64 = 4096.0;
/// Milliseconds of a first request, at the 99th percentile.
const FIRST_MARK: f64 = 2.0;
/// Octets that the server may have resident at any time.
const MEMORY_MARK: u64 = 512_000_000;

/// The flags of `density`.
#[derive(Debug, Args)]
pub struct Density {
    /// Apps that are deployed
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..100_000))]
    deployed: u32,

    /// Components of different code, which the apps share
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..100_000))]
    components: u32,

    /// Apps that are asked, each for the first time
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    asked: u32,

    /// memory-budget of the server
    #[arg(long, value_name = "SIZE", default_value = "192MiB")]
    memory_budget: String,

    /// A directory that is kept, so that the next run need not compile and deploy [default: one
    /// that goes with this run]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured.
#[derive(Serialize)]
struct Figures {
    deployed: u32,
    components: u32,
    asked: u32,
    seconds_until_ready: f64,
    resident_of_none: u64,
    resident_when_ready: u64,
    octets_each: f64,
    first_ms_median: f64,
    first_ms_p99: f64,
    first_ms_most: f64,
    resident_at_most: u64,
    wrong: u32,
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Density) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let temporary = std::env::temp_dir().join(format!("rhost-bench-{}", std::process::id()));
    let home = args.keep.clone().unwrap_or_else(|| temporary.clone());
    let made = prepare::all(args, &artefacts, &home);
    let figures = made.and_then(|()| measure::all(args, &artefacts, &home));
    let _ = std::fs::remove_dir_all(temporary);
    let figures = figures?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(figures.wrong == 0)
}

fn print(figures: &Figures) {
    let Figures {
        deployed,
        components,
        asked,
        seconds_until_ready,
        resident_of_none,
        resident_when_ready,
        octets_each,
        first_ms_median,
        first_ms_p99,
        first_ms_most,
        resident_at_most,
        wrong,
    } = figures;
    let (deployed, components) = (count((*deployed).into()), count((*components).into()));
    println!("{deployed} apps over {components} components");
    let mib = |octets: &u64| *octets as f64 / f64::from(1 << 20);
    println!(
        "  resident: {:.1} MiB without apps, {:.1} when ready, {:.1} at most",
        mib(resident_of_none),
        mib(resident_when_ready),
        mib(resident_at_most)
    );
    println!(
        "  first requests of {} apps: {first_ms_median:.2} ms in the middle, {first_ms_most:.2} at most",
        count((*asked).into())
    );
    let line = |text: String, met: bool| println!("{}", mark(&text, met));
    line(
        format!("ready after {seconds_until_ready:.2} s (mark: {READY_MARK} s)"),
        *seconds_until_ready <= READY_MARK,
    );
    line(
        format!(
            "an app that is not loaded: {} octets (mark: {APP_MARK})",
            count(*octets_each)
        ),
        *octets_each <= APP_MARK,
    );
    line(
        format!("first request, 99th percentile: {first_ms_p99:.2} ms (mark: {FIRST_MARK} ms)"),
        *first_ms_p99 <= FIRST_MARK,
    );
    line(
        format!(
            "resident at most: {:.0} MB (mark: {} MB)",
            *resident_at_most as f64 / 1e6,
            MEMORY_MARK / 1_000_000
        ),
        *resident_at_most <= MEMORY_MARK,
    );
    if *wrong > 0 {
        println!("  {wrong} answers were wrong");
    }
}
