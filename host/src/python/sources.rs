//! The files of a program: those that matter to what is built of it.

use super::PythonError;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// More files than any program has; a home directory has.
const MOST: usize = 20_000;

/// Directories of what is made, not written.
const MADE: [&str; 4] = ["__pycache__", "node_modules", "target", "site-packages"];

/// By which a directory is known that lies beside a component, with the files of the
/// program that it was built of; whatever else is called so.
pub const MARK: &str = ".rhost-files";

/// Files that a running program writes.
const WRITTEN: [&str; 8] = [
    "pyc", "db", "sqlite", "sqlite3", "log", "wasm", "pid", "sock",
];

/// All of them below `root`, in order. Hidden ones, virtual environments, caches
/// and databases are left out.
pub fn of(root: &Path) -> Result<Vec<PathBuf>, PythonError> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(dir) = directories.pop() {
        let entries = fs::read_dir(&dir).map_err(PythonError::file(&dir))?;
        for entry in entries {
            let entry = entry.map_err(PythonError::file(&dir))?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") && name != ".env" {
                continue;
            }
            // A link to a directory could lead round in a circle.
            let kind = entry.file_type().map_err(PythonError::file(&path))?;
            if kind.is_dir() {
                let made = MADE.iter().any(|made| name == *made);
                let made = made || path.join("pyvenv.cfg").is_file() || path.join(MARK).is_file();
                if !made {
                    directories.push(path);
                }
            } else if path.is_file() && !is_written(&path) {
                files.push(path);
            }
            if files.len() > MOST {
                return Err(PythonError::TooManyFiles {
                    path: root.to_owned(),
                    most: MOST,
                });
            }
        }
    }
    files.sort();
    Ok(files)
}

/// All files below `site` but compiled ones: what was installed there.
pub fn installed(site: &Path) -> Result<Vec<PathBuf>, PythonError> {
    let mut files = Vec::new();
    let mut directories = vec![site.to_owned()];
    while let Some(dir) = directories.pop() {
        for entry in fs::read_dir(&dir).map_err(PythonError::file(&dir))? {
            let entry = entry.map_err(PythonError::file(&dir))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(PythonError::file(&path))?;
            if !kind.is_dir() {
                files.extend(path.is_file().then_some(path));
            } else if entry.file_name() != "__pycache__" {
                directories.push(path);
            }
        }
    }
    Ok(files)
}

fn is_written(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|ending| WRITTEN.iter().any(|written| ending.starts_with(written)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_found() {
        let home = tempfile::tempdir().unwrap();
        let all = [
            "app.py",
            "shop/web.py",
            "templates/a.html",
            "data.json",
            "app.db",
            "app.db-wal",
            "app.log",
            "__pycache__/app.cpython-314.pyc",
            ".env",
            ".git/config",
            "venv/pyvenv.cfg",
            "venv/lib/x.py",
            "node_modules/x.js",
            "env/x.py",
        ];
        for name in all {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("..", home.path().join("shop/round")).unwrap();
        let files = of(home.path()).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.strip_prefix(home.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                ".env",
                "app.py",
                "data.json",
                "env/x.py",
                "shop/web.py",
                "templates/a.html"
            ]
        );
    }
}
