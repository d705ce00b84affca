//! Where programs are built, and what was built is kept: a directory with the
//! tools, the packages of each set of requirements, Python's standard library, and
//! the components by the digest of all that went into them.

use super::componentize::{self, Job};
use super::digest::Digest;
use super::observer::Observer;
use super::packages::{Origin, site_packages};
use super::tools::{self, Tools};
use super::{Project, PythonError, adapter, sources};
use crate::settings::LentDir;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many components of one program are kept: what is gone back to is not built
/// again.
const KEPT: usize = 4;

/// A place to build in, and what a build is given besides the program.
pub struct Workshop<'a> {
    /// A directory of the user's own.
    pub dir: PathBuf,
    /// The virtual environment that is active, if one is.
    pub active: Option<PathBuf>,
    /// Environment variables that the program sees when it is imported.
    pub env: Vec<(String, String)>,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// A program that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// What a sandbox of it should be lent, read-only, so that it finds the files
    /// beside it, and what it imports late: its own directory, its packages, and the
    /// standard library, each where it was when the program was imported.
    pub lends: Vec<LentDir>,
    /// What of its own directory is no part of it.
    pub exclude: Vec<String>,
}

impl Project {
    /// Builds it, or finds what was built of the same files before.
    pub fn build(&self, workshop: &Workshop<'_>) -> Result<Built, PythonError> {
        workshop.build(self)
    }
}

impl Workshop<'_> {
    /// Builds `project`, unless that was done.
    fn build(&self, project: &Project) -> Result<Built, PythonError> {
        let project = &Project {
            root: fs::canonicalize(&project.root).map_err(PythonError::file(&project.root))?,
            ..project.clone()
        };
        let origin = Origin::of(project, self.active.as_deref());
        if origin == Origin::Nowhere && project.manifest.is_poetrys {
            self.observer.tell(
                "poetry's table of dependencies is not read; write them to requirements.txt by `poetry export -o \
                 requirements.txt`, or build in poetry's environment, as `poetry run rhost serve ...`"
                    .into(),
            );
        }
        let packages = origin.digest()?;
        let environment = origin.environment(&self.dir, &packages);
        let component = self.component(project, &packages)?;
        let stdlib = self
            .dir
            .join(format!("stdlib-{}-{}", tools::VERSION, tools::ZONES));
        if !(component.is_file() && environment.is_dir() && stdlib.is_dir()) {
            fs::create_dir_all(&self.dir).map_err(PythonError::file(&self.dir))?;
            // Two that build at the same time would install into the same place.
            let lock = self.dir.join("lock");
            let lock = File::create(&lock).map_err(PythonError::file(&lock))?;
            lock.lock().map_err(PythonError::file(&self.dir))?;
            forget_unfinished(&self.dir);
            let tools = Tools::ensure(&self.dir, self.observer)?;
            origin.install(project, &environment, &tools, self.observer)?;
            let job = Job {
                project,
                cure: origin.cure(),
                environment: &environment,
                stdlib: &stdlib,
                component: &component,
                workshop: &self.dir,
                env: &self.env,
                observer: self.observer,
            };
            if !(component.is_file() && stdlib.is_dir()) {
                componentize::run(&job, &tools)?;
                forget_old(&component);
            }
        }
        let lend = |host: PathBuf, guest: &str| LentDir {
            host,
            guest: guest.to_owned(),
            read_only: true,
        };
        let mut lends = vec![
            lend(project.root.clone(), componentize::ROOT),
            lend(stdlib, componentize::STDLIB),
        ];
        if origin != Origin::Nowhere
            && let Some(site) = site_packages(&environment)
        {
            lends.push(lend(site, componentize::SITE));
        }
        Ok(Built {
            component,
            lends,
            exclude: project.settings().exclude,
        })
    }

    /// Where the component of `project` is, or will be: named by a digest of all that
    /// goes into it.
    fn component(&self, project: &Project, packages: &str) -> Result<PathBuf, PythonError> {
        let mut place = Digest::new("place");
        place.part(project.root.as_os_str().as_encoded_bytes());
        place.part(project.module.as_bytes());
        place.part(project.callable.as_bytes());
        place.part(project.script.as_deref().unwrap_or_default().as_bytes());
        let mut digest = Digest::new("component");
        digest.part(tools::VERSION.as_bytes());
        digest.part(componentize::VERSION.as_bytes());
        digest.part(packages.as_bytes());
        adapter::add_to(&mut digest);
        for (name, value) in &self.env {
            digest.part(name.as_bytes());
            digest.part(value.as_bytes());
        }
        for file in sources::of(&project.root, &project.settings().exclude)? {
            digest.file(&file, file.strip_prefix(&project.root).unwrap_or(&file))?;
        }
        let dir = self.dir.join("apps").join(place.text()).join(digest.text());
        let name = project.module.rsplit('.').next().unwrap_or(&project.module);
        Ok(dir.join(format!("{name}.wasm")))
    }
}

/// Removes what builds left that were ended in the middle. Whoever holds the lock
/// is the only one that builds.
fn forget_unfinished(workshop: &Path) {
    let entries = fs::read_dir(workshop).into_iter().flatten().flatten();
    for entry in entries {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(componentize::STAGING.as_bytes())
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes what was built of the same program long ago.
fn forget_old(component: &Path) {
    let Some(place) = component.parent().and_then(Path::parent) else {
        return;
    };
    let time = |dir: &Path| {
        fs::metadata(dir)
            .and_then(|found| found.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let mut kept: Vec<_> = entries.map(|entry| entry.path()).collect();
    kept.sort_by_key(|dir| std::cmp::Reverse(time(dir)));
    for old in kept.iter().skip(KEPT) {
        let _ = fs::remove_dir_all(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..KEPT as u64 + 2)
            .map(|age| {
                let dir = home.path().join(age.to_string());
                fs::create_dir(&dir).unwrap();
                let time = SystemTime::now() - std::time::Duration::from_secs(60 * age);
                File::open(&dir).unwrap().set_modified(time).unwrap();
                dir
            })
            .collect();
        forget_old(&made[0].join("app.wasm"));
        let left = made.iter().filter(|dir| dir.is_dir()).count();
        assert_eq!(left, KEPT);
        assert!(made[0].is_dir() && !made[KEPT].is_dir());
    }

    #[test]
    fn what_was_not_finished_is_removed() {
        let home = tempfile::tempdir().unwrap();
        for name in ["staging-x", "apps"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        forget_unfinished(home.path());
        assert!(home.path().join("apps").is_dir() && !home.path().join("staging-x").exists());
    }
}
