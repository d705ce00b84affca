//! Which WSGI program is meant by what stands on the command line.

use super::manifest::{Manifest, Settings};
use super::{PythonError, sources};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// A WSGI program: a directory, and the application in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where its modules are.
    pub(super) root: PathBuf,
    /// The working directory, above which nothing is looked for.
    pub(super) here: PathBuf,
    /// The module with the application, as `shop.web`.
    pub(super) module: String,
    /// What the application is called in it: a name, or the call of a factory.
    pub(super) callable: String,
    /// The CGI script, or the directory of them, below the root; of a WSGI
    /// application none. A script's module is its name, and its callable empty.
    pub(super) script: Option<String>,
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
    pub fn find_from(here: &Path, arg: &Path) -> Result<Option<Self>, PythonError> {
        let place = here.join(arg);
        if place.is_dir() {
            return Self::in_directory(&place);
        }
        if place.is_file() {
            let python = place.extension() == Some(OsStr::new("py"));
            return if python {
                Err(nameless(&place, arg))
            } else {
                Ok(None)
            };
        }
        let Some((object, callable)) = arg.to_str().and_then(|text| text.split_once(':')) else {
            if let Some((object, callable)) = arg.to_str().and_then(|text| usual(here, text)) {
                return Self::of_module(here, object, callable).map(Some);
            }
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
                here: here.to_owned(),
                module,
                callable,
                script: None,
                manifest,
            }));
        }
        let is_there = here.join(format!("{object}.py")).is_file();
        if !(is_module(object) || is_there) || callable.is_empty() {
            return Ok(None);
        }
        Self::of_module(here, object, &callable).map(Some)
    }

    fn of_module(here: &Path, module: &str, callable: &str) -> Result<Self, PythonError> {
        Ok(Project {
            root: here.to_owned(),
            here: here.to_owned(),
            module: module.to_owned(),
            callable: callable.to_owned(),
            script: None,
            manifest: Manifest::read(here)?.unwrap_or_default(),
        })
    }

    fn in_directory(dir: &Path) -> Result<Option<Self>, PythonError> {
        let found = Manifest::read(dir)?;
        let settings = found
            .as_ref()
            .and_then(|manifest| manifest.settings.clone())
            .unwrap_or_default();
        let app = match (settings.app, settings.cgi) {
            (Some(_), Some(_)) => return Err(PythonError::Both(dir.join("pyproject.toml"))),
            (None, Some(script)) => {
                return Self::of_script(dir, &script, found.unwrap_or_default()).map(Some);
            }
            (app, None) => app,
        };
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
                    here: dir.to_owned(),
                    module: module.to_owned(),
                    callable: callable.to_owned(),
                    script: None,
                    manifest: found.unwrap_or_default(),
                }))
            }
            _ => Err(PythonError::Name(app)),
        }
    }

    /// The CGI script, or the directory of CGI scripts, at `arg`. A directory whose
    /// pyproject.toml names some is as good.
    pub fn cgi(arg: &Path) -> Result<Self, PythonError> {
        let (dir, name) = match (arg.parent(), arg.file_name().and_then(OsStr::to_str)) {
            (Some(dir), Some(name)) if arg.is_file() => (dir, name),
            _ if arg.is_dir() => {
                let manifest = Manifest::read(arg)?.unwrap_or_default();
                let named = manifest.settings.as_ref().and_then(|it| it.cgi.clone());
                return Self::of_script(arg, named.as_deref().unwrap_or("."), manifest);
            }
            _ => return Err(PythonError::NoScript(arg.to_owned())),
        };
        let dir = match dir.as_os_str().is_empty() {
            true => Path::new("."),
            false => dir,
        };
        let manifest = Manifest::read(dir)?.unwrap_or_default();
        Self::of_script(dir, name, manifest)
    }

    fn of_script(root: &Path, script: &str, manifest: Manifest) -> Result<Self, PythonError> {
        let place = root.join(script);
        let below = Path::new(script)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let is_python = place.extension() == Some(OsStr::new("py")) && place.is_file();
        if !below || !(is_python || place.is_dir()) {
            return Err(PythonError::NoScript(place));
        }
        let named = std::path::absolute(&place).unwrap_or(place);
        let name = named.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Project {
            root: root.to_owned(),
            here: root.to_owned(),
            module: name.into_owned(),
            callable: String::new(),
            script: Some(script.trim_end_matches('/').to_owned()),
            manifest,
        })
    }

    /// What it is called in logs: the module that is asked for.
    pub fn name(&self) -> &str {
        &self.module
    }

    /// The directory that it is in, and those above it up to the working directory.
    pub(super) fn up(&self) -> Vec<&Path> {
        let up: Vec<_> = self.root.ancestors().collect();
        match up.iter().position(|dir| *dir == self.here) {
            Some(last) => up[..=last].to_vec(),
            None => up[..1].to_vec(),
        }
    }

    /// The directory that it is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files whose change means building it again. New ones are among them when
    /// it is asked again.
    pub fn watched(&self) -> Vec<PathBuf> {
        sources::of(&self.root, &self.settings().exclude).unwrap_or_default()
    }

    pub(super) fn settings(&self) -> Settings {
        self.manifest.settings.clone().unwrap_or_default()
    }

    /// What is done while it is built. A script does not run before it is asked for.
    pub(super) fn warm_up(&self) -> Vec<String> {
        self.settings()
            .warm_up
            .unwrap_or_else(|| match self.script {
                Some(_) => Vec::new(),
                None => vec!["/".into()],
            })
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

/// The module that `text` names without its application, as gunicorn takes it too, and what
/// its application is called: `application`, or `app` if only that is there.
fn usual<'a>(here: &Path, text: &'a str) -> Option<(&'a str, &'static str)> {
    let place = here.join(text.replace('.', "/"));
    let files = [place.with_extension("py"), place.join("__init__.py")];
    let file = files.iter().find(|file| file.is_file())?;
    let names = ["application", "app"];
    let name = names.into_iter().find(|name| defines(file, name));
    Some((text, name.unwrap_or(names[0])))
}

