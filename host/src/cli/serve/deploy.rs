//! From what the command line names to an app: build, read, compile, link.

use super::super::app::AppArgs;
use super::super::flags::Switch;
use super::super::progress::Progress;
use super::error::Error;
use rhost::app::App;
use rhost::commons::Room;
use rhost::compiled::Cache;
use rhost::failure::Octets;
use rhost::inspect::inspect;
use rhost::load::{LoadError, Loaded, Loader};
use rhost::log::Sink;
use rhost::package::Build;
use rhost::python::{Observer, Project, Workshop, bundle};
use rhost::regular_file;
use rhost::sandbox::{Details, Engines};
use rhost::settings::{AppSettings, LentDir};
use rhost::watch::{Watch, WatchError};
use std::any::Any;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes the app that a command line names, as often as it is asked to.
pub struct Deployer {
    args: AppArgs,
    dev: Option<Switch>,
    quiet: bool,
    source: Source,
    engines: Engines,
    cache: Option<Arc<Cache>>,
    log: Sink,
    room: Arc<Room>,
}

/// What a command line names.
enum Source {
    Component(PathBuf),
    Crate(Build),
    Program(Box<Project>),
}

/// A component, read.
pub struct Component {
    path: PathBuf,
    file: Vec<u8>,
    /// What it is lent beyond what flags name.
    lends: Vec<LentDir>,
}

impl Deployer {
    /// Checks what can be checked before anything is built. `dev` says whether
    /// the app is being developed, if anybody said so. What guests print goes to
    /// `log`, and what their sandboxes take comes out of `room`.
    pub fn new(
        args: AppArgs,
        dev: Option<Switch>,
        quiet: bool,
        threads: usize,
        log: &Sink,
        room: Arc<Room>,
    ) -> Result<Self, Error> {
        for dir in &args.dir {
            std::fs::read_dir(&dir.host).map_err(|error| Error::Dir {
                path: dir.host.clone(),
                error,
            })?;
        }
        let cache = match args.cache_dir() {
            Some(path) => Some(Arc::new(Cache::open(&path)?.within(args.cache_size))),
            None => None,
        };
        let mut source = Source::named(&args, quiet)?;
        let developed = source.is_developed(dev);
        if let Source::Crate(build) = &mut source {
            build.lines = developed;
        }
        let details = match developed {
            true => Details::Lines,
            false => Details::Names,
        };
        let engines =
            Engines::new(threads, details).map_err(|error| Error::Start(format!("{error:#}")))?;
        Ok(Deployer {
            args,
            dev,
            quiet,
            source,
            engines,
            cache,
            log: log.clone(),
            room,
        })
    }

    /// Whether the app is being developed.
    pub fn dev(&self) -> bool {
        self.source.is_developed(self.dev)
    }

    /// The component; a crate or a program is built first.
    pub fn component(&self) -> Result<Component, Error> {
        let (path, lends) = match &self.source {
            Source::Component(path) => (path.clone(), bundle::beside(path)),
            Source::Crate(build) => (one(build.run()?)?, Vec::new()),
            Source::Program(project) => self.program(project)?,
        };
        let file = read(&path).map_err(|error| Error::Read {
            path: path.clone(),
            error,
        })?;
        Ok(Component { path, file, lends })
    }

    /// Builds a WSGI program.
    fn program(&self, project: &Project) -> Result<(PathBuf, Vec<LentDir>), Error> {
        let workshop = Workshop {
            dir: self.args.cache_dir().ok_or(Error::NoCache)?.join("python"),
            active: std::env::var_os("VIRTUAL_ENV").map(PathBuf::from),
            env: self.args.env.clone(),
            observer: &Narrator { quiet: self.quiet },
        };
        let built = project.build(&workshop).inspect_err(|error| {
            if let Some(details) = error.details() {
                eprint!("{details}");
            }
        })?;
        Ok((built.component, built.lends))
    }

