//! A repository for a new project, as `cargo new` makes one.

use std::path::Path;
use std::process::{Command, Stdio};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repository {
    /// It is made.
    Made,
    /// The project lies in one that does not ignore it.
    Around,
    /// Git is not there, or would not; with what it said.
    Failed(String),
}

/// Makes the directory `project` a repository, unless one is around it.
pub fn repository(project: &Path) -> Repository {
    if is_tracked(project) {
        return Repository::Around;
    }
    let output = git(project).args(["init", "--quiet"]).output();
    match output {
        Ok(output) if output.status.success() => Repository::Made,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Repository::Failed(said.lines().next().unwrap_or_default().to_owned())
        }
        Err(error) => Repository::Failed(error.to_string()),
    }
}

/// Whether a repository around `project` would take its files.
fn is_tracked(project: &Path) -> bool {
    let around = git(project)
        .args(["rev-parse", "--is-inside-work-tree"])
        .output();
    if !around.is_ok_and(|output| output.stdout.starts_with(b"true")) {
        return false;
    }
    // Exits with 0 for what is ignored.
    let ignored = git(project).args(["check-ignore", "--quiet", "."]).status();
    !ignored.is_ok_and(|status| status.success())
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir).stdin(Stdio::null());
    // In a hook of git these name the repository of the hook.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
}
