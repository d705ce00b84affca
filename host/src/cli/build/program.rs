//! `rhost build wsgi_app:app`: a program in Python as a component to deploy, with
//! what it needs beside it.

use super::super::serve::deploy::Narrator;
use super::{Build, Error, file_error, write};
use rhost::compiled::Cache;
use rhost::failure::Octets;
use rhost::python::{Project, Workshop, bundle};
use rhost::strip::strip;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// What was made, as `--json` prints it.
#[derive(Serialize)]
struct Made {
    /// Where the component is.
    path: String,
    /// Octets of it.
    size: u64,
    /// Where that is which it is lent.
    files: String,
}

/// The program that was asked for, if it is one.
pub fn named(args: &Build) -> Result<Option<Project>, Error> {
    match args.cgi {
        true => Ok(Some(Project::cgi(&args.dir)?)),
        false => Ok(Project::find(&args.dir)?),
    }
}

/// Builds it, and prints where the component is.
pub fn run(args: &Build, project: &Project) -> Result<(), Error> {
    let path = args.output.clone();
    let path = path.unwrap_or_else(|| PathBuf::from(format!("{}.wasm", project.name())));
    bundle::free(&path)?;
    let cache = args.cache_dir.clone();
    let cache = cache.or_else(|| Some(dirs::cache_dir()?.join("rhost")));
    let cache = cache.ok_or(Error::NoCache)?;
    // It is the one of `rhost serve`, which trusts no other.
    Cache::open(&cache)?;
    let quiet = args.quiet || args.json;
    let workshop = Workshop {
        dir: cache.join("python"),
        active: std::env::var_os("VIRTUAL_ENV").map(PathBuf::from),
        env: args.env.clone(),
        observer: &Narrator { quiet },
    };
    let built = project.build(&workshop).inspect_err(|error| {
        if let Some(details) = error.details() {
            eprint!("{details}");
        }
    })?;
    let whole = fs::read(&built.component).map_err(|error| file_error(&built.component, error))?;
    let stripped = strip(&whole, !args.strip_names).map_err(|error| Error::Malformed {
        path: built.component.clone(),
        error: error.to_string(),
    })?;
    let files = bundle::write(&built, &path)?;
    write(&path, &stripped.component).map_err(|error| file_error(&path, error))?;
    let made = Made {
        path: path.display().to_string(),
        size: stripped.component.len() as u64,
        files: files.display().to_string(),
    };
    if !quiet {
        eprintln!(
            "rhost: {}; it is lent what is in {}: keep the two side by side",
            Octets(made.size),
            made.files
        );
    }
    let text = match args.json {
        true => serde_json::to_string_pretty(&made).expect("names are strings"),
        false => made.path,
    };
    // Whoever reads it may stop before its end.
    let _ = io::stdout().write_all((text + "\n").as_bytes());
    Ok(())
}
