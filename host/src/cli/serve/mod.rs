//! `rhost serve`: build if need be, load, listen, serve, drain.

mod configured;
pub mod deploy;
mod descriptors;
pub mod error;
mod fleet;
mod huge_pages;
mod life;
mod one;
mod pid_file;
mod rebuild;
mod reload;
mod service_manager;
mod signals;
mod tls;

pub use error::Error;

use super::flags::{Serve, Switch};
use clap::ArgMatches;
use configured::Configured;
use fleet::Fleet;
use life::{Belongings, Life};
use one::One;
use pid_file::PidFile;
use reload::Reloads;
use rhost::access_log::AccessLog;
use rhost::admin::{Admin, Api, Health, Pages};
use rhost::commons::Commons;
use rhost::handover::{Predecessor, Role};
use rhost::listener::{self, Listener};
use rhost::log::{Format, Sink};
use rhost::socket::Address;
use rhost::store::Store;
use rhost::tenant::Site;
use rhost::worker::Drained;
use signals::Signals;
use std::io::{self, IsTerminal};
use std::sync::Arc;

/// What a command line has served.
enum Served {
    One(Box<One>),
    Many(Box<Fleet>),
}

/// Serves until a signal comes; `matches` are those that `args` were read from, and `upkeep`
/// is what each serving thread does every few seconds.
pub fn run(args: Serve, matches: &ArgMatches, upkeep: fn()) -> Result<(), Error> {
    let (args, config) = match args.config.as_deref() {
        Some(path) => {
            let Configured { args, config } = configured::read(path, matches)?;
            (args, Some(config))
        }
        None if args.life.state.is_some() => {
            let Configured { args, config } = configured::without_file(args, matches)?;
            (args, Some(config))
        }
        None => (args, None),
    };
    let mut predecessor = Predecessor::of_this_process().map_err(Error::Predecessor)?;
    let (log, _log_flusher) = Sink::start("log", io::stderr(), args.log_format());
    trace(&log);
    // Silence is cheaper than a line that nobody reads.
    let (access_log, _access_flusher) = match args.access_log {
        Switch::On => {
            let (format, out) = (args.access_log_format(), io::stdout());
            let (sink, flusher) = Sink::start("access log", out, args.log_format());
            (Some(AccessLog::new(sink, format)), Some(flusher))
        }
        Switch::Off => (None, None),
    };
    let (mount, quiet) = (args.app.mount.clone(), args.quiet);
    let url_of = move |address: &Address, is_tls: bool| url(address, is_tls, &mount);
    let addresses = args.listen.addresses(predecessor.as_ref());
    let listening = args.listen.listening();
    let patience = args.life.handover_timeout;
    let (admin_addresses, pid_file) = (args.life.admin_addresses(), args.life.pid_file.clone());
    let (watching, metrics_public) = (args.watch, args.life.metrics_public);
    let (head_limits, timeouts) = (args.head_limits(), args.timeouts());
    let proxies = args.proxy.proxies();
    let connection_limits = args.connections.limits();
    descriptors::raise();
    huge_pages::decline();
    // After it, as it counts what files there may be.
    let commons = Commons::new(args.sandboxes.sizes(&connection_limits));
    let reuse = args.app.reuse.reuse();
    let threads = args.threads.map_or_else(cores, usize::from);
    let checked = config.is_some();
    let tls = tls::of(
        &args.listen,
        args.app.cache_dir().as_deref(),
        checked,
        quiet,
    )?;
    let recording = args
        .traces
        .start()
        .map_err(|error| Error::Start(error.to_string()))?;
    let (spans, _exporting) = recording.unzip();
    let health = Health::default();
    let (mut sockets, mut belongings) = (Vec::new(), Belongings::default());
    // Before its socket: the directory is made, and is this process's.
    let store = args.life.state.as_deref().map(Store::open).transpose()?;
    let api = Api::new(args.life.max_component);
    let mut admin = Vec::new();
    for addr in admin_addresses {
        let error = |error| Error::Admin {
            addr: addr.clone(),
            error,
        };
        let handed = predecessor
            .as_mut()
            .and_then(|predecessor| predecessor.take(Role::Admin, &addr));
        let bound = match handed {
            Some(handed) => Admin::adopt(handed),
            None => Admin::bind(&addr),
        }
        .map_err(error)?;
        if !quiet {
            eprintln!(
                "rhost: admin listener on {}",
                url(bound.address(), false, "")
            );
        }
        sockets.push((Role::Admin, bound.hand().map_err(error)?));
        let pages = Pages::new(health.clone(), api.clone()).with_public_metrics(metrics_public);
        // Until the process before has left, it is that one's state that counts.
        match predecessor {
            Some(_) => admin.push((bound, pages)),
            None => belongings.admin.push(bound.serve(pages).map_err(error)?),
        }
    }
    let mut served = match config {
        Some(config) => {
            let configured = Configured { args, config };
            Served::Many(Box::new(Fleet::new(
                configured, store, threads, &log, commons,
            )?))
        }
        None => Served::One(Box::new(One::new(args, threads, &log, &commons)?)),
    };
    let site = Site::new(None, &timeouts, &log, access_log)
        .with_head_limits(head_limits)
        .behind(proxies)
        .recorded(spans)
        .with_upkeep(upkeep);
    let site = match &mut served {
        Served::One(one) => {
            one.start(predecessor.is_some())?;
            one.site(site)
        }
        Served::Many(fleet) => {
            site.route(fleet.start()?);
            site
        }
    };
    let site = Arc::new(site);

    let start = |error: io::Error| Error::Start(error.to_string());
    // Accepts, and waits for signals; requests are served on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(start)?;
    runtime.block_on(async {
        let mut listeners = Vec::new();
        for addr in addresses {
            let handed = predecessor
                .as_mut()
                .and_then(|predecessor| predecessor.take(Role::App, &addr));
            let bound = match handed {
                Some(handed) => Listener::adopt(handed),
                None => Listener::bind(&addr, &listening),
            };
            let listener = bound.map_err(|error| Error::Bind { addr, error })?;
            sockets.push((Role::App, listener.hand().map_err(start)?));
            listeners.push(listener);
        }
        // Not before: another server may be the one that listens here.
        if let (Some(path), None) = (&pid_file, &predecessor) {
            let written = PidFile::write(path).map_err(|error| Error::PidFile {
                path: path.clone(),
                error,
            })?;
            belongings.pid_file = Some(written);
        }
        let what = match &served {
            Served::One(one) => one.size(),
            Served::Many(fleet) => fleet.size(),
        };
        let (one, fleet) = match served {
            Served::One(one) => (Some(one), None),
            Served::Many(fleet) => (None, Some(fleet.served())),
        };
        let file = fleet.as_ref().and_then(|fleet| fleet.path.clone());
        let signals = Signals::new(file.is_some()).map_err(start)?;
        let steward = fleet.as_ref().map(|fleet| fleet.steward.clone());
        if let Some(steward) = &steward {
            steward.serve_on(&site);
            api.serving(steward.clone());
        }
        // What connects from here on waits until it is accepted.
        health.serving(&site);
        if !quiet {
            let then = match &file {
                Some(file) => format!(
                    "{} applies {}, Ctrl-C stops",
                    if watching { "SIGHUP or a change" } else { "SIGHUP" },
                    file.display()
                ),
                None if watching && steward.is_none() => "changes are watched for, Ctrl-C stops".to_owned(),
                None => "Ctrl-C stops".to_owned(),
            };
            let urls: Vec<_> = listeners
                .iter()
                .map(|listener| url_of(listener.address(), tls.is_some()))
                .collect();
            eprintln!("rhost: serving {what} on {} ({then})", urls.join(" and "));
            if reuse.is_on() {
                eprintln!(
                    "rhost: an instance serves up to {} requests within {}: they share its memory (--reuse)",
                    reuse.requests,
                    humantime::format_duration(reuse.age)
                );
            }
        }
        let live = one.map(|one| one.follow(&site));
        let reloads: Option<Reloads> = match (fleet, file) {
            (Some(fleet), Some(file)) => Some(reload::start(fleet, file, tls.clone(), watching, quiet)?),
            _ => None,
        };
        let health = health.clone();
        let life = Life { signals, health, sockets, pid_file, patience, reloads, steward, quiet };
        let shutdown = async {
            life.live(predecessor, admin, &mut belongings).await;
            // Whoever waits for the next revision is not to be waited for.
            if let Some(live) = live {
                live.close();
            }
        };
        let limits = connection_limits;
        let drained = listener::serve(listeners, site, tls, timeouts, limits, threads, shutdown)
            .await
            .map_err(start)?;
        if drained == Drained::Cut {
            eprintln!("rhost: the grace period is over; requests that were still running were cut (--grace)");
        }
        Ok(())
    })
}

/// How the app is asked for at `address`.
fn url(address: &Address, is_tls: bool, mount: &str) -> String {
    match address {
        Address::Tcp(addr) if is_tls => format!("https://{addr}{mount}/"),
        Address::Tcp(addr) => format!("http://{addr}{mount}/"),
        address => address.to_string(),
    }
}

/// What the host's own code has to say goes to the log as well.
fn trace(log: &Sink) {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
                .with_env_var("RHOST_LOG")
                .from_env_lossy(),
        )
        .with_target(false);
    if log.format() == Format::Json {
        return subscriber.json().flatten_event(true).init();
    }
    let may_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    subscriber
        .with_ansi(may_colour && io::stderr().is_terminal())
        .init();
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
