//! Servers in turn, on the same work.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready, version};
use crate::load::{Generator, Until};
use crate::process;
use crate::report::{self, Table, count, median, ratio};
use crate::servers::{Kind, Server};
use crate::syscalls::{self, Traced};
use crate::work::Work;
use crate::wrk;

/// The flags of `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// How often each server has its turn
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of a turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Connections, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Only this work; may be repeated
    #[arg(long, value_name = "WORK", value_enum)]
    work: Vec<Work>,

    /// Load with wrk, which must be installed, instead of the generator inside
    #[arg(long)]
    wrk: bool,

    /// wasmtime to compare with [default: the one on the PATH, if any]
    #[arg(long, value_name = "PATH")]
    wasmtime: Option<PathBuf>,

    /// Do not count system calls
    #[arg(long)]
    no_syscalls: bool,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured.
#[derive(Serialize)]
struct Report {
    cores: usize,
    /// The load average of the last minute, before and after: what else ran.
    load_average: [f64; 2],
    rhost: Option<String>,
    wasmtime: Option<String>,
    generator: &'static str,
    rounds: u32,
    seconds: u64,
    connections: u16,
    works: Vec<Done>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_calls: Option<Vec<Traced>>,
}

/// One work, done by every server.
#[derive(Serialize)]
struct Done {
    work: &'static str,
    servers: Vec<Row>,
}

/// What a server made of a work: medians of its rounds.
#[derive(Serialize)]
struct Row {
    server: Kind,
    requests_per_second: f64,
    /// The difference between the best and the worst round, to the median.
    spread: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us_per_request: f64,
    /// What the generator spent on a CPU for each: little enough, or the figures
    /// are the generator's.
    generator_us_per_request: f64,
    to_bare_hyper: Option<f64>,
    to_wasmtime_serve: Option<f64>,
    requests: u64,
    errors: u64,
}

/// One turn of a server.
struct Turn {
    answers: u64,
    errors: u64,
    per_second: f64,
    p50: f64,
    p99: f64,
    cpu: Duration,
    generator_cpu: Duration,
}

impl Turn {
    fn per_request(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.answers as f64
    }
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Compare) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello", "stream", "environ"])?
        .with_wasmtime(args.wasmtime.as_deref())?;
    let mut kinds = vec![Kind::BareHyper, Kind::Rhost, Kind::RhostLogging];
    if artefacts.wasmtime.is_some() {
        kinds.push(Kind::Wasmtime);
    } else {
        eprintln!("wasmtime is not installed: it is left out");
    }
    let wasmtime = artefacts.wasmtime.as_ref();
    let mut all = Report {
        cores: std::thread::available_parallelism()?.get(),
        load_average: [load_average(), 0.0],
        rhost: version(&artefacts.rhost),
        wasmtime: wasmtime.and_then(|(wasmtime, _)| version(wasmtime)),
        generator: if args.wrk { "wrk" } else { "inside" },
        rounds: args.rounds,
        seconds: args.seconds,
        connections: args.connections,
        works: Vec::new(),
        system_calls: None,
    };
    if !args.json {
        print_head(&all);
    }
    let works = if args.work.is_empty() {
        &Work::ALL[..]
    } else {
        &args.work
    };
    for &work in works {
        let done = compare(args, &artefacts, &kinds, work)?;
        if !args.json {
            println!("{}\n{}", done.work, table(&done));
        }
        all.works.push(done);
    }
    if !args.no_syscalls {
        all.system_calls = syscalls::count(&artefacts, args.connections.into())?;
        if !args.json {
            syscalls::print(all.system_calls.as_deref());
        }
    }
    all.load_average[1] = load_average();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print_marks(&all);
        println!(
            "  load average of the last minute: {:.2}",
            all.load_average[1]
        );
    }
    let rows = all.works.iter().flat_map(|done| &done.servers);
    let traced = all.system_calls.iter().flatten();
    let errors =
        rows.map(|row| row.errors).sum::<u64>() + traced.map(|traced| traced.errors).sum::<u64>();
    if errors > 0 {
        eprintln!("{errors} answers were wrong");
    }
    Ok(errors == 0)
}

fn compare(args: &Compare, artefacts: &Artefacts, kinds: &[Kind], work: Work) -> Result<Done> {
    let servers = kinds
        .iter()
        .map(|kind| kind.start(artefacts, work))
        .collect::<Result<Vec<_>>>()?;
    for (kind, server) in kinds.iter().zip(&servers) {
        eprintln!("{}: {} warms up", work.name(), kind.name());
        turn(args, server, work, Duration::from_secs(1))?;
    }
    let mut turns: Vec<Vec<Turn>> = kinds.iter().map(|_| Vec::new()).collect();
    for round in 0..args.rounds as usize {
        eprintln!("{}: round {} of {}", work.name(), round + 1, args.rounds);
        // Another begins each round, so that none is always after the same.
        for index in (0..kinds.len()).map(|index| (index + round) % kinds.len()) {
            let time = Duration::from_secs(args.seconds);
            let turn = turn(args, &servers[index], work, time)
                .with_context(|| format!("{}{}", kinds[index].name(), servers[index].said()))?;
            turns[index].push(turn);
        }
    }
    let row = |index: usize| row(kinds, &turns, index);
    Ok(Done {
        work: work.name(),
        servers: (0..kinds.len()).map(row).collect(),
    })
}

