//! `rhost serve`: build if need be, load, listen, serve, drain.

pub mod deploy;
mod descriptors;
pub mod error;
mod rebuild;
mod signals;
mod tls;

pub use error::Error;

use super::{Serve, Switch};
use deploy::{Component, Deployer};
use rebuild::Rebuild;
use rhost::access_log::AccessLog;
use rhost::development::Live;
use rhost::listener::{self, Listener};
use rhost::log::{Format, Sink};
use rhost::socket::Address;
use rhost::tenant::{App, Site};
use rhost::worker::Drained;
use std::io::{self, IsTerminal};
use std::sync::Arc;

/// Serves until a signal comes.
pub fn run(args: Serve) -> Result<(), Error> {
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
    let (addresses, listening) = (args.listen.addresses(), args.listen.listening());
    let watching = args.watch;
    let (head_limits, timeouts) = (args.head_limits(), args.timeouts());
    let proxies = args.proxy.proxies();
    let connection_limits = args.connections.limits();
    descriptors::raise();
    let concurrency = args.app.limits.concurrency;
    let threads = args.threads.map_or_else(cores, usize::from);
    let tls = tls::of(&args.listen, args.app.cache_dir().as_deref(), quiet)?;
    let deployer = Deployer::new(args.app, args.dev, quiet, threads, &log)?;
    let dev = deployer.dev();

    // What changes while the first build runs is to be noticed as well.
    let watch = match watching {
        true => Some(deployer.watch()?),
        false => None,
    };
    let live = Live::default();
    let (component, app) = match first(&deployer) {
        Ok((component, app)) => (Some(component), Some(app)),
        Err(error) if watching && rebuild::is_mendable(&error) => {
            eprintln!("rhost: {error}");
            live.failed(&rebuild::said(&error));
            (None, None)
        }
        Err(error) => return Err(error),
    };
    if let (Some(asked), Some(app)) = (concurrency, &app)
        && asked as usize > app.places()
    {
        eprintln!(
            "rhost: --concurrency {asked} is more than the sandboxes of this size that are kept; {} requests run at a time",
            app.places()
        );
    }
    let what = component.as_ref().map_or_else(
        || "nothing yet".to_owned(),
        |component| format!("{} ({})", component.name(), component.size()),
    );
    let site = Site::new(app, &timeouts, &log, access_log)
        .with_head_limits(head_limits)
        .behind(proxies);
    let site = Arc::new(match watching && dev {
        true => site.reloading(live.clone()),
        false => site,
    });

    let start = |error: io::Error| Error::Start(error.to_string());
    // Accepts, and waits for signals; requests are served on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(start)?;
    runtime.block_on(async {
        let bind = |addr: Address| {
            Listener::bind(&addr, &listening).map_err(|error| Error::Bind { addr, error })
        };
        let listeners: Vec<_> = addresses.into_iter().map(bind).collect::<Result<_, _>>()?;
        let stop = signals::stop(quiet).map_err(start)?;
        if !quiet {
            let then = match watching {
                true => "changes are watched for, Ctrl-C stops",
                false => "Ctrl-C stops",
            };
            let urls: Vec<_> = listeners
                .iter()
                .map(|listener| url(listener.address(), tls.is_some(), &mount))
                .collect();
            eprintln!("rhost: serving {what} on {} ({then})", urls.join(" and "));
        }
        if let Some(watch) = watch {
            let (site, live) = (site.clone(), live.clone());
            let rebuild = Rebuild { deployer, site, live, quiet };
            std::thread::spawn(move || rebuild.run(watch, component));
        }
        let shutdown = async {
            stop.await;
            // Whoever waits for the next revision is not to be waited for.
            live.close();
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

/// The app as it is at the start.
fn first(deployer: &Deployer) -> Result<(Component, App), Error> {
    let component = deployer.component()?;
    let app = deployer.app(&component, None)?;
    Ok((component, app))
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
