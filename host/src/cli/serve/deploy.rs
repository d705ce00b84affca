//! From what the command line names to an app: build, read, compile, link.

use super::super::Serve;
use super::super::progress::Progress;
use super::error::Error;
use rhost::compiled::Cache;
use rhost::failure::Octets;
use rhost::inspect::inspect;
use rhost::load::Loader;
use rhost::log::Sink;
use rhost::package::Build;
use rhost::sandbox::{Details, Engines};
use rhost::settings::AppSettings;
use rhost::tenant::App;
use rhost::watch::{Watch, WatchError};
use std::path::{Path, PathBuf};

/// Makes the app that a command line names, as often as it is asked to.
pub struct Deployer {
    args: Serve,
    engines: Engines,
    cache: Option<Cache>,
    log: Sink,
}

/// A component, read.
pub struct Component {
    path: PathBuf,
    file: Vec<u8>,
}

impl Deployer {
    /// Checks what can be checked before anything is built. What guests print
    /// goes to `log`.
    pub fn new(args: Serve, threads: usize, log: &Sink) -> Result<Self, Error> {
        for dir in &args.dir {
            std::fs::read_dir(&dir.host).map_err(|error| Error::Dir {
                path: dir.host.clone(),
                error,
            })?;
        }
        let cache = match cache_dir(&args) {
            Some(path) => Some(Cache::open(&path)?),
            None => None,
        };
        let details = match args.dev() {
            true => Details::Lines,
            false => Details::Names,
        };
        let engines =
            Engines::new(threads, details).map_err(|error| Error::Start(format!("{error:#}")))?;
        Ok(Deployer {
            args,
            engines,
            cache,
            log: log.clone(),
        })
    }

    /// The component; a crate is built first.
    pub fn component(&self) -> Result<Component, Error> {
        let path = match self.build() {
            Some(build) => one(build.run()?)?,
            None => self.args.app.clone(),
        };
        let file = std::fs::read(&path).map_err(|error| Error::Read {
            path: path.clone(),
            error,
        })?;
        Ok(Component { path, file })
    }

    /// The app that `component` is, in the place of `last`.
    pub fn app(&self, component: &Component, last: Option<&App>) -> Result<App, Error> {
        let Component { path, file } = component;
        let name = component.name();
        let error = |error| Error::Load {
            path: path.clone(),
            error,
        };
        let loader = Loader {
            engines: &self.engines,
            cache: self.cache.as_ref(),
        };
        let compiling = || {
            let what = format!("compiling {name} ({})", component.size());
            (!self.args.quiet).then(|| Progress::start(what))
        };
        let loaded = loader.load(file, compiling).map_err(error)?;
        let settings = AppSettings {
            source: self.build().map(|build| build.dir),
            ..self.args.app_settings(name)
        };
        App::new(&loaded, &settings, &self.log, last).map_err(error)
    }

    /// A watch on what the app is made from.
    pub fn watch(&self) -> Result<Watch, WatchError> {
        match self.build() {
            Some(build) => {
                let dirs = self.args.dir.iter().map(|dir| dir.host.clone());
                Watch::of_crate(&build, &dirs.collect::<Vec<_>>())
            }
            None => Watch::file(&self.args.app),
        }
    }

    /// How to build it, if it is a crate.
    fn build(&self) -> Option<Build> {
        let args = &self.args;
        args.app.is_dir().then(|| {
            let mut build = Build {
                stack: args.stack,
                lines: args.dev(),
                ..Build::release(&args.app)
            };
            if args.quiet {
                build.cargo_args.push("--quiet".into());
            }
            build
        })
    }
}

impl Component {
    /// What the app is called: as its file.
    pub fn name(&self) -> String {
        let stem = self.path.file_stem();
        stem.map_or_else(|| "app".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Its size, but for what only developers need.
    pub fn size(&self) -> Octets {
        let parts = inspect(&self.file).map_or_else(|_| Vec::new(), |inspection| inspection.parts);
        let lines = parts
            .iter()
            .filter(|part| part.name == "debugging information");
        Octets(self.file.len() as u64 - lines.map(|part| part.size).sum::<u64>())
    }

    /// Whether both are the same, octet by octet.
    pub fn is(&self, other: &Component) -> bool {
        self.file == other.file
    }
}

fn one(mut components: Vec<PathBuf>) -> Result<PathBuf, Error> {
    match components.len() {
        1 => Ok(components.remove(0)),
        _ => Err(Error::Several(
            components
                .iter()
                .map(|path: &PathBuf| Path::display(path).to_string())
                .collect(),
        )),
    }
}

/// Where what is made once is kept.
pub fn cache_dir(args: &Serve) -> Option<PathBuf> {
    args.cache_dir
        .clone()
        .or_else(|| Some(dirs::cache_dir()?.join("rhost")))
}
