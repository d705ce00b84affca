//! requirements.txt, as pip reads it, with what its `--target` cannot do done before.

use super::digest::Digest;
use super::{PythonError, sources};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a file of requirements asks for, and those that it includes.
pub struct Requirements {
    /// All of them in one text, in the directory of the first. What is to be editable is
    /// installed as it is now: what is built does not change with its source.
    pub text: String,
    /// Directories and files that are installed from.
    local: Vec<PathBuf>,
}

/// Reads `file`.
pub fn of(file: &Path) -> Result<Requirements, PythonError> {
    let mut found = Requirements {
        text: String::new(),
        local: Vec::new(),
    };
    found.add(file, dir(file), &mut BTreeSet::new())?;
    Ok(found)
}

/// The directory of `file`, in which pip runs.
pub fn dir(file: &Path) -> &Path {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

impl Requirements {
    fn add(
        &mut self,
        file: &Path,
        first: &Path,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<(), PythonError> {
        // Whichever way it is named.
        let same = fs::canonicalize(file).map_err(PythonError::file(file))?;
        if !seen.insert(same) {
            return Ok(());
        }
        let octets = fs::read(file).map_err(PythonError::file(file))?;
        for line in decoded(&octets).lines() {
            let named = |flags: [&str; 2]| {
                let mut flags = flags.into_iter();
                let rest = flags.find_map(|flag| line.trim().strip_prefix(flag))?;
                Some(rest.strip_prefix([' ', '=', '\t'])?.trim())
            };
            // Paths of other files are below the file that names them.
            let beside = |name: &str| dir(file).join(name);
            if let Some(name) = named(["--requirement", "-r"])
                && beside(name).is_file()
            {
                self.add(&beside(name), first, seen)?;
                continue;
            }
            let line = match (named(["--constraint", "-c"]), named(["--editable", "-e"])) {
                (Some(name), _) if beside(name).is_file() => {
                    let path = std::path::absolute(beside(name));
                    let path = path.map_err(PythonError::file(file))?;
                    self.local.push(path.clone());
                    format!("-c {}", path.display())
                }
                (_, Some(what)) => what.to_owned(),
                _ => line.to_owned(),
            };
            self.local.extend(local(&line, first));
            self.text += &line;
            self.text.push('\n');
        }
        Ok(())
    }

    /// Adds what is asked for, and what local directories and files hold.
    pub fn add_to(&self, digest: &mut Digest) -> Result<(), PythonError> {
        digest.part(self.text.as_bytes());
        for place in &self.local {
            let files = match place.is_dir() {
                true => sources::of(place, &[])?,
                false => vec![place.clone()],
            };
            for file in files {
                digest.file(&file, file.strip_prefix(place).unwrap_or(&file))?;
            }
        }
        Ok(())
    }
}

/// The directory or file that a line installs from, if it names one; pip takes it from `first`.
fn local(line: &str, first: &Path) -> Option<PathBuf> {
    let line = line.split(" #").next()?.trim();
    let what = line.split_once(" @ ").map_or(line, |(_, url)| url);
    let what = what.split([';', '[']).next()?.trim();
    let path = what.strip_prefix("file://").unwrap_or(what);
    let is_path = path.starts_with(['.', '/']) || path.contains('/') && !path.contains("://");
    let place = first.join(path);
    (is_path && place.exists()).then_some(place)
}

/// The text of a file in UTF-8, or in UTF-16 with a mark in front, as editors of Windows write it.
fn decoded(octets: &[u8]) -> String {
    let units = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = octets[2..]
            .as_chunks::<2>()
            .0
            .iter()
            .map(|it| unit(*it))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match octets {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        text => String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_put_together_and_what_is_editable_is_installed() {
        let home = tempfile::tempdir().unwrap();
        let here = home.path();
        fs::create_dir_all(here.join("lib")).unwrap();
        fs::create_dir_all(here.join("sub")).unwrap();
        fs::write(here.join("lib/setup.py"), "1").unwrap();
        let first = here.join("requirements.txt");
        let utf16: Vec<u8> = "\u{feff}-e ./lib\r\n-r sub/more.txt\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        fs::write(&first, utf16).unwrap();
        let more = "\u{feff}flask\n--editable=./lib[extra]\n-c only.txt\n-r ../requirements.txt\n";
        fs::write(here.join("sub/more.txt"), more).unwrap();
        fs::write(here.join("sub/only.txt"), "flask<4").unwrap();
        let found = of(&first).unwrap();
        let only = here.join("sub/only.txt");
        let text = format!("./lib\nflask\n./lib[extra]\n-c {}\n", only.display());
        assert_eq!(found.text, text);
        let digest = || {
            let mut digest = Digest::new("x");
            of(&first).unwrap().add_to(&mut digest).unwrap();
            digest.text()
        };
        let before = digest();
        assert_eq!(before, digest());
        fs::write(here.join("lib/setup.py"), "2").unwrap();
        let changed = digest();
        assert_ne!(before, changed);
        fs::write(only, "flask<3").unwrap();
        assert_ne!(changed, digest());
    }
}
