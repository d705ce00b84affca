//! Clients that are slow in their heads, their bodies and their reading, by
//! slowhttptest: when they are closed, and how their neighbours fare.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::home::Home;
use crate::load::{Expected, Generator, Load, Until};
use crate::process;
use crate::report::{Table, count, mark};
use crate::request::Request;
use crate::servers::{self, Server};

/// How much slower the neighbours' 99th percentile may get.
const SLOWER_MARK: f64 = 2.0;

/// Beyond a time-out: a client that still sends is read for a second after its answer, and
/// connections are counted now and then.
const BEYOND: Duration = Duration::from_secs(2);

/// Connections of the neighbours, as many as load the servers that are compared.
const CONNECTIONS: usize = 32;

/// How often the server's connections are counted.
const LOOK: Duration = Duration::from_millis(200);

/// The flags of `slow`.
#[derive(Debug, Args)]
pub struct Slow {
    /// Clients of each kind
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,

    /// Seconds of each time-out of the server, and of each measurement
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..))]
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
    time_out_seconds: u64,
    attacks: Vec<Attack>,
    errors: u64,
}

/// How one kind of client fared, and its neighbours; or all kinds at once.
#[derive(Serialize)]
struct Attack {
    slow_in: &'static str,
    clients: u64,
    /// The most that were connected at a time.
    most_connected: u64,
    /// From when the last client connected until the last was closed.
    closed_after_seconds: f64,
    closed_in_time: bool,
    p99_us_before: f64,
    /// While the same clients attack another process on this machine: what they
    /// cost by running at all.
    p99_us_elsewhere: f64,
    p99_us_meanwhile: f64,
    requests_per_second: f64,
}

/// A kind of client.
struct Kind {
    name: &'static str,
    mode: &'static str,
    target: &'static str,
    options: &'static [&'static str],
}

/// Each sends or takes a little every second: none is ever quite idle.
const KINDS: [Kind; 3] = [
    Kind {
        name: "headers",
        mode: "-H",
        target: "/slow?lines=1",
        options: &["-i", "1"],
    },
    Kind {
        name: "body",
        mode: "-B",
        target: "/echo",
        options: &["-i", "1", "-s", "1000000"],
    },
    Kind {
        name: "reading",
        mode: "-X",
        target: "/download?mib=64",
        options: &["-n", "1", "-z", "32"],
    },
];

/// Runs it. Returns whether every answer to the neighbours was right.
pub fn run(args: &Slow) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["stream", "hello"])?;
    let (slow, hello) = (artefacts.example("stream")?, artefacts.example("hello")?);
    let seconds = args.seconds;
    let home = Home::new(
        "slow",
        &format!(
            "header-timeout = \"{seconds}s\"\nbody-timeout = \"{seconds}s\"\n\
             write-timeout = \"{seconds}s\"\n\
             [apps.slow]\nhosts = [\"127.0.0.1\"]\ncomponent = '{}'\ntimeout = \"{seconds}s\"\n\
             [apps.hello]\nhosts = [\"hello.test\"]\ncomponent = '{}'\n",
            slow.display(),
            hello.display()
        ),
    )?;
    let mut report = Report {
        time_out_seconds: args.seconds,
        attacks: Vec::new(),
        errors: 0,
    };
    let start = || servers::configured(&artefacts, &home);
    for kind in &KINDS {
        measure(args, &start, kind.name, &[kind], &mut report)?;
    }
    let all: Vec<_> = KINDS.iter().collect();
    measure(args, &start, "all three", &all, &mut report)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.errors == 0 && report.attacks.iter().all(|attack| attack.closed_in_time))
}

fn measure(
    args: &Slow,
    start: &impl Fn() -> Result<Server>,
    name: &'static str,
    kinds: &[&Kind],
    report: &mut Report,
) -> Result<()> {
    eprintln!("slow in {name}");
    let (server, other) = (start()?, start()?);
    let hello = Request::get_from("hello.test", "/");
    let mut neighbours = Neighbours::connect(&server, &hello)?;
    neighbours.ask(Until::Elapsed(Duration::from_secs(1)))?;
    let time = Duration::from_secs(args.seconds);
    let before = neighbours.ask(Until::Elapsed(time))?;
    // It has all its own sockets when it has answered.
    let mut guard = Neighbours::connect(&other, &hello)?;
    guard.ask(Until::Elapsed(Duration::from_secs(1)))?;
    let elsewhere = attack(args, kinds, &other, &mut neighbours)
        .with_context(|| format!("slow in {name}, elsewhere{}", other.said()))?;
    drop((guard, other));
    let here = attack(args, kinds, &server, &mut neighbours)
        .with_context(|| format!("slow in {name}{}", server.said()))?;
    let meanwhile = &here.neighbours;
    report.errors += before.errors() + elsewhere.neighbours.errors() + meanwhile.errors();
    let p99 = |load: &Load| load.latency.value_at_quantile(0.99) as f64 / 1e3;
    report.attacks.push(Attack {
        slow_in: name,
        clients: u64::from(args.clients) * kinds.len() as u64,
        most_connected: here.most_connected,
        closed_after_seconds: here.closed_after.as_secs_f64(),
        closed_in_time: here.closed_after <= time + BEYOND,
        p99_us_before: p99(&before),
        p99_us_elsewhere: p99(&elsewhere.neighbours),
        p99_us_meanwhile: p99(meanwhile),
        requests_per_second: meanwhile.per_second(),
    });
    Ok(())
}

/// Those who ask for hello while others attack.
struct Neighbours<'a> {
    generator: Generator,
    request: &'a Request,
}

