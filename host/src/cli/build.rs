//! `rhost build`: a crate as a component to deploy.

mod program;
mod report;

use super::parse::{env, octets};
use cargo_metadata::{Metadata, MetadataCommand};
use clap::Args;
use report::{Flags, Report};
use rhost::compiled::CacheError;
use rhost::gateway;
use rhost::inspect::{Inspection, inspect};
use rhost::load::LoadError;
use rhost::package::{self, BuildError, TARGET};
use rhost::profile::{self, Setting};
use rhost::python::PythonError;
use rhost::strip::{Stripped, strip};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What was asked for.
#[derive(Debug, Args)]
pub struct Build {
    /// The directory of a crate, or a WSGI program (wsgi_app:app)
    #[arg(default_value = ".")]
    dir: PathBuf,

    /// Where the component goes [default: NAME.wasm in cargo's target directory, or of a program in
    /// this one]; what a program needs goes beside it, into NAME.files
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Take the names of functions off as well: smaller, and backtraces have numbers only
    #[arg(long)]
    strip_names: bool,

    /// Stack of the guest
    #[arg(long, value_name = "SIZE", default_value = "32KiB", value_parser = octets)]
    stack: u64,

    /// Make a component of a Python script that prints its answer, or of a directory of them
    #[arg(long)]
    cgi: bool,

    /// Environment variable for the import of a program; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = env)]
    env: Vec<(String, String)>,

    /// Where a program is built and packages are kept; must be a directory of your own
    /// [default: rhost in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,

    /// Print path, sizes and flags as JSON
    #[arg(long)]
    json: bool,

    /// Say nothing but what goes wrong, and where the component is
    #[arg(short, long)]
    quiet: bool,
}

/// Why there is no component. One line each; the last words are what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no crate.
    #[error("{} has no Cargo.toml; give the directory of a crate, or a WSGI program as wsgi_app:app, or make one with `rhost new`", .0.display())]
    NoCrate(PathBuf),
    /// It does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It makes several components.
    #[error("the crate makes several components ({}); build each with `cargo build --release --target {TARGET}`", .0.join(", "))]
    Several(Vec<String>),
    /// What cargo made is not what it should be.
    #[error("{}: {error}; report this as a bug", path.display())]
    Malformed {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// It is a component, but no application.
    #[error("{}: {error}", path.display())]
    NoApp {
        /// What cargo made.
        path: PathBuf,
        /// What it is instead.
        error: LoadError,
    },
    /// A program does not build.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// The cache cannot be trusted or made.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// There is no directory in which a program could be built.
    #[error(
        "there is no cache directory to build in, since HOME is not set; name one with --cache-dir"
    )]
    NoCache,
    /// A file cannot be read or written.
    #[error("{}: {error}; choose another place with -o", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Builds, strips and checks; prints where the component is.
pub fn run(args: &Build) -> Result<(), Error> {
    if let Some(project) = program::named(args)? {
        return program::run(args, &project);
    }
    let metadata = metadata(&args.dir)?;
    let settings = settings(&metadata)?;
    let linked_at = link(args, &settings)?;
    let linked = fs::read(&linked_at).map_err(|error| file_error(&linked_at, error))?;
    let malformed = |error: &dyn Display| Error::Malformed {
        path: linked_at.clone(),
        error: error.to_string(),
    };
    let Stripped { component, removed } =
        strip(&linked, !args.strip_names).map_err(|error| malformed(&error))?;
    let inspection = inspect(&component).map_err(|error| malformed(&error))?;
    if let Some(error) = no_app(&inspection) {
        let path = linked_at;
        return Err(Error::NoApp { path, error });
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None => {
            let name = linked_at.file_name().unwrap_or_default();
            near(metadata.target_directory.as_std_path().join(name))
        }
    };
    write(&path, &component).map_err(|error| file_error(&path, error))?;
    let not_lent = inspection
        .imports
        .into_iter()
        .filter(|it| it.lent.is_none());
    let report = Report {
        path: path.display().to_string(),
        linked: linked.len() as u64,
        size: component.len() as u64,
        removed,
        flags: Flags {
            stack: args.stack,
            profile: settings.iter().map(|it| (it.key, it.value)).collect(),
        },
        not_lent: not_lent.map(|it| it.interface.name).collect(),
    };
    report.tell(args.quiet, args.json);
    Ok(())
}

/// What cargo knows of the crate in `dir`, its dependencies aside.
fn metadata(dir: &Path) -> Result<Metadata, Error> {
    // Cargo would look for one in the directories above as well.
    if !dir.join("Cargo.toml").is_file() {
        return Err(Error::NoCrate(dir.to_owned()));
    }
    let metadata = MetadataCommand::new().current_dir(dir).no_deps().exec();
    metadata.map_err(|error| match error {
        cargo_metadata::Error::Io(error) => Error::Build(BuildError::Tool {
            tool: "cargo",
            error,
        }),
        cargo_metadata::Error::CargoMetadata { stderr } => {
            eprint!("{stderr}");
            Error::Build(BuildError::Cargo {
                dir: dir.to_owned(),
                said: String::new(),
            })
        }
        error => {
            eprintln!("{error}");
            Error::Build(BuildError::Cargo {
                dir: dir.to_owned(),
                said: String::new(),
            })
        }
    })
}

/// The settings that the crate leaves open. Profiles are read from the manifest
/// at the root of the workspace alone.
fn settings(metadata: &Metadata) -> Result<Vec<Setting>, Error> {
    let path = metadata.workspace_root.join("Cargo.toml");
    let manifest =
        fs::read_to_string(&path).map_err(|error| file_error(path.as_std_path(), error))?;
    Ok(profile::open(&manifest, |name| {
        std::env::var_os(name).is_some()
    }))
}

/// Builds the crate; returns where the linker's component is.
fn link(args: &Build, settings: &[Setting]) -> Result<PathBuf, Error> {
    let mut build = package::Build {
        stack: args.stack,
        ..package::Build::release(&args.dir)
    };
    for setting in settings {
        build.cargo_args.push("--config".into());
        build.cargo_args.push(setting.argument());
    }
    if args.quiet {
        build.cargo_args.push("--quiet".into());
    }
    let mut built = build.run()?;
    match built.pop() {
        Some(only) if built.is_empty() => Ok(only),
        last => {
            let all = built.iter().chain(&last);
            Err(Error::Several(
                all.map(|path| path.display().to_string()).collect(),
            ))
        }
    }
}

/// Why this is no application, if it is none.
fn no_app(inspection: &Inspection) -> Option<LoadError> {
    let names = || inspection.exports.iter().map(|it| it.name.clone());
    let is_app = names().any(|name| name == gateway::APP);
    (!is_app).then(|| LoadError::Exports(names().collect()))
}

/// The path as seen from here, if it lies below.
fn near(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    match here.ok().and_then(|here| path.strip_prefix(here).ok()) {
        Some(below) => below.to_owned(),
        None => path,
    }
}

/// Writes the file whole or not at all: a server may be about to read it.
fn write(path: &Path, component: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        // A pipe, say, or a directory, of which the system complains.
        return fs::write(path, component);
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = fs::write(&part, component).and_then(|()| fs::rename(&part, path));
    written.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

fn file_error(path: &Path, error: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        error,
    }
}
