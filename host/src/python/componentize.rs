//! One run of componentize-py: it imports the program, in a sandbox to which the
//! program's directory, the adapter and the packages are mounted, and writes what
//! is then in memory as a component.

use super::observer::Observer;
use super::report::{Report, SECTION};
use super::tools::Tools;
use super::{Project, PythonError, adapter, immortal, lists, sources};
use crate::failure::Octets;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use wasm_encoder::{ComponentSection, CustomSection, Encode};
use wasmparser::BinaryReaderError;

/// Where the program is mounted while it is imported: componentize-py counts what
/// it mounts.
pub const ROOT: &str = "/0";
/// Where the packages are. The adapter is at `/1`.
pub const SITE: &str = "/2";
/// Where the standard library is.
pub const STDLIB: &str = "/python";

/// Where time zones are, in the standard library's directory and, while it is built, in the
/// adapter's.
const ZONES: &str = "zoneinfo-files";

/// How a component is finished here. It changes with [`finish`].
pub const VERSION: &str = "2";

/// How the names of directories begin in which a build is under way.
pub const STAGING: &str = "staging-";

/// What is to be built.
pub struct Job<'a> {
    /// The program.
    pub project: &'a Project,
    /// What to do about a missing `{module}`.
    pub cure: String,
    /// The environment with its packages.
    pub environment: &'a Path,
    /// Where the standard library is kept; it is put there if it is not.
    pub stdlib: &'a Path,
    /// Where the component goes.
    pub component: &'a Path,
    /// Where it is built.
    pub workshop: &'a Path,
    /// Variables that the program sees when it is imported.
    pub env: &'a [(String, String)],
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Builds the component of `job`.
pub fn run(job: &Job<'_>, tools: &Tools) -> Result<(), PythonError> {
    let project = job.project;
    let staging = tempfile::Builder::new()
        .prefix(STAGING)
        .tempdir_in(job.workshop)
        .map_err(PythonError::file(job.workshop))?;
    let staging = staging.path();
    let (wit, app) = (staging.join("gateway.wit"), staging.join("app"));
    fs::write(&wit, adapter::WIT).map_err(PythonError::file(&wit))?;
    fs::create_dir(&app).map_err(PythonError::file(&app))?;
    adapter::write(&app)?;
    let zones = tools
        .zones()
        .ok_or_else(|| PythonError::Tool("there are no time zones".into()))?;
    for file in sources::installed(&zones)? {
        let to = app
            .join(ZONES)
            .join(file.strip_prefix(&zones).unwrap_or(&file));
        if file.extension().is_none_or(|ending| ending != "py") {
            sources::copy_file(&file, &to)?;
        }
    }
    // What the program writes while it is imported and warmed up, nobody else sees.
    let copy = staging.join("project");
    sources::copy(&project.root, &project.settings().exclude, &copy)?;
    let script = project.script.as_deref();
    let import_from: Vec<_> = project
        .import_from()
        .iter()
        .map(|path| format!("{ROOT}/{path}").trim_end_matches('/').to_owned())
        .collect();
    let asked = json!({
        "root": ROOT,
        "site": SITE,
        "path": import_from,
        "module": project.module,
        "callable": project.callable,
        "script": script,
        "env": job.env.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "warm_up": project.warm_up(),
        "warm_up_is_usual": script.is_none() && project.settings().warm_up.is_none(),
        "cure": job.cure,
        "stdlib": if job.stdlib.is_dir() { None } else { Some(STDLIB) },
    });
    let asking = app.join("rhost_build.json");
    fs::write(&asking, asked.to_string()).map_err(PythonError::file(&asking))?;
    let made = staging.join("app.wasm");
    let output = {
        let what = match script {
            Some(_) => project.module.clone(),
            None => format!("{}:{}", project.module, project.callable),
        };
        let _progress = job.observer.progress(format!("building {what}"));
        tools
            .componentize_py()
            // Names the packages; without it those of some Python on the PATH would do.
            .env("VIRTUAL_ENV", job.environment)
            .arg("--wit-path")
            .arg(&wit)
            .args(["--world", "application", "componentize", "rhost.component"])
            .arg("--python-path")
            .arg(&copy)
            .arg("--python-path")
            .arg(&app)
            .arg("--output")
            .arg(&made)
            .current_dir(staging)
            .output()
            .map_err(|error| PythonError::Tool(error.to_string()))?
    };
    let report: Report = fs::read(app.join("rhost_report.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    if let Some(message) = report.error {
        return Err(PythonError::App {
            message,
            traceback: report.traceback,
        });
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // A trap of its engine's, which has no message of its own.
        if said.contains("call stack exhausted") {
            return Err(PythonError::TooDeep);
        }
        return Err(PythonError::Tool(reason(&said)));
    }
    let stdlib = app.join("stdlib");
    if stdlib.is_dir() {
        let kept = stdlib.join(ZONES);
        fs::rename(app.join(ZONES), &kept).map_err(PythonError::file(&kept))?;
        fs::rename(&stdlib, job.stdlib).map_err(PythonError::file(job.stdlib))?;
    }
    finish(&made)?;
    label(&made, &report)?;
    keep(&made, job.component)?;
    tell(job.observer, &report, job.component, &project.module);
    Ok(())
}

/// Does to the snapshot what Python cannot, and has the runtime free what it hands over.
fn finish(made: &Path) -> Result<(), PythonError> {
    let mut component = fs::read(made).map_err(PythonError::file(made))?;
    let unreadable = |error: BinaryReaderError| PythonError::Tool(error.to_string());
    immortal::make(&mut component).map_err(unreadable)?;
    let component = lists::freed(&component)
        .map_err(unreadable)?
        .ok_or_else(|| PythonError::Tool("its runtime is another than was expected".into()))?;
    fs::write(made, component).map_err(PythonError::file(made))
}

/// Writes into the component how it was made, for `rhost inspect`.
fn label(made: &Path, report: &Report) -> Result<(), PythonError> {
    let data = serde_json::to_vec(report).expect("names are strings");
    let section = CustomSection {
        name: SECTION.into(),
        data: data.into(),
    };
    let mut octets = vec![section.id()];
    section.encode(&mut octets);
    let file = OpenOptions::new().append(true).open(made);
    file.and_then(|mut file| file.write_all(&octets))
        .map_err(PythonError::file(made))
}

/// Moves what was made to its place, whole or not at all.
fn keep(made: &Path, component: &Path) -> Result<(), PythonError> {
    if let Some(dir) = component.parent() {
        fs::create_dir_all(dir).map_err(PythonError::file(dir))?;
    }
    fs::rename(made, component).map_err(PythonError::file(component))
}

fn tell(observer: &dyn Observer, report: &Report, component: &Path, program: &str) {
    let size = fs::metadata(component).map_or(0, |found| found.len());
    for (place, line) in report.lines().into_iter().enumerate() {
        let size = if place == 0 {
            format!(", {}", Octets(size))
        } else {
            String::new()
        };
        observer.tell(format!("{program}: {line}{size}"));
    }
}

/// The line of its output that says why.
fn reason(printed: &str) -> String {
    let lines = || {
        printed
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    // Of an exception in Python the line that names it is the last of its traceback.
    let is_named = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
        name.ends_with("Error") && name.chars().all(char::is_alphanumeric)
    };
    let named = lines().find_map(|line| {
        let said = line.strip_prefix("AssertionError: ")?;
        (!said.starts_with("Traceback")).then_some(said)
    });
    named
        .or_else(|| lines().rfind(is_named))
        .or_else(|| lines().next_back())
        .unwrap_or("it said nothing")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_a_line() {
        let printed = "Traceback (most recent call last):\n  File \"x\"\nAssertionError: no world\n\nCaused by:\n  x\n";
        assert_eq!(reason(printed), "no world");
        let printed = "AssertionError: Traceback (most recent call last):\n  File \"x\", line 1\n    \
            import y\nLookupError: no app `admin`\n\nCaused by:\n  wasm trap\n";
        assert_eq!(reason(printed), "LookupError: no app `admin`");
        assert_eq!(reason("a\nb\n\n"), "b");
        assert_eq!(reason(""), "it said nothing");
    }
}
