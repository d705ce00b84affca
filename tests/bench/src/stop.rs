//! How soon an endless loop is stopped, and what it does to its neighbours.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::ask;
use crate::load::{Expected, Generator, Load, Until};
use crate::process;
use crate::report::{Table, count, mark, median};
use crate::request::Request;
use crate::servers::{self, Server};
use crate::work::Work;

/// What a guest that loops may use, by either limit.
const LIMIT: Duration = Duration::from_millis(100);
const LIMIT_FLAG: &str = "100ms";

/// How much later than that the answer may come, in milliseconds.
const OVERSHOOT_MARK: f64 = 10.0;

/// Connections of the neighbour.
const CONNECTIONS: usize = 4;

/// The flags of `stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// How often a loop is started
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of each measurement of the neighbours
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured.
#[derive(Serialize)]
struct Report {
    stopped: Vec<Stopped>,
    /// Hello in a process of its own.
    hello: Vec<Neighbour>,
    /// An app that answers and loops in one process.
    same_process: Vec<Neighbour>,
    errors: u64,
}

/// How a loop ended. Milliseconds.
#[derive(Serialize)]
struct Stopped {
    limit: &'static str,
    beside_hello: bool,
    rounds: u32,
    /// From the request to its 504, less the limit.
    median_over: f64,
    most_over: f64,
    /// Time on a CPU for a request, less the limit.
    median_cpu_over: f64,
    most_cpu_over: f64,
}

/// How the neighbour fares.
#[derive(Serialize)]
struct Neighbour {
    beside: String,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    most_us: f64,
    errors: u64,
}

impl Stopped {
    fn machine(&self) -> &'static str {
        if self.beside_hello { "loaded" } else { "idle" }
    }

    /// What its limit is about: a loop on a busy machine waits for a CPU, and
    /// that is not charged to it.
    fn over(&self) -> (f64, &'static str) {
        match self.limit {
            "--cpu" => (self.most_cpu_over, "ms on a CPU"),
            _ => (self.most_over, "ms"),
        }
    }
}

impl Neighbour {
    fn new(beside: impl Into<String>, load: &Load) -> Self {
        let microseconds = |quantile| load.latency.value_at_quantile(quantile) as f64 / 1e3;
        Neighbour {
            beside: beside.into(),
            requests_per_second: load.per_second(),
            p50_us: microseconds(0.5),
            p99_us: microseconds(0.99),
            most_us: load.latency.max() as f64 / 1e3,
            errors: load.errors(),
        }
    }
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Stop) -> Result<bool> {
    let artefacts = Artefacts::of_guests(&args.ready, &["spin-forever", "hangs"])?;
    let mut report = Report {
        stopped: Vec::new(),
        hello: Vec::new(),
        same_process: Vec::new(),
        errors: 0,
    };
    apart(args, &artefacts, &mut report)?;
    together(args, &artefacts, &mut report)?;
    let neighbours = report.hello.iter().chain(&report.same_process);
    report.errors += neighbours.map(|neighbour| neighbour.errors).sum::<u64>();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.errors == 0)
}

/// Loops in one process, hello in another.
fn apart(args: &Stop, artefacts: &Artefacts, report: &mut Report) -> Result<()> {
    let hello = servers::rhost(artefacts, &artefacts.example("hello")?, &[])?;
    Work::Hello.verify(hello.addr)?;
    let time = Duration::from_secs(args.seconds);
    // Also what warms it up.
    load_hello(hello.addr, Until::Elapsed(Duration::from_secs(1)))?;
    let alone = load_hello(hello.addr, Until::Elapsed(time))?;
    report.hello.push(Neighbour::new("nothing", &alone));
    for limit in ["--timeout", "--cpu"] {
        let app = artefacts.example("spin-forever")?;
        let spinning = servers::rhost(artefacts, &app, &[limit, LIMIT_FLAG])?;
        // The first one also finds its code and memory cold.
        spin(&spinning, 1, &mut report.errors)?;
        eprintln!("{limit}: {} loops on an idle machine", args.rounds);
        let overshoots = spin(&spinning, args.rounds, &mut report.errors)?;
        report.stopped.push(stopped(limit, false, &overshoots));
        eprintln!("{limit}: {} loops beside hello", args.rounds);
        let (overshoots, load) = beside(
            || spin(&spinning, args.rounds, &mut report.errors),
            |done| load_hello(hello.addr, Until::Told(done)),
        )?;
        report.stopped.push(stopped(limit, true, &overshoots));
        let name = format!("loops under {limit}");
        report.hello.push(Neighbour::new(name, &load));
    }
    Ok(())
}

fn load_hello(addr: SocketAddr, until: Until<'_>) -> Result<Load> {
    let work = Work::Hello;
    Generator::connect(addr, CONNECTIONS)?.run(&work.request(), work.expected(), until)
}

/// Runs `load` on a thread of its own until `measure` is done.
fn beside<T>(
    measure: impl FnOnce() -> Result<T>,
    load: impl FnOnce(&AtomicBool) -> Result<Load> + Send,
) -> Result<(T, Load)> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| load(&done));
        let measured = measure();
        done.store(true, Ordering::Relaxed);
        let load = load.join().expect("the load generator does not panic");
        Ok((measured?, load?))
    })
}

