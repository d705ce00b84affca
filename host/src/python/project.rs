//! Which WSGI program is meant by what stands on the command line.

use super::manifest::{Manifest, Settings};
use super::{PythonError, sources};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A WSGI program: a directory, and the application in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where its modules are.
    pub(super) root: PathBuf,
    /// The module with the application, as `shop.web`.
    pub(super) module: String,
    /// What the application is called in it: a name, or the call of a factory.
    pub(super) callable: String,
    /// What the pyproject.toml beside it says.
    pub(super) manifest: Manifest,
}

impl Project {
    /// The program that `arg` names: `wsgi_app:app` is a module of the working
    /// directory, `app.py:app` a file, and a directory has a pyproject.toml that
    /// says which. None if `arg` is something else, such as a component or a crate.
    pub fn find(arg: &Path) -> Result<Option<Self>, PythonError> {
        Self::find_from(Path::new("."), arg)
    }

    /// [`find`](Self::find), for whom `here` is the working directory.
    fn find_from(here: &Path, arg: &Path) -> Result<Option<Self>, PythonError> {
        let place = here.join(arg);
        if place.is_dir() {
            return Self::in_directory(&place);
        }
        if place.is_file() {
            let python = place.extension() == Some(OsStr::new("py"));
            return if python {
                Err(PythonError::NoCallable(arg.to_owned()))
            } else {
                Ok(None)
            };
        }
        let Some((object, callable)) = arg.to_str().and_then(|text| text.split_once(':')) else {
            let python = place.extension() == Some(OsStr::new("py"));
            return if python {
                Err(PythonError::NoFile(arg.to_owned()))
            } else {
                Ok(None)
            };
        };
        let callable = callable.to_owned();
        if object.ends_with(".py") {
            let file = here.join(object);
            if !file.is_file() {
                return Err(PythonError::NoFile(object.into()));
            }
            let (root, module) = module_of(&file);
            let manifest = Manifest::read(&root)?.unwrap_or_default();
            return Ok(Some(Project {
                root,
                module,
                callable,
                manifest,
            }));
        }
        if !is_module(object) || callable.is_empty() {
            return Ok(None);
        }
        let manifest = Manifest::read(here)?.unwrap_or_default();
        Ok(Some(Project {
            root: here.to_owned(),
            module: object.to_owned(),
            callable,
            manifest,
        }))
    }

    fn in_directory(dir: &Path) -> Result<Option<Self>, PythonError> {
        let found = Manifest::read(dir)?;
        let app = found
            .as_ref()
            .and_then(|manifest| manifest.settings.as_ref()?.app.clone());
        let Some(app) = app else {
            let crate_is_there = dir.join("Cargo.toml").is_file();
            let python = found.is_some()
                || [
                    "requirements.txt",
                    "app.py",
                    "wsgi.py",
                    "wsgi_app.py",
                    "manage.py",
                ]
                .iter()
                .any(|file| dir.join(file).is_file());
            return if python && !crate_is_there {
                Err(PythonError::NoApp(dir.to_owned()))
            } else {
                Ok(None)
            };
        };
        match app.split_once(':') {
            Some((module, callable)) if is_module(module) && !callable.is_empty() => {
                Ok(Some(Project {
                    root: dir.to_owned(),
                    module: module.to_owned(),
                    callable: callable.to_owned(),
                    manifest: found.unwrap_or_default(),
                }))
            }
            _ => Err(PythonError::Name(app)),
        }
    }

    /// What it is called in logs: the module that is asked for.
    pub fn name(&self) -> &str {
        &self.module
    }

    /// The directory that it is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files whose change means building it again. New ones are among them when
    /// it is asked again.
    pub fn watched(&self) -> Vec<PathBuf> {
        sources::of(&self.root).unwrap_or_default()
    }

    pub(super) fn settings(&self) -> Settings {
        self.manifest.settings.clone().unwrap_or_default()
    }

    /// Directories below the root from which modules are imported, the root last.
    pub(super) fn import_from(&self) -> Vec<String> {
        let mut paths = self.settings().path;
        let first = self.module.split('.').next().unwrap_or(&self.module);
        let in_src = self.root.join("src").join(first);
        if paths.is_empty() && (in_src.is_dir() || in_src.with_extension("py").is_file()) {
            paths.push("src".into());
        }
        paths.push(String::new());
        paths
    }
}

