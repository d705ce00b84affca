//! Where Chromium is.

use std::env;
use std::path::{Path, PathBuf};

/// The variable that names the program.
pub const VARIABLE: &str = "CHROME";

/// The variable that makes a missing browser a failure, where it is `1`.
pub const REQUIRED: &str = "RHOST_REQUIRE_BROWSER";

/// What it is called, in the order in which it is looked for.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The program: the one that `CHROME` names, or the first on `PATH`.
///
/// # Errors
///
/// There is none, in a line that says what to do.
pub fn chromium() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    find(env::var_os(VARIABLE).map(PathBuf::from), &path)
}

fn find(named: Option<PathBuf>, path: &std::ffi::OsStr) -> Result<PathBuf, String> {
    if let Some(named) = named.filter(|named| !named.as_os_str().is_empty()) {
        // A bare name is looked up, as a shell does.
        let found = match named.components().count() {
            1 => on_path(&named, path),
            _ => named.is_file().then(|| named.clone()),
        };
        return found.ok_or_else(|| {
            format!(
                "{VARIABLE} names {}, which is no file: correct it, or unset it",
                named.display()
            )
        });
    }
    NAMES
        .iter()
        .find_map(|name| on_path(Path::new(name), path))
        .ok_or_else(|| {
            format!(
                "no {} on PATH: install Chromium, or name it in the variable {VARIABLE}",
                NAMES.join(", ")
            )
        })
}

fn on_path(name: &Path, path: &std::ffi::OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::fs;

    #[test]
    fn the_first_on_path_unless_one_is_named() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().as_os_str();
        let problem = find(None, path).expect_err("the directory is empty");
        assert!(problem.contains("install Chromium"), "{problem}");

        for name in ["google-chrome", "chromium", "mine"] {
            fs::write(home.path().join(name), "").expect("a file");
        }
        let found = |named: Option<&str>| find(named.map(Into::into), path);
        assert_eq!(found(None), Ok(home.path().join("chromium")));
        assert_eq!(found(Some("")), Ok(home.path().join("chromium")));
        assert_eq!(found(Some("mine")), Ok(home.path().join("mine")));
        let mine = home.path().join("mine");
        assert_eq!(found(mine.to_str()), Ok(mine));
        let problem = found(Some("/nowhere/chromium")).expect_err("it is not there");
        assert!(problem.contains("/nowhere/chromium"), "{problem}");
    }
}