/// What the loops of a measurement came to.
struct Overshoots {
    /// Milliseconds after the limit, one by one.
    late: Vec<f64>,
    /// Milliseconds on a CPU after the limit, one by one.
    cpu: Vec<f64>,
}

fn spin(server: &Server, rounds: u32, errors: &mut u64) -> Result<Overshoots> {
    let request = Request::get("/");
    let over = |took: Duration| (took.as_secs_f64() - LIMIT.as_secs_f64()) * 1e3;
    let (mut late, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = process::precise_cpu_time(server.pid())?;
        let reply = ask::ask(server.addr, &request)
            .with_context(|| format!("a loop was not stopped{}", server.said()))?;
        if reply.answer.is_none_or(|answer| answer.status != 504) {
            eprintln!("not a 504: {:?}", reply.answer);
            *errors += 1;
        }
        late.push(over(reply.took));
        let after = process::precise_cpu_time(server.pid())?;
        cpu.push(over(after.saturating_sub(before)));
    }
    Ok(Overshoots { late, cpu })
}

fn stopped(limit: &'static str, beside_hello: bool, overshoots: &Overshoots) -> Stopped {
    let Overshoots { late, cpu } = overshoots;
    let most = |figures: &[f64]| figures.iter().copied().fold(f64::MIN, f64::max);
    Stopped {
        limit,
        beside_hello,
        rounds: late.len() as u32,
        median_over: median(late.iter().copied()),
        most_over: most(late),
        median_cpu_over: median(cpu.iter().copied()),
        most_cpu_over: most(cpu),
    }
}

/// Loops and quick answers in one process.
fn together(args: &Stop, artefacts: &Artefacts, report: &mut Report) -> Result<()> {
    let app = artefacts.example("hangs")?;
    let server = servers::rhost(artefacts, &app, &["--timeout", LIMIT_FLAG])?;
    let (quick, loops) = (Request::get("/answer"), Request::get("/spin"));
    let expected = Expected {
        status: 200,
        length: Some(5),
    };
    let time = Duration::from_secs(args.seconds);
    let mut generator = Generator::connect(server.addr, CONNECTIONS)?;
    generator.run(&quick, expected, Until::Elapsed(Duration::from_secs(1)))?;
    for spinning in [0, 1, 4] {
        eprintln!("one process: beside {spinning} loops");
        let done = AtomicBool::new(false);
        let load = thread::scope(|scope| {
            // How a loop ends was looked at above; here it only has to be
            // there all the time.
            let spin = || -> Result<()> {
                while !done.load(Ordering::Relaxed) {
                    ask::ask(server.addr, &loops)?;
                }
                Ok(())
            };
            let spinners: Vec<_> = (0..spinning).map(|_| scope.spawn(spin)).collect();
            let load = generator.run(&quick, expected, Until::Elapsed(time));
            done.store(true, Ordering::Relaxed);
            for spinner in spinners {
                spinner.join().expect("asking does not panic")?;
            }
            load
        })
        .with_context(|| format!("the app `hangs`{}", server.said()))?;
        let name = match spinning {
            0 => "nothing".into(),
            1 => "1 loop".into(),
            _ => format!("{spinning} loops"),
        };
        report.same_process.push(Neighbour::new(name, &load));
    }
    Ok(())
}

fn print(report: &Report) {
    println!("an endless loop under a limit of {LIMIT_FLAG}: how much later its 504 comes,");
    println!("and how much more it has spent on a CPU, in ms");
    let mut table = Table::new(&[
        "limit",
        "machine",
        "median",
        "most",
        "CPU median",
        "CPU most",
        "rounds",
    ]);
    for stopped in &report.stopped {
        let figures = [
            stopped.median_over,
            stopped.most_over,
            stopped.median_cpu_over,
            stopped.most_cpu_over,
        ];
        let mut cells = vec![stopped.limit.to_owned(), stopped.machine().to_owned()];
        cells.extend(figures.map(|figure| format!("{figure:+.2}")));
        cells.push(stopped.rounds.to_string());
        table.row(cells);
    }
    println!("{table}");
    println!("hello in another process, {CONNECTIONS} connections");
    println!("{}", neighbours(&report.hello));
    println!("answers and loops in one process, {CONNECTIONS} connections for the answers");
    println!("{}", neighbours(&report.same_process));
    for stopped in &report.stopped {
        let (over, unit) = stopped.over();
        let what = format!(
            "{}, {} machine: at most {over:+.2} {unit} (mark: {OVERSHOOT_MARK})",
            stopped.limit,
            stopped.machine()
        );
        println!("{}", mark(&what, over <= OVERSHOOT_MARK));
    }
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}

fn neighbours(neighbours: &[Neighbour]) -> Table {
    let mut table = Table::new(&["beside", "req/s", "p50 us", "p99 us", "most us", "errors"]);
    for neighbour in neighbours {
        table.row([
            neighbour.beside.clone(),
            count(neighbour.requests_per_second),
            count(neighbour.p50_us),
            count(neighbour.p99_us),
            count(neighbour.most_us),
            count(neighbour.errors as f64),
        ]);
    }
    table
}