impl<'a> Neighbours<'a> {
    fn connect(server: &Server, request: &'a Request) -> Result<Self> {
        let generator = Generator::connect(server.addr, CONNECTIONS)?;
        Ok(Neighbours { generator, request })
    }

    fn ask(&mut self, until: Until<'_>) -> Result<Load> {
        let expected = Expected {
            status: 200,
            length: None,
        };
        self.generator.run(self.request, expected, until)
    }
}

/// What came of an attack.
struct Attacked {
    most_connected: u64,
    closed_after: Duration,
    neighbours: Load,
}

/// Lets clients of `kinds` loose on `server`, while `neighbours` go on asking.
fn attack(
    args: &Slow,
    kinds: &[&Kind],
    server: &Server,
    neighbours: &mut Neighbours<'_>,
) -> Result<Attacked> {
    let idle = process::sockets(server.pid())?;
    let clients = u64::from(args.clients) * kinds.len() as u64;
    let patience = Duration::from_secs(args.seconds) * 4;
    let attackers = kinds
        .iter()
        .map(|kind| Attacker::start(kind, server.addr, args));
    let attackers: Vec<_> = attackers.collect::<Result<_>>()?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| neighbours.ask(Until::Told(&done)));
        let closed = until_closed(server.pid(), idle, clients, patience, || {
            attackers.iter().try_for_each(Attacker::step_back)
        });
        done.store(true, Ordering::Relaxed);
        let load = load.join().expect("the load generator does not panic");
        let (most_connected, closed_after) = closed?;
        Ok(Attacked {
            most_connected,
            closed_after,
            neighbours: load?,
        })
    })
}

/// Waits until the server has had its slow clients and has none any more. Returns
/// the most that it had at a time, and how long after the last came the last was gone.
/// Does `when_all_came` once all have come, or the first are gone.
fn until_closed(
    pid: u32,
    idle: u64,
    clients: u64,
    patience: Duration,
    when_all_came: impl FnOnce() -> Result<()>,
) -> Result<(u64, Duration)> {
    let mut when_all_came = Some(when_all_came);
    let start = Instant::now();
    let (mut most, mut before, mut last_came) = (0, 0, start);
    loop {
        let connected = process::sockets(pid)?.saturating_sub(idle);
        most = most.max(connected);
        if connected > before {
            last_came = Instant::now();
        }
        if (connected >= clients || connected < before)
            && let Some(do_it) = when_all_came.take()
        {
            do_it()?;
        }
        before = connected;
        // Some may be gone before the last have come.
        if most >= clients / 2 && connected == 0 {
            return Ok((most, last_came.elapsed()));
        }
        ensure!(
            start.elapsed() < patience,
            "{connected} of {clients} clients were still connected after {patience:?}"
        );
        thread::sleep(LOOK);
    }
}

/// A run of slowhttptest. It ends when this is dropped.
struct Attacker(Child);

impl Attacker {
    fn start(kind: &Kind, addr: SocketAddr, args: &Slow) -> Result<Self> {
        let clients = args.clients.to_string();
        let length = (args.seconds * 6).to_string();
        // Real ones would run elsewhere.
        Command::new("nice")
            .args(["-n", "19", "slowhttptest", kind.mode])
            .args(["-c", &clients, "-r", &clients, "-l", &length])
            .args(kind.options)
            .args(["-u", &format!("http://{addr}{}", kind.target)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Attacker)
            .context("slowhttptest cannot be run; install it")
    }

    /// Has it take only what nobody else needs, and leave a core at once when somebody does
    /// (`sched(7)`, `SCHED_IDLE`): with its clients closed it looks at them without a pause,
    /// and even a nice process is left a core for some milliseconds. From the beginning
    /// would be too early: it would hardly come to connect.
    fn step_back(&self) -> Result<()> {
        let status = Command::new("chrt")
            .args(["--idle", "--pid", "0", &self.0.id().to_string()])
            .status()
            .context("chrt cannot be run; it is in util-linux")?;
        ensure!(status.success(), "chrt failed: {status}");
        Ok(())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn print(report: &Report) {
    println!(
        "slow clients, with time-outs of {} s, beside {CONNECTIONS} connections that ask for hello",
        report.time_out_seconds
    );
    let mut table = Table::new(&[
        "slow in",
        "clients",
        "at a time",
        "closed after s",
        "p99 us before",
        "attack elsewhere",
        "p99 us meanwhile",
        "req/s",
    ]);
    for attack in &report.attacks {
        table.row([
            attack.slow_in.to_owned(),
            attack.clients.to_string(),
            attack.most_connected.to_string(),
            format!("{:.1}", attack.closed_after_seconds),
            count(attack.p99_us_before),
            count(attack.p99_us_elsewhere),
            count(attack.p99_us_meanwhile),
            count(attack.requests_per_second),
        ]);
    }
    println!("{table}");
    for attack in &report.attacks {
        let slower = attack.p99_us_meanwhile / attack.p99_us_before;
        let elsewhere = attack.p99_us_elsewhere / attack.p99_us_before;
        let what = format!(
            "slow in {}: closed {}, p99 {slower:.2} times that of before (mark: {SLOWER_MARK}; \
             {elsewhere:.2} while another process is attacked)",
            attack.slow_in,
            if attack.closed_in_time {
                "in time"
            } else {
                "late"
            },
        );
        println!(
            "{}",
            mark(&what, attack.closed_in_time && slower <= SLOWER_MARK)
        );
    }
    if report.errors > 0 {
        println!("  {} answers were wrong", report.errors);
    }
}