/// The directory to import `file` from, and its module's name there: above all
/// packages that it is in.
fn module_of(file: &Path) -> (PathBuf, String) {
    let stem = |path: &Path| {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let mut module = stem(file);
    let mut dir = file.parent().unwrap_or(Path::new("")).to_owned();
    while dir.join("__init__.py").is_file()
        && let (Some(name), Some(above)) = (dir.file_name(), dir.parent())
    {
        module = if module == "__init__" {
            name.to_string_lossy().into_owned()
        } else {
            format!("{}.{module}", name.to_string_lossy())
        };
        dir = above.to_owned();
    }
    if dir.as_os_str().is_empty() {
        dir = PathBuf::from(".");
    }
    (dir, module)
}

/// Whether `text` can be the name of a module: words of letters, digits and
/// underscores, with dots between.
fn is_module(text: &str) -> bool {
    text.split('.').all(|word| {
        word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
            && word
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory with these files in it.
    fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        home
    }

    fn find(home: &tempfile::TempDir, arg: &str) -> Result<Option<Project>, PythonError> {
        Project::find_from(home.path(), Path::new(arg))
    }

    fn found(home: &tempfile::TempDir, arg: &str) -> (String, String, PathBuf) {
        let project = find(home, arg).unwrap().expect("it is a program");
        let root = project.root.strip_prefix(home.path()).unwrap().to_owned();
        (project.module, project.callable, root)
    }

    #[test]
    fn modules_and_files() {
        let home = home(&[
            ("app.py", ""),
            ("shop/__init__.py", ""),
            ("shop/admin/__init__.py", ""),
            ("shop/admin/web.py", ""),
        ]);
        let is = |arg: &str, module: &str, callable: &str| {
            let expected = (module.to_owned(), callable.to_owned(), PathBuf::new());
            assert_eq!(found(&home, arg), expected, "{arg}");
        };
        is("wsgi_app:app", "wsgi_app", "app");
        is(
            "shop.admin.web:make('x:y')",
            "shop.admin.web",
            "make('x:y')",
        );
        is("app.py:app", "app", "app");
        is("./app.py:app", "app", "app");
        is("shop/admin/web.py:app", "shop.admin.web", "app");
        is("shop/__init__.py:app", "shop", "app");
    }

    #[test]
    fn a_directory_says_which() {
        let home = home(&[
            ("a/pyproject.toml", "[tool.rhost]\napp = \"web:app\""),
            ("a/src/web.py", ""),
            ("b/pyproject.toml", "[project]\nname = \"b\""),
            ("c/Cargo.toml", ""),
            ("c/pyproject.toml", ""),
            ("d/app.py", ""),
            ("e/pyproject.toml", "[tool.rhost]\napp = \"web\""),
            ("f/other", ""),
        ]);
        assert_eq!(found(&home, "a"), ("web".into(), "app".into(), "a".into()));
        let a = find(&home, "a").unwrap().unwrap();
        assert_eq!(a.import_from(), ["src", ""]);
        assert!(a.watched().iter().any(|file| file.ends_with("src/web.py")));
        for dir in ["b", "d"] {
            let said = find(&home, dir).unwrap_err().to_string();
            assert!(said.contains("[tool.rhost]"), "{said}");
        }
        assert_eq!(find(&home, "c").unwrap(), None);
        assert_eq!(find(&home, "f").unwrap(), None);
        assert!(
            find(&home, "e")
                .unwrap_err()
                .to_string()
                .contains("MODULE:CALLABLE")
        );
    }

    #[test]
    fn what_is_no_program() {
        let home = home(&[("app.wasm", ""), ("a:b", ""), ("app.py", "")]);
        for arg in [
            "app.wasm",
            "a:b",
            "nowhere",
            "nowhere.wasm",
            "-x:y",
            "a b:c",
            "module:",
            ":app",
        ] {
            assert_eq!(find(&home, arg).unwrap(), None, "{arg}");
        }
        assert!(
            find(&home, "app.py")
                .unwrap_err()
                .to_string()
                .ends_with("app.py:app")
        );
        for arg in ["other.py", "other.py:app"] {
            assert!(
                find(&home, arg)
                    .unwrap_err()
                    .to_string()
                    .contains("no such file")
            );
        }
    }
}
