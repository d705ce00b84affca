//! Flask under rhost, an interpreter for each request or for many, beside
//! gunicorn; and how long after the command the first answer comes.

mod first;
mod gunicorn;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, target_directory, workspace};
use crate::ask;
use crate::limits;
use crate::process;
use crate::report::{Table, count, mark, median, ratio};
use crate::request::Request;
use crate::servers::{self, Server};
use crate::wrk;

/// What is asked for: a view without a template or a session.
const TARGET: &str = "/hello";
/// What it answers.
const ANSWER: &[u8] = b"Hello, World!\n";

/// Requests in a second that a fresh interpreter for each should give at least, on
/// two cores.
const PER_SECOND: f64 = 500.0;
/// What reuse should give at least, of gunicorn.
const OF_GUNICORN: f64 = 1.0 / 3.0;

/// The flags of `flask`.
#[derive(Debug, Args)]
pub struct Flask {
    /// How often each server has its turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of a turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Connections, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Threads of rhost, and workers of gunicorn
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,

    /// Requests that an instance serves where instances are reused
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    reuse: u32,

    /// Leave out how long the first answer takes; what an earlier run built is used
    #[arg(long)]
    no_start: bool,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    /// A rhost to measure [default: build it as a release]
    #[arg(long, value_name = "PATH")]
    rhost: Option<PathBuf>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Fresh,
    Reuse,
    Gunicorn,
}

/// A server, and its turns.
#[derive(Serialize)]
struct Contestant {
    kind: Kind,
    name: String,
    turns: Vec<Turn>,
    #[serde(skip)]
    server: Server,
}

/// One turn: answers in a second, microseconds.
#[derive(Serialize)]
struct Turn {
    per_second: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
}

/// What is printed.
#[derive(Serialize)]
struct Figures {
    start: Option<first::Start>,
    servers: Vec<Contestant>,
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Flask) -> Result<bool> {
    let artefacts = Artefacts::of_host(args.rhost.as_deref())?;
    let dir = target_directory()?.join("bench-flask");
    let gunicorn = gunicorn::Gunicorn::ensure(&dir, &app()?)?;
    let cache = dir.join("cache");
    let start = if args.no_start {
        None
    } else {
        Some(first::measure(&artefacts, &cache)?)
    };
    let mut servers = vec![Contestant::new(
        Kind::Fresh,
        "rhost, fresh".into(),
        rhost(&artefacts, &cache, args, &[])?,
    )?];
    if reuses(&artefacts.rhost)? {
        let times = args.reuse.to_string();
        servers.push(Contestant::new(
            Kind::Reuse,
            format!("rhost, reuse {}", count(args.reuse.into())),
            rhost(&artefacts, &cache, args, &["--reuse", &times])?,
        )?);
    } else {
        eprintln!("this rhost has no --reuse, so that is left out");
    }
    servers.push(Contestant::new(
        Kind::Gunicorn,
        format!("gunicorn, {} sync workers", args.threads),
        gunicorn.start(&app()?, args.threads)?,
    )?);
    let errors = take_turns(args, &mut servers)?;
    let figures = Figures { start, servers };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(args, &gunicorn, &figures);
    }
    if errors > 0 {
        eprintln!("{errors} answers were wrong");
    }
    Ok(errors == 0)
}

