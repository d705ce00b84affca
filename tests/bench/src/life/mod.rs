//! Whether a request is lost while a server ends: handed over to another process
//! (SIGUSR2), or told to stop (SIGTERM), under the load of other people's clients.
//!
//! What counts is every request that the server took, and what a client can blame
//! on it. In detail:
//!
//! - wrk: answers other than 200, connections closed while an answer was awaited
//!   (`read`), and answers that never came (`timeout`). `connect` and `write` are
//!   connections that were refused: to a server that was handed over there must be
//!   none, to one that was stopped they say only that it is gone.
//! - h2load over HTTP/1, handed over: whatever it calls failed, errored or timed out.
//! - h2load over HTTP/2: it makes no connection anew when it is told to go away
//!   (GOAWAY), and calls failed what it had still meant to send. So the answers that
//!   it got are compared with those that the server has in its access log: one
//!   that is there and did not arrive was lost. The same over HTTP/1 when the
//!   server stops.

mod h2load;
mod line;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use rustix::process::Signal;
use serde::Serialize;

use crate::artefacts::{Artefacts, Ready};
use crate::report::{Table, count, mark};
use crate::wrk;
use h2load::H2load;
use line::Line;

/// The flags of `life`.
#[derive(Debug, Args)]
pub struct Life {
    /// How often each client sees each end
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of a round; the end comes in the middle
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Connections of a client
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Only this client; may be repeated
    #[arg(long, value_name = "CLIENT", value_enum)]
    client: Vec<Client>,

    /// Only this end; may be repeated
    #[arg(long, value_name = "END", value_enum)]
    end: Vec<End>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// wrk, over HTTP/1.1
    Wrk,
    /// h2load, over HTTP/1.1
    H2loadHttp1,
    /// h2load, over HTTP/2 in the clear
    H2loadHttp2,
}

/// How the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    /// By SIGUSR2; another takes its place
    HandedOver,
    /// By SIGTERM
    Stopped,
}

/// What the rounds of a client came to.
#[derive(Debug, Clone, Serialize)]
struct Outcome {
    client: Client,
    end: End,
    rounds: u32,
    answered: u64,
    /// Requests that the server took and did not answer, and others that failed by
    /// its fault.
    lost: u64,
    /// The most in a round.
    most_lost: u64,
}

/// What a round came to.
#[derive(Debug, Clone, Copy)]
struct Round {
    answered: u64,
    lost: u64,
}

/// Runs it. Returns whether nothing was lost.
pub fn run(args: &Life) -> Result<bool> {
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let all = [Client::Wrk, Client::H2loadHttp1, Client::H2loadHttp2];
    let clients = match args.client.is_empty() {
        true => &all[..],
        false => &args.client,
    };
    let both = [End::HandedOver, End::Stopped];
    let ends = match args.end.is_empty() {
        true => &both[..],
        false => &args.end,
    };
    let mut outcomes = Vec::new();
    for &client in clients {
        for &end in ends {
            outcomes.push(rounds(args, &artefacts, client, end)?);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else {
        print(&outcomes);
    }
    Ok(outcomes.iter().all(|outcome| outcome.lost == 0))
}

fn rounds(args: &Life, artefacts: &Artefacts, client: Client, end: End) -> Result<Outcome> {
    let mut outcome = Outcome {
        client,
        end,
        rounds: args.rounds,
        answered: 0,
        lost: 0,
        most_lost: 0,
    };
    let mut line = Line::start(artefacts)?;
    for round in 1..=args.rounds {
        let Round { answered, lost } = self::round(args, &mut line, client, end)?;
        eprintln!("{client:?}, {end:?}, round {round}: {answered} answers, {lost} lost");
        outcome.answered += answered;
        outcome.lost += lost;
        outcome.most_lost = outcome.most_lost.max(lost);
        if end == End::Stopped {
            line.ended()?;
            line = Line::start(artefacts)?;
        }
    }
    Ok(outcome)
}

/// Loads the server, has it end in the middle, and sees what became of it.
fn round(args: &Life, line: &mut Line, client: Client, end: End) -> Result<Round> {
    let time = Duration::from_secs(args.seconds);
    let (addr, connections) = (line.addr, usize::from(args.connections));
    let served = line.served()?;
    std::thread::scope(|scope| {
        let load = scope.spawn(move || match client {
            Client::Wrk => wrk::fate(addr, connections, time).map(|fate| {
                let refused = match end {
                    End::HandedOver => fate.refused,
                    End::Stopped => 0,
                };
                (fate.answers, Some(fate.lost + refused))
            }),
            Client::H2loadHttp1 if end == End::HandedOver => {
                let done = H2load::http1(addr, connections).run_for(time)?;
                Ok((done.succeeded, Some(done.failed)))
            }
            Client::H2loadHttp1 => {
                let done = H2load::http1(addr, connections).run_to_the_end(time)?;
                Ok((done.succeeded, None))
            }
            Client::H2loadHttp2 => {
                let done = H2load::http2(addr, connections).run_to_the_end(time)?;
                Ok((done.succeeded, None))
            }
        });
        std::thread::sleep(time / 2);
        match end {
            End::HandedOver => line.hand_over()?,
            End::Stopped => line.signal(Signal::TERM)?,
        }
        let (answered, lost) = load.join().expect("the load does not panic")?;
        ensure!(answered > 0, "nothing was answered");
        let lost = match lost {
            Some(lost) => lost,
            None => line.served()?.abs_diff(served).abs_diff(answered),
        };
        Ok(Round { answered, lost })
    })
}

fn print(outcomes: &[Outcome]) {
    let mut table = Table::new(&[
        "client",
        "end",
        "rounds",
        "answers",
        "lost",
        "most in a round",
    ]);
    for outcome in outcomes {
        table.row([
            format!("{:?}", outcome.client),
            format!("{:?}", outcome.end),
            outcome.rounds.to_string(),
            count(outcome.answered as f64),
            outcome.lost.to_string(),
            outcome.most_lost.to_string(),
        ]);
    }
    println!("{table}");
    for outcome in outcomes {
        let what = format!(
            "{:?}, {:?}: {} lost in {} rounds (mark: 0)",
            outcome.client, outcome.end, outcome.lost, outcome.rounds
        );
        println!("{}", mark(&what, outcome.lost == 0));
    }
}