/// Whether a file of Python seems to have something of that name on its first level.
fn defines(file: &Path, name: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| {
        let word = ["def ", "class ", "async def "]
            .iter()
            .find_map(|keyword| line.strip_prefix(keyword))
            .unwrap_or(line);
        word.strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with(['=', '(', ':']))
    })
}

/// What to do about a file that is given without the name of its application.
fn nameless(file: &Path, arg: &Path) -> PythonError {
    let names = ["app", "application"];
    match names.into_iter().find(|name| defines(file, name)) {
        Some(name) => PythonError::NoCallable {
            path: arg.to_owned(),
            name,
        },
        None => PythonError::Nameless(arg.to_owned()),
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
    fn scripts() {
        let home = home(&[
            ("hello.py", ""),
            ("notes.txt", ""),
            ("bin/a.py", ""),
            ("a/pyproject.toml", "[tool.rhost]\ncgi = \"hello.py\""),
            ("a/hello.py", ""),
            ("b/pyproject.toml", "[tool.rhost]\ncgi = \"../bin\""),
            (
                "c/pyproject.toml",
                "[tool.rhost]\ncgi = \"c.py\"\napp = \"c:app\"",
            ),
            (
                "d/pyproject.toml",
                "[tool.rhost]\ncgi = \"bin\"\nwarm-up = \"/x.py\"",
            ),
            ("d/bin/x.py", ""),
        ]);
        let cgi = |arg: &str| Project::cgi(&home.path().join(arg));
        let is = |project: &Project, name: &str, script: &str| {
            assert_eq!(
                (project.name(), project.script.as_deref()),
                (name, Some(script))
            );
        };
        let hello = cgi("hello.py").unwrap();
        is(&hello, "hello", "hello.py");
        assert!(hello.warm_up().is_empty());
        is(&cgi("bin").unwrap(), "bin", ".");
        is(&cgi("a").unwrap(), "hello", "hello.py");
        is(&find(&home, "a").unwrap().unwrap(), "hello", "hello.py");
        let d = find(&home, "d").unwrap().unwrap();
        is(&d, "bin", "bin");
        assert_eq!(d.warm_up(), ["/x.py"]);
        for wrong in ["notes.txt", "nowhere.py", "b"] {
            let said = cgi(wrong).unwrap_err().to_string();
            assert!(said.contains("no CGI script"), "{said}");
        }
        let said = find(&home, "c").unwrap_err().to_string();
        assert!(said.ends_with("leave one of them out"), "{said}");
    }

    #[test]
    fn what_is_no_program() {
        let home = home(&[
            ("app.wasm", ""),
            ("a:b", ""),
            ("app.py", "import os\napp = Flask()"),
            ("hello.py", "print('app = 1')"),
        ]);
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
        assert!(
            find(&home, "hello.py")
                .unwrap_err()
                .to_string()
                .ends_with("with --cgi")
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
