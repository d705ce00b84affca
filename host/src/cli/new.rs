//! `rhost new`: a project to begin with.

use super::{New, Vcs};
use rhost::scaffold::{Project, ProjectError, Repository, Sdk, SdkError, repository};

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
