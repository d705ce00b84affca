//! How a tenant fares beside another that keeps every CPU busy.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::home::Home;
use crate::load::{Expected, Generator, Load, Until};
use crate::report::{Table, count, mark, median};
use crate::request::Request;
use crate::servers::{self, Server};
use crate::work::{HELLO, Work};

/// By how much less than its share of the requests a tenant may have.
const SHARE_MARK: f64 = 0.9;

/// How many times as long as beside requests that behave the p99 may be beside loops.
const P99_MARK: f64 = 2.0;

/// The weight of who says nothing.
const COMMON_WEIGHT: u32 = 100;

/// The flags of `noisy`.
#[derive(Debug, Args)]
pub struct Noisy {
    /// Endless loops of the noisy tenant; the same number of requests that behave
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    loops: u16,

    /// Connections of the quiet tenant
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Weight of the quiet tenant; the noisy one has 100
    #[arg(long, value_name = "N", default_value_t = COMMON_WEIGHT, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    weight: u32,

    /// Turns: alone, beside requests that behave, beside loops
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured, a line for each neighbour: medians of the rounds.
#[derive(Serialize)]
struct Report {
    weight: u32,
    loops: u16,
    connections: u16,
    lines: Vec<Line>,
    /// Of the requests that the quiet tenant has alone, the part that its weight gives it.
    share: f64,
    errors: u64,
}

#[derive(Serialize)]
struct Line {
    beside: &'static str,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

/// What a round brought, beside one neighbour.
struct Figures {
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Who is beside the quiet tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    Nobody,
    Requests,
    Loops,
}

const NEIGHBOURS: [Neighbour; 3] = [Neighbour::Nobody, Neighbour::Requests, Neighbour::Loops];

impl Neighbour {
    fn name(self) -> &'static str {
        match self {
            Neighbour::Nobody => "nothing",
            Neighbour::Requests => "requests that behave",
            Neighbour::Loops => "endless loops",
        }
    }
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Noisy) -> Result<bool> {
    let artefacts = Artefacts::of_guests(&args.ready, &["spin-forever"])?;
    let home = Home::new("noisy", &apps(&artefacts, args.weight)?)?;
    let server = servers::configured(&artefacts, &home)?;
    let mut errors = 0;
    let mut figures: [Vec<Figures>; 3] = Default::default();
    // Warms it up.
    measure(args, &server, Neighbour::Requests)?;
    for round in 1..=args.rounds {
        for (neighbour, figures) in NEIGHBOURS.into_iter().zip(&mut figures) {
            eprintln!("round {round}: beside {}", neighbour.name());
            let load = measure(args, &server, neighbour)
                .with_context(|| format!("beside {}{}", neighbour.name(), server.said()))?;
            errors += load.errors();
            let microseconds = |quantile| load.latency.value_at_quantile(quantile) as f64 / 1e3;
            figures.push(Figures {
                requests_per_second: load.per_second(),
                p50_us: microseconds(0.5),
                p99_us: microseconds(0.99),
            });
        }
    }
    let line = |(neighbour, figures): (Neighbour, &Vec<Figures>)| Line {
        beside: neighbour.name(),
        requests_per_second: median(figures.iter().map(|one| one.requests_per_second)),
        p50_us: median(figures.iter().map(|one| one.p50_us)),
        p99_us: median(figures.iter().map(|one| one.p99_us)),
    };
    let report = Report {
        weight: args.weight,
        loops: args.loops,
        connections: args.connections,
        lines: NEIGHBOURS.into_iter().zip(&figures).map(line).collect(),
        share: f64::from(args.weight) / f64::from(args.weight + COMMON_WEIGHT),
        errors,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.errors == 0)
}

/// The quiet tenant's requests beside `neighbour`.
fn measure(args: &Noisy, server: &Server, neighbour: Neighbour) -> Result<Load> {
    let request = Request::get_from("quiet.test", "/");
    let until = Until::Elapsed(Duration::from_secs(args.seconds));
    let mut generator = Generator::connect(server.addr, args.connections.into())?;
    let mut quiet = || generator.run(&request, Work::Hello.expected(), until);
    match neighbour {
        Neighbour::Nobody => quiet(),
        Neighbour::Requests => {
            let request = Request::get_from("hello.noisy.test", "/");
            let mut generator = Generator::connect(server.addr, args.loops.into())?;
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                let noise = scope.spawn(|| generator.run(&request, hello(), Until::Told(&done)));
                let load = quiet();
                done.store(true, Ordering::Relaxed);
                noise.join().expect("the load generator does not panic")?;
                load
            })
        }
        Neighbour::Loops => {
            let loops = Loops::start(server, args.loops)?;
            let load = quiet();
            drop(loops);
            load
        }
    }
}

fn hello() -> Expected {
    Expected {
        status: 200,
        length: Some(HELLO.len() as u64),
    }
}

/// Requests that are never answered. They end with their connections.
struct Loops(#[expect(dead_code, reason = "held, not read")] Vec<TcpStream>);

impl Loops {
    fn start(server: &Server, loops: u16) -> Result<Self> {
        let request = Request::get_from("loops.noisy.test", "/");
        let one = || -> Result<TcpStream> {
            let mut stream = TcpStream::connect(server.addr)?;
            stream.write_all(request.piece(0))?;
            Ok(stream)
        };
        let streams: Result<_> = (0..loops).map(|_| one()).collect();
        // Until each had its first tick: what is measured is how they go on.
        thread::sleep(Duration::from_millis(500));
        Ok(Loops(streams?))
    }
}

fn print(report: &Report) {
    println!(
        "hello of a quiet tenant of weight {}, {} connections, beside {} of another's",
        report.weight, report.connections, report.loops
    );
    let mut table = Table::new(&["beside", "req/s", "p50 us", "p99 us"]);
    for line in &report.lines {
        let figures = [line.requests_per_second, line.p50_us, line.p99_us].map(count);
        table.row([line.beside.to_owned()].into_iter().chain(figures));
    }
    println!("{table}");
    let [alone, requests, loops] = &report.lines[..] else {
        return;
    };
    let slower = loops.p99_us / requests.p99_us;
    let what = format!(
        "its p99 beside loops is {slower:.2} of that beside requests that behave; at most {P99_MARK}"
    );
    println!("{}", mark(&what, slower <= P99_MARK));
    let part = loops.requests_per_second / (alone.requests_per_second * report.share);
    let what = format!(
        "beside loops it has {part:.2} of its share, which is {:.2} of what it has alone; at least {SHARE_MARK}",
        report.share
    );
    println!("{}", mark(&what, part >= SHARE_MARK));
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}

/// The apps of both tenants.
fn apps(artefacts: &Artefacts, weight: u32) -> Result<String> {
    let (hello, spin) = (
        artefacts.example("hello")?,
        artefacts.example("spin-forever")?,
    );
    let (hello, spin) = (hello.display(), spin.display());
    Ok(format!(
        "[defaults]\ncpu = \"1h\"\ntimeout = \"1h\"\n\
         [tenants.noisy]\n[tenants.quiet]\nweight = {weight}\n\
         [apps.loops]\ntenant = \"noisy\"\nhosts = [\"loops.noisy.test\"]\ncomponent = '{spin}'\n\
         [apps.hello]\ntenant = \"noisy\"\nhosts = [\"hello.noisy.test\"]\ncomponent = '{hello}'\n\
         [apps.quiet]\ntenant = \"quiet\"\nhosts = [\"quiet.test\"]\ncomponent = '{hello}'\n"
    ))
}
