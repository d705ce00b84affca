//! What is answered at twice the load that can be, and what is shed: how soon, and whose.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::ask;
use crate::home::Home;
use crate::load::{Expected, Generator, Until};
use crate::open::{Asked, Clients, Outcome};
use crate::report::{Table, count, mark};
use crate::request::Request;
use crate::servers::{self, Server};

/// How much CPU time a request is to take.
const WORK: Duration = Duration::from_millis(1);

/// Connections with which the peak is looked for, and clients of each tenant beyond it.
const CONNECTIONS: [usize; 4] = [2, 4, 8, 16];
const CLIENTS: usize = 64;

/// The part of the peak that is to be left, and how long one waits for its 503 at most.
const GOODPUT_MARK: f64 = 0.9;
const SHED_MARK_MS: f64 = 5.0;

/// The flags of `overload`.
#[derive(Debug, Args)]
pub struct Overload {
    /// How many times as much as can be answered is asked
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    times: f64,

    /// The modest tenant's part of what can be answered; its share is a half
    #[arg(long, value_name = "PART", default_value_t = 0.25)]
    modest: f64,

    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
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
    /// The most that was answered in a second, with as many connections as do best.
    peak: f64,
    asked: f64,
    greedy: Line,
    modest: Line,
    errors: u64,
}

#[derive(Serialize)]
struct Line {
    asked_per_second: f64,
    answered_per_second: f64,
    shed_part: f64,
    p99_ms: f64,
    shed_p99_ms: f64,
}

/// Runs it. Returns whether every answer was one of those that may come.
pub fn run(args: &Overload) -> Result<bool> {
    let artefacts = Artefacts::of_guests(&args.ready, &["works"])?;
    let app = artefacts.example("works")?;
    let app = app.display();
    let home = Home::new(
        "overload",
        &format!(
            "[tenants.greedy]\nconcurrency = 16\nqueue = 16\n\
             [tenants.modest]\nconcurrency = 16\nqueue = 16\n\
             [apps.greedy]\ntenant = \"greedy\"\nhosts = [\"greedy.test\"]\ncomponent = '{app}'\n\
             [apps.modest]\ntenant = \"modest\"\nhosts = [\"modest.test\"]\ncomponent = '{app}'\n"
        ),
    )?;
    let server = servers::configured(&artefacts, &home.config())?;
    let target = format!("/?{}", rounds(&server)?);
    let peak = peak(args, &server, &target).with_context(|| server.said())?;
    let asked = peak * args.times;
    eprintln!("peak: {peak:.0} requests in a second; asking for {asked:.0}");
    let time = Duration::from_secs(args.seconds);
    let modest_rate = peak * args.modest;
    let send = |host: &str, rate: f64| -> Result<(f64, Outcome)> {
        let asked = Asked {
            request: &Request::get_from(host, &target),
            rate,
            until: Until::Elapsed(time),
        };
        let mut clients = Clients::connect(server.addr, CLIENTS)?;
        Ok((rate, clients.run(asked)?))
    };
    let (greedy, modest) = thread::scope(|scope| {
        let greedy = scope.spawn(|| send("greedy.test", asked - modest_rate));
        let modest = send("modest.test", modest_rate);
        (greedy.join().expect("the load does not panic"), modest)
    });
    let (greedy, modest) = (greedy?, modest?);
    let report = Report {
        peak,
        asked,
        errors: greedy.1.wrong + modest.1.wrong,
        greedy: line(&greedy),
        modest: line(&modest),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.errors == 0)
}

fn line((rate, outcome): &(f64, Outcome)) -> Line {
    let p99 = |latency: &hdrhistogram::Histogram<u64>| latency.value_at_quantile(0.99) as f64 / 1e6;
    Line {
        asked_per_second: *rate,
        answered_per_second: outcome.per_second(),
        shed_part: outcome.shed_part(),
        p99_ms: p99(&outcome.latency),
        shed_p99_ms: p99(&outcome.shed_latency),
    }
}

/// How many thousand rounds take as long as a request is to.
fn rounds(server: &Server) -> Result<u64> {
    let mut rounds = 16;
    loop {
        let request = Request::get_from("modest.test", &format!("/?{rounds}"));
        let mut least = Duration::MAX;
        for _ in 0..10 {
            let begun = Instant::now();
            ask::ask_for_body(server.addr, &request)?;
            least = least.min(begun.elapsed());
        }
        if least >= WORK {
            return Ok(rounds);
        }
        rounds += rounds / 4;
        ensure!(rounds < 1 << 40, "the guest does not work");
    }
}

/// The most that is answered in a second, of both tenants together.
fn peak(args: &Overload, server: &Server, target: &str) -> Result<f64> {
    let expected = Expected {
        status: 200,
        length: Some(4),
    };
    let until = Until::Elapsed(Duration::from_secs(args.seconds));
    let mut peak = 0.0_f64;
    for connections in CONNECTIONS {
        let half = |host: &str| {
            let request = Request::get_from(host, target);
            Generator::connect(server.addr, connections / 2)?.run(&request, expected, until)
        };
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| half("greedy.test"));
            let other = half("modest.test");
            (one.join().expect("the load does not panic"), other)
        });
        let (one, other) = (one?, other?);
        ensure!(one.errors() + other.errors() == 0, "an answer was wrong");
        let together = one.per_second() + other.per_second();
        eprintln!("{connections} connections: {together:.0} requests in a second");
        peak = peak.max(together);
    }
    Ok(peak)
}

fn print(report: &Report) {
    println!(
        "requests of {WORK:?} of CPU time; {} in a second is the most that is answered",
        count(report.peak)
    );
    let mut table = Table::new(&[
        "tenant",
        "asked/s",
        "answered/s",
        "shed",
        "p99 ms",
        "p99 of 503 ms",
    ]);
    for (name, line) in [("greedy", &report.greedy), ("modest", &report.modest)] {
        table.row([
            name.to_owned(),
            count(line.asked_per_second),
            count(line.answered_per_second),
            format!("{:.1} %", line.shed_part * 100.0),
            format!("{:.1}", line.p99_ms),
            format!("{:.1}", line.shed_p99_ms),
        ]);
    }
    println!("{table}");
    let goodput = report.greedy.answered_per_second + report.modest.answered_per_second;
    let part = goodput / report.peak;
    let what = format!(
        "asked for {} in a second, {part:.2} of the peak is answered; at least {GOODPUT_MARK}",
        count(report.asked)
    );
    println!("{}", mark(&what, part >= GOODPUT_MARK));
    let late = report.greedy.shed_p99_ms.max(report.modest.shed_p99_ms);
    let what = format!("what is shed is shed within {late:.1} ms (p99); at most {SHED_MARK_MS}");
    println!("{}", mark(&what, late < SHED_MARK_MS));
    let what = format!(
        "of the tenant that asks for less than its share {:.2} % is shed; none",
        report.modest.shed_part * 100.0
    );
    println!("{}", mark(&what, report.modest.shed_part == 0.0));
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}
