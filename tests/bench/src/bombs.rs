//! How an app fares while another's component is deployed that keeps the compiler busy until
//! it is stopped, or is broken.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::binary::{leb, section};
use crate::home::Home;
use crate::load::{Generator, Load, Until};
use crate::report::{Table, count, mark, median};
use crate::request::Request;
use crate::servers::{self, Server};
use crate::work::Work;

/// How many times as long as alone the p99 may be.
const P99_MARK: f64 = 2.0;

/// What a component may take to compile.
const COMPILE_CPU: &str = "2s";

/// The flags of `bombs`.
#[derive(Debug, Args)]
pub struct Bombs {
    /// How often all of them are deployed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Connections of the neighbour
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// All that was measured.
#[derive(Serialize)]
struct Report {
    lines: Vec<Line>,
    errors: u64,
}

/// How the neighbour fared; medians of the rounds.
#[derive(Serialize)]
struct Line {
    meanwhile: String,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

/// What is deployed.
struct Bad {
    file: Vec<u8>,
    /// Whether it may be a component still.
    may_be_whole: bool,
}

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Bombs) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let hello = artefacts.example("hello")?;
    let shown = hello.display();
    let home = Home::new(
        "bombs",
        &format!(
            "compile-cpu = \"{COMPILE_CPU}\"\n\
             [apps.quiet]\nhosts = [\"quiet.test\"]\ncomponent = '{shown}'\n\
             [apps.other]\nhosts = [\"other.test\"]\ncomponent = \"other.wasm\"\n"
        ),
    )?;
    let other = home.path().join("other.wasm");
    fs::copy(&hello, &other)?;
    let server = servers::configured(&artefacts, &home)?;
    let good = fs::read(&hello)?;
    let attempts = [
        ("nothing", None),
        (
            "a compile bomb",
            Some(vec![Bad {
                file: bomb(0),
                may_be_whole: false,
            }]),
        ),
        ("broken components", Some(broken(&good))),
    ];
    let mut report = Report {
        lines: Vec::new(),
        errors: 0,
    };
    // Warms it up.
    load(args, &server, Until::Elapsed(Duration::from_secs(1)))?;
    let mut loads: Vec<Vec<Load>> = attempts.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        for ((name, files), loads) in attempts.iter().zip(&mut loads) {
            eprintln!("round {round}: {name}");
            let done = AtomicBool::new(false);
            let load = thread::scope(|scope| {
                let load = scope.spawn(|| load(args, &server, Until::Told(&done)));
                let deployed = match files {
                    None => {
                        thread::sleep(Duration::from_secs(3));
                        Ok(())
                    }
                    Some(files) => files
                        .iter()
                        .try_for_each(|file| deploy(&server, &other, file)),
                };
                done.store(true, Ordering::Relaxed);
                let load = load.join().expect("the load generator does not panic");
                deployed.and(load)
            });
            let load = load.with_context(|| format!("{name}{}", server.said()))?;
            report.errors += load.errors();
            loads.push(load);
        }
    }
    for ((name, _), loads) in attempts.iter().zip(&loads) {
        let quantile = |quantile| {
            let one = |load: &Load| load.latency.value_at_quantile(quantile) as f64 / 1e3;
            median(loads.iter().map(one))
        };
        report.lines.push(Line {
            meanwhile: (*name).to_owned(),
            requests_per_second: median(loads.iter().map(Load::per_second)),
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
        });
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(args, &report);
    }
    Ok(report.errors == 0)
}

fn load(args: &Bombs, server: &Server, until: Until<'_>) -> Result<Load> {
    let request = Request::get_from("quiet.test", "/");
    let mut generator = Generator::connect(server.addr, args.connections.into())?;
    generator.run(&request, Work::Hello.expected(), until)
}

/// Puts `file` in the place of the other app's component, has it applied, and waits until
/// the server says what came of it.
fn deploy(server: &Server, other: &Path, bad: &Bad) -> Result<()> {
    fs::write(other, &bad.file)?;
    let (applied, refused) = server.reloads();
    let pid = Pid::from_raw(server.pid().cast_signed()).context("it has a number")?;
    kill_process(pid, Signal::HUP)?;
    loop {
        let now = server.reloads();
        if now.1 > refused {
            return Ok(());
        }
        if now.0 > applied {
            ensure!(bad.may_be_whole, "it was not refused");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Components that are none: cut short, and with octets in the code that are others.
fn broken(good: &[u8]) -> Vec<Bad> {
    let cut = (1..16).map(|part| Bad {
        file: good[..good.len() * part / 16].to_vec(),
        may_be_whole: false,
    });
    let changed = (1..16).map(|part| {
        let mut octets = good.to_vec();
        let place = octets.len() * part / 16;
        octets[place..]
            .iter_mut()
            .take(64)
            .for_each(|octet| *octet = !*octet);
        Bad {
            file: octets,
            may_be_whole: true,
        }
    });
    cut.chain(changed).collect()
}

/// A small file that keeps Cranelift busy: functions of many values that live long. That of
/// another number is another file.
pub fn bomb(number: usize) -> Vec<u8> {
    const FUNCTIONS: usize = 12_000;
    const VALUES: u8 = 60;
    let mut body = vec![0];
    for value in 0..VALUES {
        // local.get 0, i32.const, i32.mul
        body.extend([0x20, 0, 0x41, value, 0x6c]);
    }
    // i32.xor, and the end.
    body.extend([0x73].repeat(usize::from(VALUES) - 1));
    body.push(0x0b);
    let mut types = leb(FUNCTIONS);
    types.extend([0].repeat(FUNCTIONS));
    let mut code = leb(FUNCTIONS);
    code.extend([leb(body.len()), body].concat().repeat(FUNCTIONS));
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type: a number to a number.
    module.extend(section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f]));
    module.extend(section(3, &types));
    module.extend(section(10, &code));
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    component.extend(section(1, &module));
    component.extend(section(0, &[&[1, b'n'], &leb(number)[..]].concat()));
    component
}

fn print(args: &Bombs, report: &Report) {
    println!(
        "hello on {} connections, while another app is replaced by",
        args.connections
    );
    let mut table = Table::new(&["by", "req/s", "p50 us", "p99 us"]);
    for line in &report.lines {
        let figures = [line.requests_per_second, line.p50_us, line.p99_us].map(count);
        table.row([line.meanwhile.clone()].into_iter().chain(figures));
    }
    println!("{table}");
    let Some((alone, others)) = report.lines.split_first() else {
        return;
    };
    for line in others {
        let slower = line.p99_us / alone.p99_us;
        let what = format!(
            "its p99 beside {} is {slower:.2} of that beside nothing; below {P99_MARK}",
            line.meanwhile
        );
        println!("{}", mark(&what, slower < P99_MARK));
    }
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}
