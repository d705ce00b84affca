//! Whether a deploy that was acknowledged is lost when its server is killed.
//!
//! Each round starts a server on the state directory that the round before left, asks
//! each app what it is, deploys on several connections, and kills the server (SIGKILL)
//! at a random moment: in some rounds while it starts. What an app answers then has to
//! be the version that was acknowledged last, or one that was on its way when the
//! server was killed. A server that does not start is an error as well.
//!
//! SIGKILL takes the process and leaves what the kernel has yet to write. What a loss of
//! power would leave is the store's own tests' affair (`host/src/store/tests.rs`).

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::admin::{Admin, Variants};
use crate::artefacts::{Artefacts, Ready};
use crate::ask;
use crate::limits;
use crate::process;
use crate::report::{Table, mark, median};
use crate::request::Request;
use crate::servers::Server;

/// Apps, each of which one connection deploys.
const APPS: usize = 3;
/// Components that differ. Each is compiled before the first round, and found in the
/// cache from there on.
const VARIANTS: u32 = 12;
/// When it is killed at the latest, after it serves or after it was started.
const LATEST: Duration = Duration::from_millis(250);
const LATEST_START: Duration = Duration::from_millis(60);
/// One round in so many ends while the server starts.
const STARTS: u64 = 5;
/// A start that takes longer is told of.
const NOTABLE: Duration = Duration::from_secs(1);
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The flags of `crash`.
#[derive(Debug, Args)]
pub struct Crash {
    /// How often the server is killed
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Where chance begins; a run that failed is repeated by it, as far as time can be
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// What it came to.
#[derive(Debug, Default, Serialize)]
struct Report {
    rounds: u32,
    seed: u64,
    /// Deploys that were acknowledged.
    acknowledged: u64,
    /// Deploys that were on their way when the server was killed.
    cut: u64,
    /// Of those, the ones that were done all the same.
    done_unacknowledged: u64,
    /// Apps that answered something else than they should.
    lost: u64,
    /// Servers that did not start.
    not_started: u32,
    /// Rounds in which it was killed while it started.
    killed_at_start: u32,
    /// How long it took until it served, in milliseconds.
    start_median: f64,
    start_longest: f64,
}

/// What is known of an app.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    acknowledged: Option<u32>,
    on_its_way: Option<u32>,
}

/// Runs it. Returns whether nothing was lost.
pub fn run(args: &Crash) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let variants = Variants::of_hello(&artefacts)?;
    let home = std::env::temp_dir().join(format!("rhost-bench-{}.crash", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let seed = args.seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut chance = Chance(seed.wrapping_mul(2).wrapping_add(1));
    let mut known = [Known::default(); APPS];
    let mut report = Report {
        rounds: args.rounds,
        seed,
        ..Report::default()
    };
    let mut starts = Vec::new();
    warm_up(&artefacts, &variants, &home)?;
    for nth in 1..=args.rounds {
        if chance.below(STARTS) == 0 {
            let mut child = command(&artefacts, &home).stderr(Stdio::null()).spawn()?;
            thread::sleep(LATEST_START.mul_f64(chance.part()));
            end(&mut child)?;
            report.killed_at_start += 1;
        }
        let begun = Instant::now();
        let started = Server::start_within(PATIENCE, command(&artefacts, &home), Stdio::null());
        let server = match started {
            Ok(server) => server,
            Err(error) => {
                eprintln!("round {nth}: it does not start: {error:#}");
                report.not_started += 1;
                break;
            }
        };
        let took = begun.elapsed();
        if took > NOTABLE {
            eprintln!("round {nth}: it took {took:?} to start");
        }
        starts.push(took.as_secs_f64() * 1e3);
        check(&server, &mut known, &mut report, nth)?;
        let admin = Admin::of(&home.join("state"));
        round(
            &server,
            &admin,
            &variants,
            &mut known,
            &mut chance,
            &mut report,
        )?;
        if nth % 100 == 0 {
            eprintln!(
                "{nth} rounds, {} acknowledged, {} lost",
                report.acknowledged, report.lost
            );
        }
    }
    let started = Server::start_within(PATIENCE, command(&artefacts, &home), Stdio::null());
    match started {
        Ok(server) => check(&server, &mut known, &mut report, args.rounds + 1)?,
        Err(_) => report.not_started += 1,
    }
    report.start_longest = starts.iter().copied().fold(0.0, f64::max);
    report.start_median = median(starts);
    let is_good = report.lost == 0 && report.not_started == 0;
    match is_good {
        true => std::fs::remove_dir_all(&home)?,
        false => eprintln!("what it left is in {}", home.display()),
    }
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print(&report),
    }
    Ok(is_good)
}

fn command(artefacts: &Artefacts, home: &Path) -> Command {
    let mut command = Command::new(&artefacts.rhost);
    command
        .args([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--access-log",
            "off",
            "--threads",
            "1",
        ])
        .arg("--state")
        .arg(home.join("state"))
        .arg("--cache-dir")
        .arg(home.join("cache"));
    command
}