/// Where the program is: the example as it stands, with one more view.
fn app() -> Result<PathBuf> {
    let copy = target_directory()?.join("bench-flask").join("app");
    copy_all(&workspace().join("examples/flask"), &copy)?;
    let program = copy.join("wsgi_app.py");
    let endless = format!(
        "\n\n@app.get(\"{}\")\ndef endless():\n    while True:\n        pass\n",
        limits::TARGET
    );
    fs::write(&program, fs::read_to_string(&program)? + &endless)?;
    Ok(copy)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_all(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn rhost(artefacts: &Artefacts, cache: &Path, args: &Flask, more: &[&str]) -> Result<Server> {
    let (cache, threads) = (cache.to_string_lossy(), args.threads.to_string());
    let mut all = vec!["--cache-dir", &cache, "--threads", &threads];
    all.extend_from_slice(more);
    servers::rhost(artefacts, &app()?, &all).context("rhost does not start")
}

/// Whether it can reuse instances. (`--reuse-port` is something else.)
fn reuses(rhost: &Path) -> Result<bool> {
    let help = Command::new(rhost).args(["serve", "--help"]).output();
    let help = help.with_context(|| format!("{} cannot be run", rhost.display()))?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--reuse <"))
}

impl Contestant {
    /// Takes part once its answer is right.
    fn new(kind: Kind, name: String, server: Server) -> Result<Self> {
        let answer =
            ask::ask_for_body(server.addr, &Request::get(TARGET)).with_context(|| name.clone())?;
        ensure!(answer == ANSWER, "{name} answers something else");
        Ok(Contestant {
            kind,
            name,
            turns: Vec::new(),
            server,
        })
    }

    /// One turn. Returns how many answers were wrong.
    fn turn(&mut self, args: &Flask, seconds: u64) -> Result<u64> {
        let before = process::cpu_time_of_family(self.server.pid())?;
        let load = wrk::get(
            self.server.addr,
            TARGET,
            args.connections.into(),
            Duration::from_secs(seconds),
        )
        .with_context(|| format!("{}{}", self.name, self.server.said()))?;
        let cpu = process::cpu_time_of_family(self.server.pid())?.saturating_sub(before);
        ensure!(load.answers > 0, "{} did not answer", self.name);
        self.turns.push(Turn {
            per_second: load.per_second,
            p50: load.p50,
            p99: load.p99,
            cpu: cpu.as_secs_f64() * 1e6 / load.answers as f64,
        });
        Ok(load.errors)
    }

    fn median(&self, figure: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure))
    }

    /// The middle of the ratios to another's turns of the same rounds.
    fn to(&self, other: &Contestant) -> f64 {
        let rounds = self.turns.iter().zip(&other.turns);
        median(rounds.map(|(own, theirs)| own.per_second / theirs.per_second))
    }
}

fn take_turns(args: &Flask, servers: &mut [Contestant]) -> Result<u64> {
    for contestant in servers.iter_mut() {
        eprintln!("{} warms up", contestant.name);
        contestant.turn(args, 1)?;
        contestant.turns.clear();
    }
    let mut errors = 0;
    for round in 0..args.rounds as usize {
        eprintln!("round {} of {}", round + 1, args.rounds);
        for place in 0..servers.len() {
            // Another begins each round, so that none is always after the same.
            let index = (round + place) % servers.len();
            errors += servers[index].turn(args, args.seconds)?;
        }
    }
    Ok(errors)
}

fn print(args: &Flask, gunicorn: &gunicorn::Gunicorn, figures: &Figures) {
    println!(
        "{} on {}; wrk, {} connections, {} rounds of {} s\n",
        gunicorn.version(),
        gunicorn.python(),
        args.connections,
        args.rounds,
        args.seconds
    );
    let servers = &figures.servers;
    let of = |kind| servers.iter().find(|contestant| contestant.kind == kind);
    let other = of(Kind::Gunicorn);
    let mut table = Table::new(&[
        "server",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU us/req",
        "to gunicorn",
    ]);
    for contestant in servers {
        table.row([
            contestant.name.clone(),
            count(contestant.median(|turn| turn.per_second)),
            format!("{:.1}", contestant.median(|turn| turn.p50) / 1e3),
            format!("{:.1}", contestant.median(|turn| turn.p99) / 1e3),
            count(contestant.median(|turn| turn.cpu)),
            ratio(other.map(|other| contestant.to(other))),
        ]);
    }
    println!("{table}");
    if let Some(fresh) = of(Kind::Fresh) {
        let given = fresh.median(|turn| turn.per_second);
        let what = format!(
            "fresh: {} req/s (mark: at least {PER_SECOND})",
            count(given)
        );
        println!("{}", mark(&what, given >= PER_SECOND));
    }
    if let (Some(reuse), Some(other)) = (of(Kind::Reuse), other) {
        let part = reuse.to(other);
        let what = format!("reuse: {part:.2} of gunicorn (mark: at least {OF_GUNICORN:.2})");
        println!("{}", mark(&what, part >= OF_GUNICORN));
    }
    if let Some(start) = &figures.start {
        print!("{start}");
    }
}
