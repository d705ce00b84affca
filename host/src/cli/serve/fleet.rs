//! Many apps, as a file says them; and the file applied again.

use super::super::Switch;
use super::super::config;
use super::super::progress::Progress;
use super::configured::Configured;
use super::error::Error;
use rhost::app::App;
use rhost::compiled::Cache;
use rhost::components::Components;
use rhost::config::{Config, Given};
use rhost::deployment::{Changes, DeployError, Deployment};
use rhost::log::Sink;
use rhost::residency::{Budget, Residency};
use rhost::routing::Routes;
use rhost::sandbox::{Details, Engines};
use rhost::tenant::Site;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The apps of a file.
pub struct Fleet {
    deployment: Deployment,
    /// What is served.
    config: Config,
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
    /// Makes what the file needs; its apps are not loaded.
    pub fn new(configured: Configured, threads: usize, log: &Sink) -> Result<Self, Error> {
        let Configured { args, config } = configured;
        let dev = args.dev == Some(Switch::On);
        let cache = match args.app.cache_dir() {
            Some(path) => Some(Cache::open(&path)?),
            None => None,
        };
        let details = match dev {
            true => Details::Lines,
            false => Details::Names,
        };
        let engines =
            Engines::new(threads, details).map_err(|error| Error::Start(format!("{error:#}")))?;
        let budget = Budget::of_this_machine(config.memory_budget);
        let components = Components::new(
            Arc::new(engines),
            args.app.compile.compiler(),
            cache,
            Arc::new(Residency::within(budget)),
        );
        Ok(Fleet {
            deployment: Deployment::new(Arc::new(components), log, dev),
            config,
            quiet: args.quiet,
        })
    }

    /// Loads all apps, and returns where their requests go.
    pub fn start(&mut self) -> Result<Routes<Arc<App>>, Error> {
        let ready = self
            .deployment
            .prepare(&self.config, |what| self.progress(what));
        let ready = ready.map_err(|errors| {
            for error in &errors {
                eprintln!("rhost: {error}");
            }
            Error::Deploy(self.config.path.clone(), errors.len())
        })?;
        let (routes, _) = self.deployment.adopt(ready);
        Ok(routes)
    }

    /// How many apps there are, in words.
    pub fn size(&self) -> String {
        match self.config.apps.len() {
            1 => "1 app".into(),
            apps => format!("{apps} apps"),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.config.path
    }

    /// All files that what is served was made from.
    pub fn files(&self) -> Vec<PathBuf> {
        self.config.files()
    }

    /// Reads the file again, and serves on `site` what it says now: all of it, or, if
    /// anything is wrong with it, nothing.
    pub fn reload(&mut self, site: &Site) -> Result<Changes, NotApplied> {
        let path = self.config.path.clone();
        let config = match Config::read(&path) {
            Ok(config) => config,
            Err(problems) => {
                let errors = problems
                    .iter()
                    .filter(|problem| problem.level == rhost::config::Level::Error);
                return Err(NotApplied::of(
                    &path,
                    errors.map(ToString::to_string).collect(),
                ));
            }
        };
        let fixed = fixed(&self.config, &config);
        if !fixed.is_empty() {
            return Err(NotApplied::of(&path, fixed));
        }
        let prepared = self.deployment.prepare(&config, |what| self.progress(what));
        let ready = prepared.map_err(|errors| {
            NotApplied::of(&path, errors.iter().map(DeployError::to_string).collect())
        })?;
        config::tell(&config.warnings);
        let (routes, changes) = self.deployment.adopt(ready);
        site.route(routes);
        self.config = config;
        Ok(changes)
    }

    fn progress(&self, what: String) -> Option<Progress> {
        (!self.quiet).then(|| Progress::start(what))
    }
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
