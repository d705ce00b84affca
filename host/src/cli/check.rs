//! `rhost check`: whether an app keeps the rules.

use super::app::AppArgs;
use super::parse::{duration, path};
use super::serve::deploy::{Component, Deployer};
use super::serve::error::Error as ServeError;
use clap::Args;
use rhost::check::findings::Findings;
use rhost::check::report::Report;
use rhost::check::rules::Level;
use rhost::check::{self, Collector, Outcome, Plan, component};
use rhost::commons::{Commons, Sizes};
use rhost::inspect::{InspectError, inspect};
use rhost::log::{Format, Sink};
use rhost::printable;
use rhost::settings::ConnectionLimits;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `rhost check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Another path to ask for, below the mount; may be repeated
    #[arg(long, value_name = "/PATH", value_parser = path)]
    path: Vec<String>,

    /// How long to read an answer that does not end
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    wait: Duration,

    /// Fail on warnings too
    #[arg(long)]
    strict: bool,

    /// Print it as JSON
    #[arg(long)]
    json: bool,

    /// Print findings only, and nothing when there are none
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Show what the app prints, on standard error
    #[arg(long)]
    log: bool,

    // What comes after it comes under its last heading.
    #[command(flatten)]
    app: AppArgs,
}

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no app to be had from what was named.
    #[error(transparent)]
    Load(#[from] ServeError),
    /// It is no component.
    #[error("{}: {error}", path.display())]
    Inspect {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: InspectError,
    },
}

/// Checks, tells, and returns whether it passed.
pub fn run(args: Check) -> Result<bool, Error> {
    let (strict, json, quiet) = (args.strict, args.json, args.quiet);
    let tolerated = match strict {
        true => Level::Note,
        false => Level::Warning,
    };
    let (name, outcome) = examine(args)?;
    let report = Report::new(name, outcome, tolerated);
    let text = match (json, quiet) {
        (true, _) => {
            printable::json(serde_json::to_string_pretty(&report).expect("names are strings"))
                + "\n"
        }
        (false, true) => report.found(),
        (false, false) => report.text(),
    };
    // Whoever reads it may stop before its end, as `head` does.
    let _ = anstream::stdout().write_all(text.as_bytes());
    Ok(report.passed)
}

/// What comes of looking at the app and, if that allows, of serving it.
fn examine(args: Check) -> Result<(String, Outcome), Error> {
    let (log, _flusher) = match args.log {
        true => Sink::start("log", io::stderr(), Format::Text),
        false => Sink::start("log", io::sink(), Format::Text),
    };
    let limits = args.app.settings(String::new()).limits;
    let mut paths = vec!["/".to_owned()];
    paths.extend(args.path);
    let plan = Plan {
        mount: args.app.mount.clone(),
        paths,
        wait: args.wait,
    };
    let sizes = Sizes::of_this_machine(None, ConnectionLimits::default().connections);
    let room = Commons::new(sizes).room();
    let deployer = Deployer::new(args.app, None, args.quiet || args.json, 1, &log, room)?;
    let component = deployer.component()?;
    let mut findings = Findings::default();
    look_at(&component, &limits, &mut findings)?;
    let outcome = match findings.are_within(Level::Warning) {
        false => idle(findings),
        true => serve(&deployer, &component, &limits, &plan, &log, findings)?,
    };
    Ok((component.name(), outcome))
}

fn look_at(
    component: &Component,
    limits: &rhost::settings::Limits,
    findings: &mut Findings,
) -> Result<(), Error> {
    let file = component.file();
    let inspection = inspect(file).map_err(|error| Error::Inspect {
        path: component.path().to_owned(),
        error,
    })?;
    component::check(file, &inspection, limits, findings);
    Ok(())
}

fn serve(
    deployer: &Deployer,
    component: &Component,
    limits: &rhost::settings::Limits,
    plan: &Plan,
    log: &Sink,
    mut findings: Findings,
) -> Result<Outcome, Error> {
    let collector = Arc::new(Collector::default());
    let app = match deployer.observed(component, collector.clone()) {
        Ok(app) => app,
        Err(ServeError::Load { path, error }) => {
            component::refused(error, &mut findings)
                .map_err(|error| ServeError::Load { path, error })?;
            return Ok(idle(findings));
        }
        Err(error) => return Err(error.into()),
    };
    let start = |error: io::Error| ServeError::Start(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(start)?;
    let checked = check::run(app, collector, limits, plan, log, findings);
    Ok(runtime.block_on(checked).map_err(start)?)
}

/// Nothing was asked.
fn idle(findings: Findings) -> Outcome {
    Outcome {
        exchanges: Vec::new(),
        skipped: 0,
        findings,
    }
}
