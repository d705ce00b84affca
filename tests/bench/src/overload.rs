//! What is answered at twice the load that can be, and what is shed: how soon, and whose.
//!
//! The most that can be answered is measured before and after each time that more is asked
//! for: a machine that is shared is not as fast from one moment to the next. The clients of
//! both tenants connect in turn, which is how it is hardest to be fair: on two cores each
//! tenant has all its connections on a thread of its own.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::ask;
use crate::home::Home;
use crate::load::{Expected, Generator, Until};
use crate::open::{Asked, Clients, Outcome};
use crate::report::{Table, count, mark, median};
use crate::request::Request;
use crate::servers::{self, Server};

/// How much CPU time a request is to take.
const WORK: Duration = Duration::from_millis(1);

/// Connections with which the peak is looked for, and clients of each tenant beyond it.
const CONNECTIONS: [usize; 3] = [8, 16, 32];
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

    /// Times that more is asked for than can be answered
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,

    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured; of rounds the medians, unless it says otherwise.
#[derive(Serialize)]
struct Report {
    rounds: u64,
    /// Connections with which most is answered.
    connections: usize,
    /// The most that was answered in a second.
    peak: f64,
    asked: f64,
    /// What was answered, to the peaks before and after it.
    goodput: f64,
    /// Of both tenants.
    shed_p99_ms: f64,
    greedy: Line,
    modest: Line,
    errors: u64,
}

#[derive(Serialize)]
struct Line {
    asked_per_second: f64,
    answered_per_second: f64,
    /// In the round in which it was most.
    shed_part: f64,
    p99_ms: f64,
    shed_p99_ms: f64,
}

/// One time that more was asked for, by the one tenant and by the other.
struct Round {
    greedy: (f64, Outcome),
    modest: (f64, Outcome),
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
    let server = servers::configured(&artefacts, &home)?;
    let target = format!("/?{}", rounds(&server)?);
    let report = measure(args, &server, &target).with_context(|| server.said())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.errors == 0)
}

fn measure(args: &Overload, server: &Server, target: &str) -> Result<Report> {
    let time = Duration::from_secs(args.seconds);
    let mut connections = CONNECTIONS[0];
    let mut most = 0.0_f64;
    for tried in CONNECTIONS {
        let found = peak(time, server, target, tried)?;
        eprintln!("{tried} connections: {found:.0} requests in a second");
        if found > most {
            (most, connections) = (found, tried);
        }
    }
    let (mut peaks, mut rounds) = (vec![peak(time, server, target, connections)?], Vec::new());
    for number in 1..=args.rounds {
        let last = peaks[peaks.len() - 1];
        eprintln!("round {number}: asking for {:.0}", last * args.times);
        let round = ask_for_more(args, server, target, last)?;
        for (name, (_, outcome)) in [("greedy", &round.greedy), ("modest", &round.modest)] {
            eprintln!(
                "  {name}: {:.0} answered in a second within {:.1} ms, {:.1} % shed within {:.1} ms",
                outcome.per_second(),
                p99(&outcome.latency),
                outcome.shed_part() * 100.0,
                p99(&outcome.shed_latency)
            );
        }
        rounds.push(round);
        peaks.push(peak(time, server, target, connections)?);
    }
    let answered = |round: &Round| round.greedy.1.per_second() + round.modest.1.per_second();
    let around = peaks.windows(2).map(|two| (two[0] + two[1]) / 2.0);
    let goodput = median(
        rounds
            .iter()
            .map(answered)
            .zip(around)
            .map(|(some, all)| some / all),
    );
    let late = |round: &Round| {
        let [one, other] = [&round.greedy, &round.modest].map(|(_, it)| p99(&it.shed_latency));
        one.max(other)
    };
    Ok(Report {
        rounds: args.rounds,
        connections,
        peak: median(peaks.iter().copied()),
        asked: median(rounds.iter().map(|round| round.greedy.0 + round.modest.0)),
        goodput,
        shed_p99_ms: median(rounds.iter().map(late)),
        errors: rounds
            .iter()
            .map(|round| round.greedy.1.wrong + round.modest.1.wrong)
            .sum(),
        greedy: line(rounds.iter().map(|round| &round.greedy)),
        modest: line(rounds.iter().map(|round| &round.modest)),
    })
}

