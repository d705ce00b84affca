//! Many apps, as a file says them and others deploy them; and the file applied again.

use super::super::config;
use super::super::flags::Switch;
use super::super::progress::Progress;
use super::configured::Configured;
use super::error::Error;
use rhost::app::App;
use rhost::commons::Commons;
use rhost::compiled::Cache;
use rhost::components::Components;
use rhost::config::{Config, Given};
use rhost::deployment::{Changes, DeployError, Deployment, Trial};
use rhost::log::Sink;
use rhost::residency::{Budget, Residency};
use rhost::roster::{NotServed, Roster, Steward};
use rhost::routing::Routes;
use rhost::sandbox::{Details, Engines};
use rhost::store::Store;
use rhost::tails::Tails;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The apps of a file, and those that are deployed.
pub struct Fleet {
    roster: Roster,
    trial: Trial,
    quiet: bool,
}

/// The same when they are served.
#[derive(Clone)]
pub struct Served {
    /// Who changes them.
    pub steward: Steward,
    /// The file; none if there is none.
    pub path: Option<PathBuf>,
    /// Whether there are deployed ones.
    pub has_state: bool,
    quiet: bool,
}

/// Why a file is not applied; what is served stays. A line: the first error, and how
/// many there are beside it.
#[derive(Debug, thiserror::Error)]
#[error("{path} is not applied, and what was served is served on: {first}{}", more(*.others, .path))]
pub struct NotApplied {
    path: String,
    first: String,
    others: usize,
}

impl Fleet {
    /// Makes what the file needs; its apps are not loaded. Their sandboxes have `commons`
    /// together.
    pub fn new(
        configured: Configured,
        store: Option<Store>,
        threads: usize,
        log: &Sink,
        commons: Arc<Commons>,
    ) -> Result<Self, Error> {
        let Configured { args, config } = configured;
        let dev = args.dev == Some(Switch::On);
        let cache = match args.app.cache_dir() {
            Some(path) => Some(Arc::new(Cache::open(&path)?.within(args.app.cache_size))),
            None => None,
        };
        let details = match dev {
            true => Details::Lines,
            false => Details::Names,
        };
        let engines =
            Engines::new(threads, details).map_err(|error| Error::Start(format!("{error:#}")))?;
        let budget = Budget::of_this_machine(config.memory_budget);
        let components = Arc::new(Components::new(
            Arc::new(engines),
            args.app.compile.compiler(),
            cache,
            Arc::new(Residency::within(budget)),
            commons,
        ));
        let tails = Tails::default();
        if store.is_some() {
            log.keep_tails(tails.clone());
        }
        let deployment = Deployment::new(components.clone(), log, dev);
        Ok(Fleet {
            roster: Roster::new(deployment, config, store, tails),
            trial: Trial::new(components, log),
            quiet: args.quiet,
        })
    }

    /// Loads all apps, and returns where their requests go.
    pub fn start(&mut self) -> Result<Routes<Arc<App>>, Error> {
        let quiet = self.quiet;
        let path = self.roster.config().path.clone();
        self.roster
            .start(|what| progress(what, quiet))
            .map_err(|error| match error {
                NotServed::Store(error) => error.into(),
                NotServed::Apps(errors) => {
                    for error in &errors {
                        eprintln!("rhost: {error}");
                    }
                    Error::Deploy(path, errors.len())
                }
            })
    }

    /// How many apps there are, in words.
    pub fn size(&self) -> String {
        match self.roster.config().apps.len() {
            0 => "no app yet".into(),
            1 => "1 app".into(),
            apps => format!("{apps} apps"),
        }
    }

    /// They are served from here on.
    pub fn served(self) -> Served {
        let path = Some(self.roster.config().path.clone());
        Served {
            path: path.filter(|path| !path.as_os_str().is_empty()),
            has_state: self.roster.has_state(),
            steward: Steward::new(self.roster, self.trial),
            quiet: self.quiet,
        }
    }
}

impl Served {
    /// All files that what is served was made from.
    pub fn files(&self) -> Vec<PathBuf> {
        self.steward.with_config(Config::files)
    }

    /// Reads the file again, and serves what it says now: all of it, or, if anything is
    /// wrong with it, nothing.
    pub fn reload(&self, path: &Path) -> Result<Changes, NotApplied> {
        let read = || {
            let config = Config::read_beside(path, self.has_state).map_err(|problems| {
                let errors = problems
                    .iter()
                    .filter(|problem| problem.level == rhost::config::Level::Error);
                NotServedOf(errors.map(ToString::to_string).collect())
            })?;
            config::tell(&config.warnings);
            Ok(config)
        };
        let fits = |before: &Config, after: &Config| {
            let fixed = fixed(before, after);
            match fixed.is_empty() {
                true => Ok(()),
                false => Err(NotServedOf(fixed)),
            }
        };
        self.steward
            .reload(read, fits, |what| progress(what, self.quiet))
            .map_err(|NotServedOf(errors)| NotApplied::of(path, errors))
    }
}

/// All errors.
struct NotServedOf(Vec<String>);

impl From<NotServed> for NotServedOf {
    fn from(error: NotServed) -> Self {
        NotServedOf(match error {
            NotServed::Store(error) => vec![error.to_string()],
            NotServed::Apps(errors) => errors.iter().map(DeployError::to_string).collect(),
        })
    }
}

fn progress(what: String, quiet: bool) -> Option<Progress> {
    (!quiet).then(|| Progress::start(what))
}

impl NotApplied {
    fn of(path: &Path, errors: Vec<String>) -> Self {
        let others = errors.len().saturating_sub(1);
        let first = errors.into_iter().next().unwrap_or_default();
        NotApplied {
            path: path.display().to_string(),
            first,
            others,
        }
    }
}

/// The keys that differ and hold for the life of a process, each with what to do.
fn fixed(before: &Config, after: &Config) -> Vec<String> {
    let said = |config: &Config, name: &str| {
        let found = config.server.iter().find(|given| given.key.name == name);
        found.map(|given| given.texts.clone())
    };
    let both = before.server.iter().chain(&after.server);
    let mut names: Vec<&str> = both.map(|given: &Given| given.key.name).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != "unknown-host" && said(before, name) != said(after, name));
    let told = |name: &str| {
        let line = after.server.iter().find(|given| given.key.name == name);
        let line = line.map_or_else(String::new, |given| format!(":{}", given.line));
        format!(
            "{}{line}: server.{name}: it holds for the life of a process; send SIGUSR2, or restart it",
            after.path.display()
        )
    };
    names.into_iter().map(told).collect()
}

fn more(others: usize, path: &str) -> String {
    match others {
        0 => String::new(),
        1 => format!(" (and 1 other error; see `rhost config check -c {path}`)"),
        others => format!(" (and {others} other errors; see `rhost config check -c {path}`)"),
    }
}
