//! What lies beside a component that was built of a program: what it is lent where
//! it was built. A Python that runs imports some modules late, and opens files.
//!
//! Beside `shop.wasm` it is the directory `shop.files`, with `app`, `packages` and
//! `python` (the standard library) in it.

use super::PythonError;
use super::componentize::{ROOT, SITE, STDLIB};
use super::sources::{self, MARK};
use super::workshop::Built;
use crate::settings::LentDir;
use std::fs;
use std::path::{Path, PathBuf};

/// What is in it, and where a sandbox has that.
const PARTS: [(&str, &str); 3] = [("app", ROOT), ("packages", SITE), ("python", STDLIB)];

/// Where the files of `component` are.
pub fn place(component: &Path) -> PathBuf {
    component.with_extension("files")
}

/// What a sandbox of `component` is lent of the files beside it, read-only; nothing
/// if there are none.
pub fn beside(component: &Path) -> Vec<LentDir> {
    let dir = place(component);
    if !dir.join(MARK).is_file() {
        return Vec::new();
    }
    let parts = PARTS.iter().map(|(name, guest)| LentDir {
        host: dir.join(name),
        guest: (*guest).to_owned(),
        read_only: true,
    });
    parts.filter(|lend| lend.host.is_dir()).collect()
}

/// Where the files of `component` can go; nothing but what this wrote is replaced.
pub fn free(component: &Path) -> Result<PathBuf, PythonError> {
    let dir = place(component);
    match dir.exists() && !dir.join(MARK).is_file() {
        true => Err(PythonError::InTheWay(dir)),
        false => Ok(dir),
    }
}

/// Copies what `built` is lent to where `component` is, in place of what was there.
pub fn write(built: &Built, component: &Path) -> Result<PathBuf, PythonError> {
    let dir = free(component)?;
    let above = match dir.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    // Whole or not at all: a server may lend what is there.
    let made = tempfile::Builder::new()
        .prefix(".rhost-")
        .tempdir_in(above)
        .map_err(PythonError::file(above))?;
    for (name, guest) in PARTS {
        let Some(lend) = built.lends.iter().find(|lend| lend.guest == guest) else {
            continue;
        };
        let part = made.path().join(name);
        fs::create_dir(&part).map_err(PythonError::file(&part))?;
        let files = match guest {
            ROOT => sources::all(&lend.host, &built.exclude)?,
            _ => sources::installed(&lend.host)?,
        };
        for file in files {
            sources::copy_file(
                &file,
                &part.join(file.strip_prefix(&lend.host).unwrap_or(&file)),
            )?;
        }
    }
    let mark = made.path().join(MARK);
    fs::write(&mark, "").map_err(PythonError::file(&mark))?;
    // What tempfile makes is its owner's alone; a server may be somebody else.
    readable(made.path())?;
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(PythonError::file(&dir))?;
    }
    fs::rename(made.keep(), &dir).map_err(PythonError::file(&dir))?;
    Ok(dir)
}

fn readable(dir: &Path) -> Result<(), PythonError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(PythonError::file(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_copied_and_found() {
        let home = tempfile::tempdir().unwrap();
        let here = home.path();
        for name in [
            "a/web.py",
            "a/t/x.html",
            "a/x.db",
            "a/x.log",
            "s/json/__init__.py",
            "s/__pycache__/x.pyc",
        ] {
            let path = here.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let lend = |host: &str, guest: &str| LentDir {
            host: here.join(host),
            guest: guest.into(),
            read_only: true,
        };
        let built = Built {
            component: here.join("web.wasm"),
            lends: vec![lend("a", ROOT), lend("s", STDLIB)],
            exclude: vec!["x.log".into()],
        };
        let component = here.join("out.wasm");
        assert!(beside(&component).is_empty());
        for _ in 0..2 {
            let dir = write(&built, &component).unwrap();
            assert_eq!(dir, here.join("out.files"));
            assert_eq!(
                fs::read_to_string(dir.join("app/t/x.html")).unwrap(),
                "a/t/x.html"
            );
            assert!(dir.join("python/json/__init__.py").is_file());
            assert!(dir.join("app/x.db").exists() && !dir.join("app/x.log").exists());
            assert!(!dir.join("python/__pycache__").exists());
        }
        let lends = beside(&component);
        assert_eq!(
            lends,
            [
                lend("out.files/app", ROOT),
                lend("out.files/python", STDLIB)
            ]
        );
        // It is no source, should it lie among them; and what is not ours is not replaced.
        assert!(
            sources::of(here, &[])
                .unwrap()
                .iter()
                .all(|file| !file.starts_with(here.join("out.files")))
        );
        fs::create_dir(here.join("mine.files")).unwrap();
        let refused = write(&built, &here.join("mine.wasm"))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("mine.files: "), "{refused}");
    }
}
