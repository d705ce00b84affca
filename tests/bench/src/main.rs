//! The benchmark of rhost: bare hyper, rhost and `wasmtime serve` in turn on the
//! same work; what many routes cost; memory over a million requests; how endless
//! loops are stopped; whether a request is lost when a server ends, or a deploy when
//! it is killed; Flask beside gunicorn.
//!
//! # Layout
//!
//! - [`artefacts`] builds what is measured, [`servers`] starts it, and [`limits`] sees that a
//!   loop is stopped there.
//! - [`work`] says what is asked and what the answer has to be; [`bare_hyper`]
//!   gives the same answers without a guest.
//! - [`load`] is the load generator: it sends a [`request`], reads a
//!   [`response`], and keeps the time; [`open`] sends whether it is answered or not. [`ask`] sends a single one. [`wrk`] can
//!   stand in.
//! - [`process`] knows a server's CPU time and memory.
//! - [`site`] writes and builds sites of many routes.
//! - [`admin`] deploys components that differ, [`binary`] is how some of them are written.
//! - [`compare`], [`syscalls`], [`routes`], [`soak`], [`idle`], [`density`], [`stop`], [`noisy`],
//!   [`overload`], [`bombs`], [`hostile`], [`slow`], [`life`], [`crash`], [`deploys`] and [`flask`] measure, with [`report`]
//!   for the figures.

mod admin;
mod artefacts;
mod ask;
mod bare_hyper;
mod binary;
mod bombs;
mod compare;
mod crash;
mod density;
mod deploys;
mod flask;
mod home;
mod hostile;
mod idle;
mod life;
mod limits;
mod load;
mod noisy;
mod open;
mod overload;
mod process;
mod report;
mod request;
mod response;
mod routes;
mod servers;
mod site;
mod slow;
mod soak;
mod stop;
mod syscalls;
mod work;
mod wrk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As in rhost, which bare hyper is to be like in all but guests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures rhost beside bare hyper and `wasmtime serve`
#[derive(Debug, Parser)]
#[command(
    name = "rhost-bench",
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "\
Examples:
  rhost-bench                                   compare, all work, some six minutes
  rhost-bench --work hello --rounds 5           hello only
  rhost-bench --json > figures.json
  rhost-bench --rhost target/release/rhost --apps target/wasm32-wasip2/release
  rhost-bench routes                            what a thousand routes cost
  rhost-bench soak                              memory over a million requests
  rhost-bench idle                              what a connection costs that does nothing
  rhost-bench density                           what 50,000 apps cost that few ask for
  rhost-bench stop                              how endless loops are stopped
  rhost-bench noisy                             how a tenant fares beside another's endless loops
  rhost-bench overload                          what is answered at twice the load that can be
  rhost-bench bombs                             how an app fares while others cannot be compiled
  rhost-bench hostile                           how a tenant and the operator fare beside every adversary known
  rhost-bench slow                              how slow clients are
  rhost-bench life                              whether a request is lost when a server ends
  rhost-bench crash                             whether a deploy is lost when its server is killed
  rhost-bench deploys                           whether a request fails while apps are deployed
  rhost-bench flask                             Flask beside gunicorn, and the time to its first answer

Builds what it measures. Exits with 1 when an answer was wrong; a mark that is
missed is printed, no more: figures of a busy machine prove little."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    compare: compare::Compare,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The servers in turn on the same work, then system calls (the default)
    Compare(Box<compare::Compare>),
    /// A site of one route and one of many: what the SDK's router costs
    Routes(routes::Routes),
    /// Resident memory over many requests, and over a large one
    Soak(soak::Soak),
    /// What a connection costs that does nothing
    Idle(idle::Idle),
    /// What many apps cost that few ask for, and how long a first request takes
    Density(density::Density),
    /// How soon an endless loop is stopped, and how its neighbours fare
    Stop(stop::Stop),
    /// How a tenant fares beside another's endless loops
    Noisy(noisy::Noisy),
    /// What is answered at twice the load that can be, and what is shed
    Overload(overload::Overload),
    /// How an app fares while what cannot be compiled is deployed
    Bombs(bombs::Bombs),
    /// How a tenant and the operator fare beside every hostile guest, client and token known
    Hostile(hostile::Hostile),
    /// When slow clients are closed, and how their neighbours fare (slowhttptest)
    Slow(slow::Slow),
    /// Whether a request is lost when a server is handed over, or told to stop
    Life(life::Life),
    /// Whether an acknowledged deploy is lost when its server is killed
    Crash(crash::Crash),
    /// Whether a request fails while apps are deployed and the file is applied
    Deploys(deploys::Deploys),
    /// Flask beside gunicorn, and how long its first answer takes (wrk, python3)
    Flask(flask::Flask),
    /// What the bench runs as bare hyper
    #[command(hide = true)]
    ServeHyper,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        None => compare::run(&cli.compare),
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Routes(args)) => routes::run(args),
        Some(Command::Soak(args)) => soak::run(args),
        Some(Command::Idle(args)) => idle::run(args),
        Some(Command::Density(args)) => density::run(args),
        Some(Command::Stop(args)) => stop::run(args),
        Some(Command::Noisy(args)) => noisy::run(args),
        Some(Command::Overload(args)) => overload::run(args),
        Some(Command::Bombs(args)) => bombs::run(args),
        Some(Command::Hostile(args)) => hostile::run(args),
        Some(Command::Slow(args)) => slow::run(args),
        Some(Command::Life(args)) => life::run(args),
        Some(Command::Crash(args)) => crash::run(args),
        Some(Command::Deploys(args)) => deploys::run(args),
        Some(Command::Flask(args)) => flask::run(args),
        Some(Command::ServeHyper) => bare_hyper::serve().map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rhost-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
