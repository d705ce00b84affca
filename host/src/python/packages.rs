//! What a program depends on: where that is said, and where it is installed.

use super::digest::Digest;
use super::manifest::Manifest;
use super::observer::Observer;
use super::tools::Tools;
use super::{Project, PythonError, pip, requirements};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Where it is said what a program depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The virtual environment that is active, with what is installed there.
    Active(PathBuf),
    /// The requirements.txt beside the program.
    Requirements(PathBuf),
    /// `dependencies` in its pyproject.toml.
    Manifest(Vec<String>),
    /// Nowhere: it needs nothing but the standard library.
    Nowhere,
}

impl Origin {
    /// That of `project`. An environment that is active goes before what files say:
    /// it is what the program runs with everywhere else.
    pub fn of(project: &Project, active: Option<&Path>) -> Self {
        let up = project.up();
        let requirements = up.iter().map(|dir| dir.join("requirements.txt"));
        let requirements = requirements.into_iter().find(|file| file.is_file());
        if let Some(active) = active.filter(|active| site_packages(active).is_some()) {
            Origin::Active(active.to_owned())
        } else if let Some(requirements) = requirements {
            Origin::Requirements(requirements)
        } else if !project.manifest.dependencies.is_empty() {
            Origin::Manifest(project.manifest.dependencies.clone())
        } else {
            let above = up[1..].iter().filter_map(|dir| Manifest::read(dir).ok()?);
            let above = above.map(|manifest| manifest.dependencies);
            let above = above.into_iter().find(|names| !names.is_empty());
            above.map_or(Origin::Nowhere, Origin::Manifest)
        }
    }

    /// What to do about a missing `{module}`.
    pub fn cure(&self) -> String {
        match self {
            Origin::Active(dir) => {
                format!(
                    "`pip install {{module}}` in the active virtual environment {}",
                    dir.display()
                )
            }
            Origin::Requirements(_) => "add {module} to requirements.txt".into(),
            Origin::Manifest(_) => "add {module} to the dependencies in pyproject.toml".into(),
            Origin::Nowhere => "write a requirements.txt that has {module} in it".into(),
        }
    }

    /// What is installed, or would be: its digest.
    pub fn digest(&self) -> Result<String, PythonError> {
        let mut digest = Digest::new("packages");
        digest.part(pip::FOR_WASI.as_bytes());
        match self {
            Origin::Active(dir) => {
                digest.part(dir.as_os_str().as_encoded_bytes());
                let site = site_packages(dir).unwrap_or_default();
                let entries = fs::read_dir(&site).map_err(PythonError::file(&site))?;
                let installed: BTreeSet<_> =
                    entries.flatten().map(|entry| entry.file_name()).collect();
                for name in installed {
                    digest.part(name.as_encoded_bytes());
                    // It has the digests of all files that were installed with it.
                    let record = site.join(&name).join("RECORD");
                    if record.is_file() {
                        digest.file(&record, Path::new("RECORD"))?;
                    }
                }
            }
            Origin::Requirements(file) => requirements::of(file)?.add_to(&mut digest)?,
            Origin::Manifest(dependencies) => {
                dependencies
                    .iter()
                    .for_each(|dependency| digest.part(dependency.as_bytes()));
            }
            Origin::Nowhere => {}
        }
        Ok(digest.text())
    }

    /// The environment with the packages in it: `workshop` has one for each digest.
    pub fn environment(&self, workshop: &Path, digest: &str) -> PathBuf {
        match self {
            Origin::Active(dir) => dir.clone(),
            _ => workshop.join(format!("packages-{digest}")),
        }
    }

    /// Installs the packages into `environment`, if they are not there.
    pub fn install(
        &self,
        project: &Project,
        environment: &Path,
        tools: &Tools,
        observer: &dyn Observer,
    ) -> Result<(), PythonError> {
        if environment.is_dir() {
            return Ok(());
        }
        // It has its name only when it is whole.
        let unfinished = environment.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(PythonError::file(&unfinished))?;
        }
        let site = unfinished.join("lib/python3/site-packages");
        fs::create_dir_all(&site).map_err(PythonError::file(&site))?;
        let list = std::path::absolute(unfinished.join("requirements.txt"));
        let list = list.map_err(PythonError::file(&unfinished))?;
        let mut dir = &*project.root;
        let mut args: Vec<&OsStr> = Vec::new();
        let what = match self {
            Origin::Requirements(file) => {
                let text = requirements::of(file)?.text;
                fs::write(&list, text).map_err(PythonError::file(&list))?;
                args.extend(["-r".as_ref(), list.as_os_str()]);
                dir = requirements::dir(file);
                "what requirements.txt lists"
            }
            Origin::Manifest(dependencies) => {
                args.extend(dependencies.iter().map(OsStr::new));
                "what pyproject.toml depends on"
            }
            Origin::Active(_) | Origin::Nowhere => "",
        };
        if !what.is_empty() {
            let _progress = observer.progress(format!("installing {what}"));
            pip::install_for_guest(&tools.python(), dir, &site, args, what)?;
        }
        fs::rename(&unfinished, environment).map_err(PythonError::file(environment))
    }
}

/// Where the packages of `environment` are.
pub fn site_packages(environment: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).ok()?;
    versions
        .flatten()
        .map(|version| version.path().join("site-packages"))
        .find(|site| site.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::Project;

    fn project(home: &Path) -> Project {
        Project::find(&home.join("app.py:app"))
            .unwrap()
            .expect("it is a program")
    }

    #[test]
    fn an_active_environment_goes_first() {
        let home = tempfile::tempdir().unwrap();
        let here = home.path();
        fs::write(here.join("app.py"), "").unwrap();
        assert_eq!(Origin::of(&project(here), None), Origin::Nowhere);
        fs::write(
            here.join("pyproject.toml"),
            "[project]\ndependencies = [\"flask\"]",
        )
        .unwrap();
        assert_eq!(
            Origin::of(&project(here), None),
            Origin::Manifest(vec!["flask".into()])
        );
        fs::write(here.join("requirements.txt"), "flask").unwrap();
        assert!(matches!(
            Origin::of(&project(here), None),
            Origin::Requirements(_)
        ));
        let venv = here.join("venv");
        assert!(matches!(
            Origin::of(&project(here), Some(&venv)),
            Origin::Requirements(_)
        ));
        fs::create_dir_all(venv.join("lib/python3.11/site-packages")).unwrap();
        assert_eq!(
            Origin::of(&project(here), Some(&venv)),
            Origin::Active(venv)
        );
    }

    #[test]
    fn digests_follow_what_is_included_and_installed() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("requirements.txt");
        let base = home.path().join("base.txt");
        fs::write(&file, "-r base.txt\nflask\n").unwrap();
        fs::write(&base, "-r requirements.txt\nbottle").unwrap();
        let origin = Origin::Requirements(file);
        let first = origin.digest().unwrap();
        assert_eq!(first, origin.digest().unwrap());
        fs::write(&base, "webob").unwrap();
        assert_ne!(first, origin.digest().unwrap());

        let info = home
            .path()
            .join("lib/python3/site-packages/flask-3.dist-info");
        fs::create_dir_all(&info).unwrap();
        let origin = Origin::Active(home.path().to_owned());
        let first = origin.digest().unwrap();
        fs::write(info.join("RECORD"), "flask/app.py,sha256=x,1").unwrap();
        assert_ne!(first, origin.digest().unwrap());
    }
}
