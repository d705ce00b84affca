//! The private environment in which componentize-py is installed, on first use.

use super::observer::Observer;
use super::packages::site_packages;
use super::{PythonError, pip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The version that components are built with. Its CPython is 3.14.
pub const VERSION: &str = "0.25.1";

/// The time zones that go along with the standard library: the package tzdata's.
pub const ZONES: &str = "2026.6";

/// The pip that installs what programs depend on.
const PIP: &str = "26.3";

/// The oldest Python that it runs on.
const OLDEST: (u32, u32) = (3, 10);

/// An environment that is complete.
pub struct Tools {
    dir: PathBuf,
}

impl Tools {
    /// Those in `workshop`, made if they are not there.
    pub fn ensure(workshop: &Path, observer: &dyn Observer) -> Result<Self, PythonError> {
        let dir = workshop.join(format!(
            "componentize-py-{VERSION}-pip-{PIP}-tzdata-{ZONES}"
        ));
        let tools = Tools { dir };
        // A new Python in place of the one it was made with leaves links to nothing.
        if tools.ready().is_file() && tools.python().exists() {
            return Ok(tools);
        }
        let _progress = observer.progress(format!(
            "installing componentize-py {VERSION} for rhost's own use"
        ));
        if tools.dir.exists() {
            fs::remove_dir_all(&tools.dir).map_err(PythonError::file(&tools.dir))?;
        }
        new_enough()?;
        let mut venv = python3();
        venv.args(["-m", "venv"]).arg(&tools.dir);
        let made = venv.output().map_err(PythonError::NoPython)?;
        if !made.status.success() {
            return Err(PythonError::NoVenv(last_line(&made)));
        }
        let componentize_py = format!("componentize-py=={VERSION}");
        pip::install(
            &tools.python(),
            &[
                &componentize_py,
                &format!("pip=={PIP}"),
                &format!("tzdata=={ZONES}"),
            ],
            &componentize_py,
        )?;
        fs::write(tools.ready(), "").map_err(PythonError::file(tools.ready()))?;
        Ok(tools)
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.dir.join("bin/python")
    }

    /// The directory with the files of time zones.
    pub fn zones(&self) -> Option<PathBuf> {
        let zones = site_packages(&self.dir)?.join("tzdata/zoneinfo");
        zones.is_dir().then_some(zones)
    }

    /// componentize-py.
    pub fn componentize_py(&self) -> Command {
        let mut command = Command::new(self.dir.join("bin/componentize-py"));
        command
            .stdin(Stdio::null())
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE");
        command
    }

    /// Written last.
    fn ready(&self) -> PathBuf {
        self.dir.join("ready")
    }
}

fn python3() -> Command {
    let mut command = Command::new("python3");
    command
        .stdin(Stdio::null())
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME");
    command
}

fn new_enough() -> Result<(), PythonError> {
    let program = "import sys; print('%d %d' % sys.version_info[:2])";
    let output = python3()
        .args(["-c", program])
        .output()
        .map_err(PythonError::NoPython)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .trim()
        .split_once(' ')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match version {
        Some(version) if version >= OLDEST => Ok(()),
        Some((major, minor)) => Err(PythonError::NoPython(std::io::Error::other(format!(
            "it is version {major}.{minor}"
        )))),
        None => Err(PythonError::NoPython(std::io::Error::other(last_line(
            &output,
        )))),
    }
}

/// What it said last, on either stream.
fn last_line(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it said nothing").trim().to_owned()
}
