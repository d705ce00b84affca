//! `rhost new`: a project to begin with.

use super::parse::template;
use clap::{Args, ValueEnum};
use rhost::scaffold::{Project, ProjectError, Repository, Sdk, SdkError, Template, repository};
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Args)]
pub struct New {
    /// Its directory, which is not there yet; the last part is its name
    #[arg(value_name = "NAME")]
    dir: PathBuf,

    /// What it begins as
    #[arg(short, long, value_name = "TEMPLATE", default_value = "site", value_parser = template())]
    template: Template,

    /// Whether to make it a repository, if it lies in none
    #[arg(long, value_name = "VCS", default_value = "git")]
    vcs: Vcs,

    /// Use the SDK in this directory, instead of a copy in the project
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,

    /// Say nothing but what goes wrong
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vcs {
    Git,
    None,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    /// It cannot be made.
    Project(#[from] ProjectError),
    /// The SDK is not where it was said to be.
    Sdk(#[from] SdkError),
}

/// Makes the project, and says what to do with it.
pub fn run(args: &New) -> Result<(), Error> {
    let sdk = match &args.sdk {
        Some(dir) => Sdk::at(dir)?,
        None => Sdk::Vendored,
    };
    let project = Project::new(&args.dir, args.template, &sdk)?;
    project.make()?;
    if args.vcs == Vcs::Git
        && let Repository::Failed(said) = repository(&args.dir)
    {
        eprintln!(
            "rhost: the project is made, but `git init` failed: {said}; run it yourself, or use --vcs none"
        );
    }
    if !args.quiet {
        let dir = args.dir.display();
        let entries = project.entries().join(", ");
        eprintln!(
            "rhost: made {dir} from the template {}: {entries}",
            args.template.name
        );
        eprintln!("Next:\n  cd {dir}\n  {}", args.template.next);
    }
    Ok(())
}
