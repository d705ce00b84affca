//! Whether memory stays flat: over many requests, and over a large one.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::load::{Expected, Generator, Until};
use crate::process::{self, Memory};
use crate::report::{Table, count, mark, mib};
use crate::request::Request;
use crate::servers;
use crate::work::Work;

/// How much resident memory may change, in percent.
const DRIFT_MARK: f64 = 2.0;

/// How much a stream may raise it, in octets.
const STREAM_MARK: u64 = 16 << 20;

/// The flags of `soak`.
#[derive(Debug, Args)]
pub struct Soak {
    /// Requests of hello in all; memory is compared with that after a tenth
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10..))]
    requests: u64,

    /// Connections, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// MiB that are streamed through the echo
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..))]
    echo_mib: u64,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured; octets.
#[derive(Serialize)]
struct Report {
    hello: Vec<Point>,
    /// From the first tenth to the end, in percent.
    drift: f64,
    echo: Echo,
    errors: u64,
}

#[derive(Serialize)]
struct Point {
    requests: u64,
    resident: u64,
    anonymous: u64,
}

#[derive(Serialize)]
struct Echo {
    octets: u64,
    seconds: f64,
    before: u64,
    peak: u64,
    rise: u64,
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Soak) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello", "stream"])?;
    let (hello, mut errors) = many(args, &artefacts)?;
    let (echo, broken) = large(args, &artefacts)?;
    errors += broken;
    let (first, last) = (
        hello[0].resident as f64,
        hello[hello.len() - 1].resident as f64,
    );
    let report = Report {
        drift: (last - first) / first * 100.0,
        hello,
        echo,
        errors,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(errors == 0)
}

/// A tenth of the requests at a time, on connections that stay open.
fn many(args: &Soak, artefacts: &Artefacts) -> Result<(Vec<Point>, u64)> {
    let work = Work::Hello;
    let server = servers::rhost(artefacts, &artefacts.example(work.app())?, &[])?;
    work.verify(server.addr)?;
    let mut generator = Generator::connect(server.addr, args.connections.into())?;
    let (mut points, mut errors, mut requests) = (Vec::new(), 0, 0);
    for tenth in 1..=10 {
        let more = args.requests * tenth / 10 - requests;
        let load = generator.run(&work.request(), work.expected(), Until::Requests(more))?;
        requests += more;
        errors += load.errors();
        let Memory {
            resident,
            anonymous,
            ..
        } = process::memory(server.pid())?;
        eprintln!(
            "hello: {} requests, {}",
            count(requests as f64),
            mib(resident)
        );
        points.push(Point {
            requests,
            resident,
            anonymous,
        });
    }
    Ok((points, errors))
}

/// One request, which is sent while its answer is read.
fn large(args: &Soak, artefacts: &Artefacts) -> Result<(Echo, u64)> {
    let octets = args.echo_mib << 20;
    let server = servers::rhost(artefacts, &artefacts.example("stream")?, &[])?;
    Work::Down.verify(server.addr)?;
    let mut generator = Generator::connect(server.addr, 1)?;
    process::forget_peak(server.pid())?;
    let before = process::memory(server.pid())?.resident;
    let expected = Expected {
        status: 200,
        length: Some(octets),
    };
    let load = generator.run(
        &Request::post("/echo", octets),
        expected,
        Until::Requests(1),
    )?;
    let peak = process::memory(server.pid())?.peak;
    let echo = Echo {
        octets,
        seconds: load.elapsed.as_secs_f64(),
        before,
        peak,
        rise: peak.saturating_sub(before),
    };
    Ok((echo, load.errors()))
}

fn print(report: &Report) {
    println!("hello, resident memory of rhost between requests");
    let mut table = Table::new(&["requests", "VmRSS", "RssAnon"]);
    for point in &report.hello {
        table.row([
            count(point.requests as f64),
            mib(point.resident),
            mib(point.anonymous),
        ]);
    }
    println!("{table}");
    let Echo {
        octets,
        seconds,
        before,
        peak,
        rise,
    } = report.echo;
    println!(
        "{} through the echo of stream, on one connection, sent while received",
        mib(octets)
    );
    println!(
        "  {seconds:.2} s, {:.0} MiB/s; VmRSS before {}, peak {}\n",
        octets as f64 / f64::from(1 << 20) / seconds,
        mib(before),
        mib(peak)
    );
    let what = format!(
        "memory changes by {:+.2} % (mark: {DRIFT_MARK} %)",
        report.drift
    );
    println!("{}", mark(&what, report.drift.abs() <= DRIFT_MARK));
    let what = format!(
        "the stream raises it by {} (mark: {})",
        mib(rise),
        mib(STREAM_MARK)
    );
    println!("{}", mark(&what, rise < STREAM_MARK && report.errors == 0));
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}
