//! `rhost serve`: build if need be, load, listen, serve, drain.

use super::progress::Progress;
use super::{LogFormat, Serve, Switch};
use rhost::compiled::{Cache, CacheError};
use rhost::failure::Octets;
use rhost::listener::Listener;
use rhost::load::{LoadError, Loader};
use rhost::log::{Format, Sink};
use rhost::package::{Build, BuildError};
use rhost::python::{Observer, Project, PythonError, Workshop};
use rhost::sandbox::Engines;
use rhost::settings::LentDir;
use rhost::tenant::{App, Site};
use rhost::worker::Drained;
use std::any::Any;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Why nothing is served. One line each; the last word is what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The component cannot be read.
    #[error("{}: {}", path.display(), explain(error))]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not an app.
    #[error("{}: {error}", path.display())]
    Load {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        error: LoadError,
    },
    /// A crate does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A WSGI program does not build.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A crate makes several components.
    #[error("the crate makes several components; give one of them: {}", .0.join(", "))]
    Several(Vec<String>),
    /// A lent directory is not there.
    #[error("--dir {}: {}", path.display(), explain(error))]
    Dir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The cache cannot be trusted or made.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// There is no directory in which a program could be built.
    #[error(
        "there is no cache directory to build in, since HOME is not set; name one with --cache-dir"
    )]
    NoCache,
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {}", explain_bind(*addr, error))]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// wasmtime or the system would not start.
    #[error("cannot start: {0}")]
    Start(String),
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn explain_bind(addr: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "the port is in use; stop what uses it, or choose another: --addr {}",
            SocketAddr::new(addr.ip(), addr.port().wrapping_add(1).max(1024))
        ),
        io::ErrorKind::PermissionDenied if addr.port() < 1024 => {
            "ports below 1024 need privileges; choose a higher one with --addr".into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; see `ip address`".into()
        }
        _ => error.to_string(),
    }
}

/// Serves until a signal comes.
pub fn run(args: &Serve) -> Result<(), Error> {
    let format = match args.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let (log, _log_flusher) = Sink::start("log", io::stderr(), format);
    trace(&log);
    // Silence is cheaper than a line that nobody reads.
    let (access_log, _access_flusher) = match args.access_log {
        Switch::On => Some(Sink::start("access log", io::stdout(), format)).unzip(),
        Switch::Off => (None, None),
    };

    for dir in &args.dir {
        std::fs::read_dir(&dir.host).map_err(|error| Error::Dir {
            path: dir.host.clone(),
            error,
        })?;
    }
    let cache = match cache_dir(args) {
        Some(path) => Some(Cache::open(&path)?),
        None => None,
    };
    let Source { path, lends, built } = source(args)?;
    let file = std::fs::read(&path).map_err(|error| Error::Read {
        path: path.clone(),
        error,
    })?;
    let name = name(&path);
    let start = |error: wasmtime::Error| Error::Start(format!("{error:#}"));
    let threads = args.threads.map_or_else(cores, usize::from);
    let engines = Engines::new(threads).map_err(start)?;
    let size = Octets(file.len() as u64);
    let loaded = Loader {
        engines: &engines,
        cache: cache.as_ref(),
    }
    .load(&file, || {
        (!args.quiet).then(|| Progress::start(format!("compiling {name} ({size})")))
    })
    .map_err(|error| Error::Load {
        path: path.clone(),
        error,
    })?;
    drop(file);
    let mut settings = args.app_settings(name.clone());
    settings.dev |= built && args.dev.is_none();
    settings.dirs.extend(lends);
    let app = App::new(&loaded, &settings, &log).map_err(|error| Error::Load {
        path: path.clone(),
        error,
    })?;
    if let Some(asked) = settings.limits.concurrency
        && asked > app.places()
    {
        eprintln!(
            "rhost: --concurrency {asked} is more than the sandboxes of this size that are kept; {} requests run at a time",
            app.places()
        );
    }
    let timeouts = args.timeouts();
    let site = Arc::new(Site::new(app, &timeouts, access_log));

    let start = |error: io::Error| Error::Start(error.to_string());
    // Accepts, and waits for signals; requests are served on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(start)?;
    runtime.block_on(async {
        let listener = Listener::bind(args.addr).map_err(|error| Error::Bind { addr: args.addr, error })?;
        let addr = listener.local_addr().map_err(start)?;
        let shutdown = stop_signal(args.quiet).map_err(start)?;
        if !args.quiet {
            eprintln!("rhost: serving {name} ({size}) on http://{addr}{}/ (Ctrl-C stops)", settings.mount);
        }
        let drained = listener.serve(site, timeouts, threads, shutdown).await.map_err(start)?;
        if drained == Drained::Cut {
            eprintln!("rhost: the grace period is over; requests that were still running were cut (--grace)");
        }
        Ok(())
    })
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

/// Ready at the first SIGINT or SIGTERM. A second one ends the process at once.
fn stop_signal(quiet: bool) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    Ok(async move {
        next().await;
        if !quiet {
            eprintln!("rhost: stopping; requests in flight may finish, a second signal cuts them");
        }
        tokio::spawn(async move {
            let signal = next().await;
            // As a shell reports a process that a signal ended.
            std::process::exit(128 + signal.as_raw_value());
        });
    })
}

/// What is served.
struct Source {
    /// The component.
    path: PathBuf,
    /// What it is lent beyond what flags name.
    lends: Vec<LentDir>,
    /// Whether it was built for this.
    built: bool,
}

/// The component to serve; a WSGI program or a crate is built first.
fn source(args: &Serve) -> Result<Source, Error> {
    if let Some(project) = Project::find(&args.app)? {
        return program(args, &project);
    }
    if !args.app.is_dir() {
        return Ok(Source {
            path: args.app.clone(),
            lends: Vec::new(),
            built: false,
        });
    }
    let mut build = Build {
        stack: args.stack,
        ..Build::release(&args.app)
    };
    if args.quiet {
        build.cargo_args.push("--quiet".into());
    }
    let mut built = build.run()?;
    if built.len() > 1 {
        return Err(Error::Several(
            built
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        ));
    }
    Ok(Source {
        path: built.remove(0),
        lends: Vec::new(),
        built: true,
    })
}

/// The component of a WSGI program.
fn program(args: &Serve, project: &Project) -> Result<Source, Error> {
    let cache = cache_dir(args).ok_or(Error::NoCache)?;
    let workshop = Workshop {
        dir: cache.join("python"),
        active: std::env::var_os("VIRTUAL_ENV").map(PathBuf::from),
        env: args.env.clone(),
        observer: &Narrator { quiet: args.quiet },
    };
    let built = project.build(&workshop).inspect_err(|error| {
        if let Some(details) = error.details() {
            eprint!("{details}");
        }
    })?;
    Ok(Source {
        path: built.component,
        lends: built.lends,
        built: true,
    })
}

/// Tells of a build on standard error.
struct Narrator {
    quiet: bool,
}

impl Observer for Narrator {
    fn progress(&self, what: String) -> Box<dyn Any> {
        Box::new((!self.quiet).then(|| Progress::start(what)))
    }

    fn tell(&self, line: String) {
        if !self.quiet {
            eprintln!("rhost: {line}");
        }
    }
}

fn name(path: &Path) -> String {
    path.file_stem()
        .map_or_else(|| "app".into(), |stem| stem.to_string_lossy().into_owned())
}

fn cache_dir(args: &Serve) -> Option<PathBuf> {
    args.cache_dir
        .clone()
        .or_else(|| Some(dirs::cache_dir()?.join("rhost")))
}
