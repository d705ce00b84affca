//! The files of a program: those that matter to what is built of it.

use super::PythonError;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// More files than any program has; a home directory has.
const MOST: usize = 20_000;

/// By which a directory is known in which something is made that can be made anew, or that is
/// kept of another kind of source, wherever it is and whatever it is called.
const MADE: [&str; 6] = [
    "CACHEDIR.TAG",
    "pyvenv.cfg",
    ".package-lock.json",
    ".yarn-integrity",
    // Of Git, and of Mercurial.
    "refs/heads",
    "store/00manifest.i",
];

/// By which a directory is known that lies beside a component, with the files of the
/// program that it was built of; whatever else is called so.
pub const MARK: &str = ".rhost-files";

/// Files that a running program writes.
const WRITTEN: [&str; 8] = [
    "pyc", "db", "sqlite", "sqlite3", "log", "wasm", "pid", "sock",
];

/// Those below `root` that matter to what is built, in order: all but what a running program
/// writes, such as databases. What is below one of `exclude` is left out.
pub fn of(root: &Path, exclude: &[String]) -> Result<Vec<PathBuf>, PythonError> {
    let mut files = all(root, exclude)?;
    files.retain(|file| !is_written(file));
    Ok(files)
}

/// All files below `root` that a program may open, in order. Left out are caches, virtual
/// environments and histories, each by what is in it, and what is below one of `exclude`.
pub fn all(root: &Path, exclude: &[String]) -> Result<Vec<PathBuf>, PythonError> {
    walk(root, exclude).map(|(_, files)| files)
}

/// Copies all of them, and the directories, to `to`.
pub fn copy(root: &Path, exclude: &[String], to: &Path) -> Result<(), PythonError> {
    let (directories, files) = walk(root, exclude)?;
    let place = |from: &Path| to.join(from.strip_prefix(root).unwrap_or(from));
    for dir in directories {
        let dir = place(&dir);
        fs::create_dir_all(&dir).map_err(PythonError::file(&dir))?;
    }
    for file in files {
        fs::copy(&file, place(&file)).map_err(PythonError::file(&file))?;
    }
    Ok(())
}

/// Copies a file, and makes the directory that it goes to.
pub fn copy_file(file: &Path, to: &Path) -> Result<(), PythonError> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).map_err(PythonError::file(dir))?;
    }
    fs::copy(file, to)
        .map(drop)
        .map_err(PythonError::file(file))
}

/// The directories, and the files.
fn walk(root: &Path, exclude: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), PythonError> {
    let excluded: Vec<_> = exclude.iter().map(|path| root.join(path)).collect();
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    let mut next = 0;
    while let Some(dir) = directories.get(next).cloned() {
        next += 1;
        let entries = fs::read_dir(&dir).map_err(unreadable(&dir, root))?;
        for entry in entries {
            let entry = entry.map_err(PythonError::file(&dir))?;
            let path = entry.path();
            if excluded.contains(&path) {
                continue;
            }
            // A link to a directory could lead round in a circle.
            let kind = entry.file_type().map_err(PythonError::file(&path))?;
            if kind.is_dir() {
                if entry.file_name() != "__pycache__" && !is_made(&path) {
                    directories.push(path);
                }
            } else if path.is_file() {
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
    Ok((directories, files))
}

/// A directory that cannot be read can be left out.
fn unreadable(dir: &Path, root: &Path) -> impl FnOnce(io::Error) -> PythonError {
    let (dir, root) = (dir.to_owned(), root.to_owned());
    move |error| match dir.strip_prefix(&root) {
        Ok(inner) if error.kind() == io::ErrorKind::PermissionDenied && dir != root => {
            PythonError::Unreadable(inner.to_owned())
        }
        _ => PythonError::File { path: dir, error },
    }
}

fn is_made(dir: &Path) -> bool {
    dir.join(MARK).is_file() || MADE.iter().any(|made| dir.join(made).exists())
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
        let every = [
            "app.py",
            "shop/web.py",
            "templates/a.html",
            "data.json",
            "app.db",
            "app.db-wal",
            "app.log",
            "__pycache__/app.cpython-314.pyc",
            ".env",
            ".git/refs/heads/main",
            ".well-known/security.txt",
            "built/CACHEDIR.TAG",
            "built/x.py",
            "target/x.py",
            "media/large.bin",
            "venv/pyvenv.cfg",
            "venv/lib/x.py",
            "node_modules/.package-lock.json",
            "node_modules/x.js",
            "env/x.py",
        ];
        for name in every {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("..", home.path().join("shop/round")).unwrap();
        let names = |files: Vec<PathBuf>| -> Vec<String> {
            let below = files.iter().map(|file| file.strip_prefix(home.path()));
            below
                .map(|name| name.unwrap().to_str().unwrap().to_owned())
                .collect()
        };
        let exclude = ["media".to_owned()];
        let found = names(of(home.path(), &exclude).unwrap());
        let expected = [
            ".env",
            ".well-known/security.txt",
            "app.py",
            "data.json",
            "env/x.py",
            "shop/web.py",
            "target/x.py",
            "templates/a.html",
        ];
        assert_eq!(found, expected);
        let found = names(all(home.path(), &[]).unwrap());
        for name in ["app.db", "app.log", "media/large.bin"] {
            assert!(found.iter().any(|it| it == name), "{found:?}");
        }
    }
}