/// Asks for more than the `peak`.
fn ask_for_more(args: &Overload, server: &Server, target: &str, peak: f64) -> Result<Round> {
    let time = Duration::from_secs(args.seconds);
    let modest_rate = peak * args.modest;
    let [for_greedy, for_modest] = Clients::connect_in_turn(server.addr, CLIENTS)?;
    let send = |mut clients: Clients, host: &str, rate: f64| -> Result<(f64, Outcome)> {
        let asked = Asked {
            request: &Request::get_from(host, target),
            rate,
            until: Until::Elapsed(time),
        };
        Ok((rate, clients.run(asked)?))
    };
    let greedy_rate = peak * args.times - modest_rate;
    let (greedy, modest) = thread::scope(|scope| {
        let greedy = scope.spawn(|| send(for_greedy, "greedy.test", greedy_rate));
        let modest = send(for_modest, "modest.test", modest_rate);
        (greedy.join().expect("the load does not panic"), modest)
    });
    Ok(Round {
        greedy: greedy?,
        modest: modest?,
    })
}

/// In milliseconds.
fn p99(latency: &Histogram<u64>) -> f64 {
    latency.value_at_quantile(0.99) as f64 / 1e6
}

fn line<'a>(rounds: impl Iterator<Item = &'a (f64, Outcome)> + Clone) -> Line {
    let shed = rounds.clone().map(|(_, outcome)| outcome.shed_part());
    let outcomes = rounds.clone().map(|(_, outcome)| outcome);
    Line {
        asked_per_second: median(rounds.map(|(rate, _)| *rate)),
        answered_per_second: median(outcomes.clone().map(Outcome::per_second)),
        shed_part: shed.fold(0.0, f64::max),
        p99_ms: median(outcomes.clone().map(|outcome| p99(&outcome.latency))),
        shed_p99_ms: median(outcomes.map(|outcome| p99(&outcome.shed_latency))),
    }
}

/// How many thousand rounds take as long as a request is to.
fn rounds(server: &Server) -> Result<u64> {
    let mut rounds = 16;
    loop {
        let request = Request::get_from("modest.test", &format!("/?{rounds}"));
        let mut least = Duration::MAX;
        for _ in 0..50 {
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

/// The most that is answered in a second over so many connections, of both tenants
/// together.
fn peak(time: Duration, server: &Server, target: &str, connections: usize) -> Result<f64> {
    let expected = Expected {
        status: 200,
        length: Some(4),
    };
    let half = |host: &str| {
        let request = Request::get_from(host, target);
        let mut generator = Generator::connect(server.addr, connections / 2)?;
        generator.run(&request, expected, Until::Elapsed(time))
    };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| half("greedy.test"));
        let other = half("modest.test");
        (one.join().expect("the load does not panic"), other)
    });
    let (one, other) = (one?, other?);
    ensure!(one.errors() + other.errors() == 0, "an answer was wrong");
    Ok(one.per_second() + other.per_second())
}

fn print(report: &Report) {
    println!(
        "requests of {WORK:?} of CPU time; {} in a second is the most that is answered, over {} connections",
        count(report.peak),
        report.connections
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
    let what = format!(
        "asked for {} in a second, {:.2} of the peak is answered (median of {}); at least {GOODPUT_MARK}",
        count(report.asked),
        report.goodput,
        report.rounds
    );
    println!("{}", mark(&what, report.goodput >= GOODPUT_MARK));
    let late = report.shed_p99_ms;
    let what = format!(
        "what is shed is shed within {late:.1} ms (p99, median of {}); at most {SHED_MARK_MS}",
        report.rounds
    );
    println!("{}", mark(&what, late < SHED_MARK_MS));
    let what = format!(
        "of the tenant that asks for less than its share {:.2} % is shed at most; none",
        report.modest.shed_part * 100.0
    );
    println!("{}", mark(&what, report.modest.shed_part == 0.0));
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}
