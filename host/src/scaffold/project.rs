//! [`Project`]: a directory in the making.

use super::name::{self, NameError};
use super::sdk::Sdk;
use super::template::{Template, dependencies};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why there is no project. One line each; the last words are what to do.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The directory's name is none for a crate.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is something in the directory.
    #[error("{} is there already, and is not empty; choose another name", .0.display())]
    NotEmpty(PathBuf),
    /// It is something else.
    #[error("{} is there already, and is no directory; choose another name", .0.display())]
    NotADirectory(PathBuf),
    /// A file or directory could not be made; none was left behind.
    #[error("{} cannot be written: {error}; nothing was made, mend that and try again", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A project that is to be made.
#[derive(Debug)]
pub struct Project {
    /// Its directory, which is not there yet, or is empty.
    dir: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Project {
    /// A project in `dir`, which gives it its name.
    pub fn new(dir: &Path, template: Template, sdk: &Sdk) -> Result<Self, ProjectError> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let files = template.files(&name, sdk);
        name::check(&name, &dependencies(&files))?;
        Ok(Project {
            dir: dir.to_owned(),
            files,
        })
    }

    /// What lies in its directory when it is made, in order of its names.
    pub fn entries(&self) -> Vec<String> {
        let mut entries: Vec<String> = self
            .files
            .iter()
            .filter_map(|(path, _)| path.iter().next())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        entries.sort();
        entries.dedup();
        entries
    }

    /// Makes it: all of it, or nothing.
    pub fn make(&self) -> Result<(), ProjectError> {
        let is_new = self.claim()?;
        let mut made = Vec::new();
        self.write(&mut made).inspect_err(|_| {
            // Only what this wrote: somebody else may have come in meanwhile.
            for path in made.iter().rev() {
                let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
            }
            if is_new {
                let _ = fs::remove_dir(&self.dir);
            }
        })
    }

    /// Makes the directory, or finds it empty; says whether it is new.
    fn claim(&self) -> Result<bool, ProjectError> {
        let failed = |error| failed(&self.dir, error);
        if let Some(parent) = self.dir.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match fs::create_dir(&self.dir) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            Err(_) => {}
        }
        if !self.dir.is_dir() {
            return Err(ProjectError::NotADirectory(self.dir.clone()));
        }
        match fs::read_dir(&self.dir).map_err(failed)?.next() {
            Some(_) => Err(ProjectError::NotEmpty(self.dir.clone())),
            None => Ok(false),
        }
    }

    /// Writes the files, and adds to `made` what was not there.
    fn write(&self, made: &mut Vec<PathBuf>) -> Result<(), ProjectError> {
        for (path, content) in &self.files {
            let mut at = self.dir.clone();
            for directory in path.parent().into_iter().flatten() {
                at.push(directory);
                if !made.contains(&at) {
                    fs::create_dir(&at).map_err(|error| failed(&at, error))?;
                    made.push(at.clone());
                }
            }
            let path = self.dir.join(path);
            // Never over a file that is there.
            let mut file = File::create_new(&path).map_err(|error| failed(&path, error))?;
            made.push(path.clone());
            file.write_all(content)
                .map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }
}

fn failed(path: &Path, error: io::Error) -> ProjectError {
    ProjectError::Write {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::TEMPLATES;

    fn project(dir: &Path) -> Project {
        Project::new(dir, TEMPLATES[0], &Sdk::Vendored).unwrap()
    }

    #[test]
    fn an_empty_directory_will_do_and_any_other_will_not() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("shop");
        fs::create_dir(&dir).unwrap();
        project(&dir).make().unwrap();
        assert!(dir.join("vendor/rhost-sdk/wit/gateway.wit").is_file());
        let again = project(&dir).make();
        assert!(matches!(again, Err(ProjectError::NotEmpty(_))), "{again:?}");
        let again = project(&dir.join("src/lib.rs/shop")).make();
        assert!(
            matches!(again, Err(ProjectError::Write { .. })),
            "{again:?}"
        );
    }

    #[test]
    fn what_fails_halfway_leaves_nothing_and_takes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("shop");
        let mut project = project(&dir);
        // A file cannot lie in a file, which is found when the rest is written.
        project.files.push(("src/lib.rs/x".into(), Vec::new()));
        let error = project.make().unwrap_err().to_string();
        assert!(
            error.contains("src/lib.rs") && !error.contains('\n'),
            "{error}"
        );
        assert!(!dir.exists());

        // The file of somebody who was quicker stays as it is.
        fs::create_dir_all(dir.join("src")).unwrap();
        fs::write(dir.join("src/lib.rs"), "mine").unwrap();
        let mut made = Vec::new();
        project.write(&mut made).unwrap_err();
        assert_eq!(fs::read(dir.join("src/lib.rs")).unwrap(), b"mine");
        assert!(!made.contains(&dir.join("src")));
    }
}