/// Has each component compiled, for an app that is gone then.
fn warm_up(artefacts: &Artefacts, variants: &Variants, home: &Path) -> Result<()> {
    let server = Server::start_within(PATIENCE, command(artefacts, home), Stdio::null())?;
    let admin = Admin::of(&home.join("state"));
    limits::prove_by_deploy(server.addr, &admin, &artefacts.example("hello")?)?;
    for number in 0..VARIANTS {
        admin.deploy("warm", &variants.component(number))?;
    }
    admin.ask("DELETE", "/v1/apps/warm", "", b"")?;
    process::kill(server.pid());
    Ok(())
}

fn end(child: &mut Child) -> Result<()> {
    process::kill(child.id());
    child.wait()?;
    Ok(())
}

/// Asks each app which version it is.
fn check(
    server: &Server,
    known: &mut [Known; APPS],
    report: &mut Report,
    round: u32,
) -> Result<()> {
    for (app, known) in known.iter_mut().enumerate() {
        let reply = ask::ask(server.addr, &Request::get_from(&host(app), "/"))?;
        let answer = reply.answer.context("the answer was cut short")?;
        let found = match answer.status {
            200 => Variants::number(&reply.body),
            _ => None,
        };
        let was_done = found.is_some() && found == known.on_its_way;
        if found != known.acknowledged && !was_done {
            let body = String::from_utf8_lossy(&reply.body);
            eprintln!(
                "round {round}: app {app} is {} {body:?}, and {known:?}{}",
                answer.status,
                server.said()
            );
            report.lost += 1;
        }
        report.done_unacknowledged += u64::from(was_done && found != known.acknowledged);
        *known = Known {
            acknowledged: found,
            on_its_way: None,
        };
    }
    Ok(())
}

/// Deploys until the server is killed.
fn round(
    server: &Server,
    admin: &Admin,
    variants: &Variants,
    known: &mut [Known; APPS],
    chance: &mut Chance,
    report: &mut Report,
) -> Result<()> {
    let acknowledged = Mutex::new(0);
    let moment = LATEST.mul_f64(chance.part());
    let firsts: Vec<u32> = known
        .iter()
        .map(|_| chance.below(u64::from(VARIANTS)) as u32)
        .collect();
    let unkilled = thread::scope(|scope| {
        let deployers: Vec<_> = known
            .iter_mut()
            .zip(firsts)
            .enumerate()
            .map(|(app, (known, first))| {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    let name = name(app);
                    for number in (first..).map(|number| number % VARIANTS) {
                        known.on_its_way = Some(number);
                        let component = variants.component(number);
                        if let Err(error) = admin.deploy(&name, &component) {
                            return error;
                        }
                        *known = Known {
                            acknowledged: Some(number),
                            on_its_way: None,
                        };
                        *acknowledged.lock().expect("no thread panics") += 1;
                    }
                    unreachable!("there is no last number")
                })
            })
            .collect();
        thread::sleep(moment);
        process::kill(server.pid());
        let errors = deployers
            .into_iter()
            .map(|deployer| deployer.join().expect("it does not panic"));
        // One that was refused was not cut.
        errors
            .filter(|error| error.to_string().contains("HTTP/1.1"))
            .collect::<Vec<_>>()
    });
    ensure!(
        unkilled.is_empty(),
        "a deploy was refused: {:?}{}",
        unkilled[0],
        server.said()
    );
    report.acknowledged += acknowledged.into_inner().expect("no thread panics");
    report.cut += known
        .iter()
        .filter(|known| known.on_its_way.is_some())
        .count() as u64;
    Ok(())
}

fn name(app: usize) -> String {
    format!("app-{app}")
}

fn host(app: usize) -> String {
    format!("{}.test", name(app))
}

/// Numbers without a pattern that matters here (xorshift64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }
}

fn print(report: &Report) {
    let mut table = Table::new(&["", "figure"]);
    for (what, figure) in [
        ("rounds", f64::from(report.rounds)),
        (
            "killed while starting, beside",
            f64::from(report.killed_at_start),
        ),
        ("deploys acknowledged", report.acknowledged as f64),
        ("deploys cut", report.cut as f64),
        (
            "of those done all the same",
            report.done_unacknowledged as f64,
        ),
        ("start, median, ms", report.start_median),
        ("start, longest, ms", report.start_longest),
    ] {
        table.row([what.to_owned(), crate::report::count(figure)]);
    }
    println!("{table}");
    println!("  seed: {}", report.seed);
    println!(
        "{}",
        mark(
            &format!("{} acknowledged deploys lost (mark: 0)", report.lost),
            report.lost == 0
        )
    );
    println!(
        "{}",
        mark(
            &format!("{} starts failed (mark: 0)", report.not_started),
            report.not_started == 0
        )
    );
}
