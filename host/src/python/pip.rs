//! pip: installs, and says in a line why it could not.

use super::PythonError;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What pip says when it cannot reach an index.
const NETWORK: [&str; 7] = [
    "NewConnectionError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ProxyError",
];

/// Variables that would send packages elsewhere than where they belong.
const MISLEADING: [&str; 5] = [
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PYTHONPATH",
    "PYTHONHOME",
];

/// pip, for packages that run in a sandbox.
pub const FOR_WASI: &str = include_str!("pip_for_wasi.py");

/// Installs packages that `python` itself will run, by its own pip. `what` names
/// them.
pub fn install(python: &Path, packages: &[&str], what: &str) -> Result<(), PythonError> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--only-binary=:all:"])
        .args(packages);
    run(pip, what)
}

/// Installs what a guest will import into the directory `site`: `args` are what pip
/// is told to install, in `dir`.
pub fn install_for_guest<S: AsRef<OsStr>>(
    python: &Path,
    dir: &Path,
    site: &Path,
    args: impl IntoIterator<Item = S>,
    what: &str,
) -> Result<(), PythonError> {
    let mut pip = Command::new(python);
    pip.args(["-c", FOR_WASI, "install", "--no-compile", "--target"])
        .arg(site)
        .args(args)
        .current_dir(dir);
    run(pip, what)
}

fn run(mut pip: Command, what: &str) -> Result<(), PythonError> {
    pip.args(["--quiet", "--no-input", "--disable-pip-version-check"])
        .stdin(Stdio::null());
    for name in MISLEADING {
        pip.env_remove(name);
    }
    if std::env::var_os("PIP_RETRIES").is_none() {
        // Who has no network learns it sooner than after pip's five.
        pip.env("PIP_RETRIES", "1");
    }
    let output = pip.output().map_err(PythonError::NoPython)?;
    if output.status.success() {
        return Ok(());
    }
    Err(explain(&String::from_utf8_lossy(&output.stderr), what))
}

/// The reason in what pip printed.
fn explain(printed: &str, what: &str) -> PythonError {
    let what = what.to_owned();
    let lines = || {
        printed
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    if let Some(sign) = NETWORK.iter().find(|sign| printed.contains(**sign)) {
        return PythonError::NoNetwork {
            what,
            why: (*sign).to_owned(),
        };
    }
    let errors =
        || lines().filter_map(|line| line.strip_prefix("ERROR:").or(line.strip_prefix("error:")));
    // Of several the one that names a requirement says most.
    let why = errors()
        .find(|line| {
            line.contains("No matching distribution") || line.contains("Invalid requirement")
        })
        .or_else(|| errors().next())
        .or_else(|| lines().next_back())
        .unwrap_or("pip said nothing");
    PythonError::Pip {
        what,
        why: why.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_is_told_from_no_such_package() {
        let offline = "WARNING: Retrying (Retry(total=0)) after connection broken by \
            'NewConnectionError('<x>: Failed to establish a new connection: [Errno 101] Network is unreachable')': /simple/\n\
            ERROR: Could not find a version that satisfies the requirement flask (from versions: none)\n\
            ERROR: No matching distribution found for flask\n";
        let said = explain(offline, "requirements.txt").to_string();
        assert!(
            said.contains("cannot be reached") && said.contains("PIP_INDEX_URL"),
            "{said}"
        );
        let missing = "ERROR: Could not find a version that satisfies the requirement flasque (from versions: none)\n\
            ERROR: No matching distribution found for flasque\n";
        let said = explain(missing, "requirements.txt").to_string();
        assert!(
            said.contains("No matching distribution found for flasque"),
            "{said}"
        );
        for printed in ["", "strange\n"] {
            let said = explain(printed, "x").to_string();
            assert!(
                !said.contains('\n') && said.ends_with("try again"),
                "{said}"
            );
        }
    }
}
