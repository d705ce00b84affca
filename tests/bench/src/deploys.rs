//! Whether a request fails while apps are deployed, and while the file is applied
//! again: on the app itself, and on others.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::admin::{Admin, Variants};
use crate::artefacts::{Artefacts, Ready};
use crate::limits;
use crate::load::{Expected, Generator, Load, Until};
use crate::report::{Table, count, mark, median};
use crate::request::Request;
use crate::servers::Server;

/// Connections to each app.
const CONNECTIONS: usize = 8;
/// How long the server may take to start, and to apply a file.
const PATIENCE: Duration = Duration::from_secs(120);

/// The flags of `deploys`.
#[derive(Debug, Args)]
pub struct Deploys {
    /// Deploys, each of another component than the one before
    #[arg(long, value_name = "N", default_value_t = 100)]
    deploys: u32,

    /// How often the file is changed and applied, in between
    #[arg(long, value_name = "N", default_value_t = 20)]
    reloads: u32,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// What it came to.
#[derive(Debug, Serialize)]
struct Report {
    deploys: u32,
    reloads: u32,
    /// From the first octet of a deploy to its acknowledgement, in milliseconds.
    deploy_median: f64,
    deploy_longest: f64,
    apps: Vec<Fate>,
}

/// What became of the requests for an app.
#[derive(Debug, Serialize)]
struct Fate {
    app: &'static str,
    answers: u64,
    failed: u64,
    /// In milliseconds.
    p99: f64,
    longest: f64,
}

/// Runs it. Returns whether no request failed.
pub fn run(args: &Deploys) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let variants = Variants::of_hello(&artefacts)?;
    let home = std::env::temp_dir().join(format!("rhost-bench-{}.deploys", std::process::id()));
    fs::create_dir_all(&home)?;
    fs::write(home.join("hello.wasm"), variants.component(0))?;
    let report = measure(args, &artefacts, &variants, &home);
    fs::remove_dir_all(&home)?;
    let report = report?;
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print(&report),
    }
    Ok(report.apps.iter().all(|fate| fate.failed == 0))
}

fn measure(
    args: &Deploys,
    artefacts: &Artefacts,
    variants: &Variants,
    home: &Path,
) -> Result<Report> {
    write(home, 0)?;
    let mut command = Command::new(&artefacts.rhost);
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--access-log", "off"])
        .arg("-c")
        .arg(home.join("rhost.toml"))
        .arg("--state")
        .arg(home.join("state"))
        .arg("--cache-dir")
        .arg(home.join("cache"));
    let server = Server::start_within(PATIENCE, command, Stdio::null())?;
    let admin = Admin::of(&home.join("state"));
    limits::prove_by_deploy(server.addr, &admin, &artefacts.example("hello")?)?;
    // The one that is deployed again and again, one beside it, and one of the file.
    for app in ["deployed", "beside"] {
        admin.deploy(app, &variants.component(0))?;
    }
    let is_over = AtomicBool::new(false);
    let mut times = Vec::new();
    let mut fates = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let load = |app: &'static str| {
            let (addr, is_over) = (server.addr, &is_over);
            scope.spawn(move || -> Result<(&'static str, Load)> {
                let request = Request::get_from(&format!("{app}.test"), "/");
                let expected = Expected {
                    status: 200,
                    length: Some(14),
                };
                let mut generator = Generator::connect(addr, CONNECTIONS)?;
                Ok((
                    app,
                    generator.run(&request, expected, Until::Told(is_over))?,
                ))
            })
        };
        let loads = ["deployed", "beside", "file"].map(load);
        let changed = change(args, &server, &admin, variants, home, &mut times);
        is_over.store(true, Ordering::Relaxed);
        for load in loads {
            let (app, load) = load.join().expect("the load does not panic")?;
            let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
            fates.push(Fate {
                app,
                answers: load.answers,
                failed: load.errors(),
                p99: ms(load.latency.value_at_quantile(0.99)),
                longest: ms(load.latency.max()),
            });
        }
        changed
    })?;
    Ok(Report {
        deploys: args.deploys,
        reloads: args.reloads,
        deploy_longest: times.iter().copied().fold(0.0, f64::max),
        deploy_median: median(times),
        apps: fates,
    })
}

/// Deploys, and in between has the file applied.
fn change(
    args: &Deploys,
    server: &Server,
    admin: &Admin,
    variants: &Variants,
    home: &Path,
    times: &mut Vec<f64>,
) -> Result<()> {
    let mut reloads = 0;
    for nth in 1..=args.deploys.max(args.reloads) {
        if nth <= args.deploys {
            let begun = Instant::now();
            admin.deploy("deployed", &variants.component(nth % 50))?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let due =
            u64::from(nth) * u64::from(args.reloads) / u64::from(args.deploys.max(args.reloads));
        while u64::from(reloads) < due {
            reloads += 1;
            write(home, reloads)?;
            let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
            kill_process(pid.context("it has an id")?, Signal::HUP)?;
            applied(admin, reloads)?;
        }
    }
    Ok(())
}

/// The file of a certain state. Its app is another one, and a second comes and goes.
fn write(home: &Path, nth: u32) -> Result<()> {
    let mut text = format!(
        "[apps.file]\ncomponent = \"hello.wasm\"\nhosts = \"file.test\"\nenv = {{ NTH = \"{nth}\" }}\n"
    );
    text += &format!("[apps.nth-{nth}]\ncomponent = \"hello.wasm\"\nhosts = \"nth.test\"\n");
    let new = home.join("rhost.new");
    fs::write(&new, text)?;
    Ok(fs::rename(new, home.join("rhost.toml"))?)
}

/// Returns when the file of that state is applied.
fn applied(admin: &Admin, nth: u32) -> Result<()> {
    let name = format!("\"nth-{nth}\"");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if admin.ask("GET", "/v1/apps", "", b"")?.contains(&name) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(2));
    }
    anyhow::bail!("the file was not applied")
}

fn print(report: &Report) {
    let mut table = Table::new(&["app", "answers", "failed", "p99, ms", "longest, ms"]);
    for fate in &report.apps {
        table.row([
            fate.app.to_owned(),
            count(fate.answers as f64),
            fate.failed.to_string(),
            format!("{:.1}", fate.p99),
            format!("{:.1}", fate.longest),
        ]);
    }
    println!("{table}");
    println!(
        "  a deploy took {:.0} ms (median), {:.0} ms at most",
        report.deploy_median, report.deploy_longest
    );
    let failed: u64 = report.apps.iter().map(|fate| fate.failed).sum();
    let what = format!(
        "{failed} requests failed in {} deploys and {} reloads (mark: 0)",
        report.deploys, report.reloads
    );
    println!("{}", mark(&what, failed == 0));
}
