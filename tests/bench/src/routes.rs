//! What the SDK's router costs: a site of one route and one of many, in turn.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::artefacts::Artefacts;
use crate::ask;
use crate::load::{Expected, Generator, Until};
use crate::process;
use crate::report::{self, Table, count, median};
use crate::request::Request;
use crate::servers::{self, Server};
use crate::site;

/// What many routes may cost a request, in microseconds of CPU time.
const MARK: f64 = 1.0;

/// The flags of `routes`.
#[derive(Debug, Args)]
pub struct Routes {
    /// Routes of the large site
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    routes: u32,

    /// How often each site has its turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of a turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Connections, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// A rhost to measure [default: build it as a release]
    #[arg(long, value_name = "PATH")]
    rhost: Option<PathBuf>,
}

/// A site that is served.
struct Site {
    routes: usize,
    /// Octets of its component.
    size: u64,
    server: Server,
    /// Of each turn.
    per_second: Vec<f64>,
    cpu: Vec<f64>,
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Routes) -> Result<bool> {
    let artefacts = Artefacts::of_host(args.rhost.as_deref())?;
    let counts = [1, args.routes as usize];
    let mut sites = Vec::new();
    for routes in counts {
        sites.push(serve(&artefacts, routes)?);
    }
    for site in &mut sites {
        eprintln!("{} warms up", label(site.routes));
        turn(args, site, Duration::from_secs(1))?;
        site.per_second.clear();
        site.cpu.clear();
    }
    let mut errors = 0;
    for round in 0..args.rounds as usize {
        eprintln!("round {} of {}", round + 1, args.rounds);
        // Another begins each round, so that none is always after the same.
        for index in [round % 2, (round + 1) % 2] {
            errors += turn(args, &mut sites[index], Duration::from_secs(args.seconds))?;
        }
    }
    print(args, &sites);
    if errors > 0 {
        eprintln!("{errors} answers were wrong");
    }
    Ok(errors == 0)
}

fn serve(artefacts: &Artefacts, routes: usize) -> Result<Site> {
    let component = site::build(routes)?;
    let server = servers::rhost(artefacts, &component, &[])?;
    let answer = ask::ask_for_body(server.addr, &Request::get(site::TARGET))
        .with_context(|| format!("{} answers something else", label(routes)))?;
    ensure!(
        answer == site::ANSWER,
        "{} answers something else",
        label(routes)
    );
    Ok(Site {
        routes,
        size: fs::metadata(&component)?.len(),
        server,
        per_second: Vec::new(),
        cpu: Vec::new(),
    })
}

/// Loads a site for a while. Returns how many answers were wrong.
fn turn(args: &Routes, site: &mut Site, time: Duration) -> Result<u64> {
    let expected = Expected {
        status: 200,
        length: Some(site::ANSWER.len() as u64),
    };
    let pid = site.server.pid();
    let before = process::precise_cpu_time(pid)?;
    let mut generator = Generator::connect(site.server.addr, args.connections.into())?;
    let load = generator
        .run(&Request::get(site::TARGET), expected, Until::Elapsed(time))
        .with_context(|| format!("{}{}", label(site.routes), site.server.said()))?;
    let cpu = process::precise_cpu_time(pid)?.saturating_sub(before);
    site.per_second.push(load.per_second());
    site.cpu.push(cpu.as_secs_f64() * 1e6 / load.answers as f64);
    Ok(load.errors())
}

fn label(routes: usize) -> String {
    match routes {
        1 => "1 route".into(),
        routes => format!("{} routes", count(routes as f64)),
    }
}

fn print(args: &Routes, sites: &[Site]) {
    println!(
        "generator inside, {} connections, {} rounds of {} s\n",
        args.connections, args.rounds, args.seconds
    );
    let mut table = Table::new(&["site", "component", "req/s", "CPU us/req", "least", "most"]);
    for site in sites {
        table.row([
            label(site.routes),
            format!("{:.1} KiB", site.size as f64 / 1024.0),
            count(median(site.per_second.iter().copied())),
            format!("{:.2}", median(site.cpu.iter().copied())),
            format!("{:.2}", site.cpu.iter().copied().fold(f64::MAX, f64::min)),
            format!("{:.2}", site.cpu.iter().copied().fold(0.0, f64::max)),
        ]);
    }
    println!("{table}");
    // Turns of one round, so that what slows the machine slows both.
    let pairs = sites[1].cpu.iter().zip(&sites[0].cpu);
    let more = median(pairs.map(|(many, one)| many - one));
    let what = format!(
        "{}: {more:+.2} us of CPU time per request (mark: at most {MARK:.1})",
        label(sites[1].routes)
    );
    println!("{}", report::mark(&what, more <= MARK));
}