fn turn(args: &Compare, server: &Server, work: Work, time: Duration) -> Result<Turn> {
    let connections = args.connections.into();
    let generator_before = process::own_cpu_time()?;
    let before = process::cpu_time(server.pid())?;
    let mut turn = if args.wrk {
        let report = wrk::run(server.addr, work, connections, time)?;
        Turn {
            answers: report.answers,
            errors: report.errors,
            per_second: report.per_second,
            p50: report.p50,
            p99: report.p99,
            cpu: Duration::ZERO,
            generator_cpu: Duration::ZERO,
        }
    } else {
        let mut generator = Generator::connect(server.addr, connections)?;
        let load = generator.run(&work.request(), work.expected(), Until::Elapsed(time))?;
        let microseconds = |quantile| load.latency.value_at_quantile(quantile) as f64 / 1e3;
        Turn {
            answers: load.answers,
            errors: load.errors(),
            per_second: load.per_second(),
            p50: microseconds(0.5),
            p99: microseconds(0.99),
            cpu: Duration::ZERO,
            generator_cpu: Duration::ZERO,
        }
    };
    turn.cpu = process::cpu_time(server.pid())? - before;
    turn.generator_cpu = process::own_cpu_time()? - generator_before;
    Ok(turn)
}

fn row(kinds: &[Kind], turns: &[Vec<Turn>], index: usize) -> Row {
    let own = &turns[index];
    let to = |kind: Kind| {
        let other = kinds
            .iter()
            .position(|&other| other == kind && kinds[index] != kind)?;
        // Turns of one round, so that what slows the machine slows both.
        let pairs = own.iter().zip(&turns[other]);
        Some(median(
            pairs.map(|(own, other)| own.per_second / other.per_second),
        ))
    };
    let rates = || own.iter().map(|turn| turn.per_second);
    let middle = median(rates());
    Row {
        server: kinds[index],
        requests_per_second: middle,
        spread: (rates().fold(0.0, f64::max) - rates().fold(f64::MAX, f64::min)) / middle,
        p50_us: median(own.iter().map(|turn| turn.p50)),
        p99_us: median(own.iter().map(|turn| turn.p99)),
        cpu_us_per_request: median(own.iter().map(|turn| turn.per_request(turn.cpu))),
        generator_us_per_request: median(
            own.iter().map(|turn| turn.per_request(turn.generator_cpu)),
        ),
        to_bare_hyper: to(Kind::BareHyper),
        to_wasmtime_serve: to(Kind::Wasmtime),
        requests: own.iter().map(|turn| turn.answers).sum(),
        errors: own.iter().map(|turn| turn.errors).sum(),
    }
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    let first = text.split_ascii_whitespace().next();
    first
        .and_then(|first| first.parse().ok())
        .unwrap_or(f64::NAN)
}

fn print_head(report: &Report) {
    let rhost = report.rhost.as_deref().unwrap_or("rhost");
    let wasmtime = report.wasmtime.as_deref().unwrap_or("no wasmtime");
    println!(
        "{rhost}, {wasmtime}; {} cores, load average {:.2}; generator {}, {} connections, {} rounds of {} s\n",
        report.cores,
        report.load_average[0],
        report.generator,
        report.connections,
        report.rounds,
        report.seconds,
    );
}

fn table(done: &Done) -> Table {
    let mut table = Table::new(&[
        "server",
        "req/s",
        "spread",
        "p50 us",
        "p99 us",
        "CPU us/req",
        "load us/req",
        "to hyper",
        "to wasmtime",
        "errors",
    ]);
    for row in &done.servers {
        table.row([
            row.server.name().into(),
            count(row.requests_per_second),
            format!("{:.0} %", row.spread * 100.0),
            count(row.p50_us),
            count(row.p99_us),
            format!("{:.1}", row.cpu_us_per_request),
            format!("{:.1}", row.generator_us_per_request),
            ratio(row.to_bare_hyper),
            ratio(row.to_wasmtime_serve),
            count(row.errors as f64),
        ]);
    }
    table
}

/// Of hello; the other works have no marks.
fn print_marks(report: &Report) {
    let Some(hello) = report
        .works
        .iter()
        .find(|done| done.work == Work::Hello.name())
    else {
        return;
    };
    for row in &hello.servers {
        if !matches!(row.server, Kind::Rhost | Kind::RhostLogging) {
            continue;
        }
        let marks = [
            (row.to_bare_hyper, "bare hyper", 0.5),
            (row.to_wasmtime_serve, "wasmtime serve", 4.0),
        ];
        for (ratio, other, mark) in marks {
            if let Some(ratio) = ratio {
                let what = format!(
                    "hello, {}: {ratio:.2} of {other} (mark: {mark:.2})",
                    row.server.name()
                );
                println!("{}", report::mark(&what, ratio >= mark));
            }
        }
    }
}