    /// The app that `component` is, in the place of `last`.
    pub fn app(&self, component: &Component, last: Option<&App>) -> Result<App, Error> {
        self.make(component, |loaded, settings| {
            App::new(loaded, settings, &self.log, &self.room, last)
        })
    }

    /// The app that `component` is, and `observer` is told what it does against
    /// the rules.
    pub fn observed(
        &self,
        component: &Component,
        observer: Arc<dyn rhost::observer::Observer>,
    ) -> Result<App, Error> {
        self.make(component, |loaded, settings| {
            App::observed(loaded, settings, &self.log, &self.room, observer)
        })
    }

    fn make(
        &self,
        component: &Component,
        app: impl FnOnce(&Loaded, &AppSettings) -> Result<App, LoadError>,
    ) -> Result<App, Error> {
        let Component { path, file, .. } = component;
        let name = component.name();
        let error = |error| Error::Load {
            path: path.clone(),
            error,
        };
        let loader = Loader {
            engines: &self.engines,
            compiler: &self.args.compile.compiler(),
            cache: self.cache.as_ref(),
        };
        let compiling = || {
            let what = format!("compiling {name} ({})", component.size());
            (!self.quiet).then(|| Progress::start(what))
        };
        let loaded = loader.load(file, compiling).map_err(error)?;
        let mut settings = AppSettings {
            dev: self.dev(),
            source: self.source.dir().map(Path::to_owned),
            ..self.args.settings(name)
        };
        settings.dirs.extend(component.lends.iter().cloned());
        app(&loaded, &settings).map_err(error)
    }

    /// A watch on what the app is made from.
    pub fn watch(&self) -> Result<Watch, WatchError> {
        let dirs = self.args.dir.iter().map(|dir| dir.host.clone());
        let lent: Vec<_> = dirs.collect();
        match &self.source {
            Source::Component(path) => Watch::file(path),
            Source::Crate(build) => Watch::of_crate(build, &lent),
            Source::Program(project) => Watch::of_dir(project.root(), &lent),
        }
    }
}

impl Source {
    fn named(args: &AppArgs, quiet: bool) -> Result<Self, Error> {
        let app = args.place();
        if args.cgi {
            return Ok(Source::Program(Project::cgi(&app)?.into()));
        }
        if let Some(project) = Project::find_from(&args.chdir, &args.app)? {
            let settings = args.chdir.join("gunicorn.conf.py");
            if settings.is_file() && !quiet {
                eprintln!(
                    "rhost: {} is not read; what it sets are flags here (bind: --addr, timeout: --timeout), and \
                     workers are none: docs/python.md has them all",
                    settings.display()
                );
            }
            return Ok(Source::Program(project.into()));
        }
        if !app.is_dir() {
            return Ok(Source::Component(app));
        }
        let mut build = Build {
            stack: args.stack,
            ..Build::release(&app)
        };
        if quiet {
            build.cargo_args.push("--quiet".into());
        }
        Ok(Source::Crate(build))
    }

    /// Whoever has the source is taken for its developer, unless a flag says
    /// otherwise.
    fn is_developed(&self, dev: Option<Switch>) -> bool {
        match dev {
            Some(switch) => switch == Switch::On,
            None => !matches!(self, Source::Component(_)),
        }
    }

    /// Where the source is.
    fn dir(&self) -> Option<&Path> {
        match self {
            Source::Component(_) => None,
            Source::Crate(build) => Some(&build.dir),
            Source::Program(project) => Some(project.root()),
        }
    }
}

impl Component {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its octets.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

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

/// Tells of a program's build on standard error.
pub struct Narrator {
    /// Whether it is to keep silent.
    pub quiet: bool,
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

/// The bytes of the file that the command line names. That may be a pipe: nobody but who
/// gave it waits for it. It has an end all the same.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, most) = (Vec::new(), regular_file::COMPONENT);
    File::open(path)?.take(most + 1).read_to_end(&mut file)?;
    match file.len() as u64 > most {
        true => {
            let text = format!("it is larger than {}; give a smaller one", Octets(most));
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        false => Ok(file),
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
