//! Whether anything changed: digests of what a component is built from.

use super::PythonError;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A larger file that is not Python is known by its size and its time.
const LARGE: u64 = 1 << 20;

/// A digest in the making. Each part is told from its neighbours by its length.
pub struct Digest(Sha256);

impl Digest {
    /// Of nothing yet, for the purpose called `of`.
    pub fn new(of: &str) -> Self {
        let mut digest = Digest(Sha256::new());
        digest.part(of.as_bytes());
        digest
    }

    /// Adds octets.
    pub fn part(&mut self, octets: &[u8]) {
        self.0.update((octets.len() as u64).to_le_bytes());
        self.0.update(octets);
    }

    /// Adds a file: its name as `name`, and what it holds.
    pub fn file(&mut self, path: &Path, name: &Path) -> Result<(), PythonError> {
        self.part(name.as_os_str().as_encoded_bytes());
        let found = fs::metadata(path).map_err(PythonError::file(path))?;
        if found.len() > LARGE && path.extension().is_none_or(|ending| ending != "py") {
            self.part(
                format!("{} {} {}", found.len(), found.mtime(), found.mtime_nsec()).as_bytes(),
            );
            return Ok(());
        }
        self.part(&fs::read(path).map_err(PythonError::file(path))?);
        Ok(())
    }

    /// The digest, as text.
    pub fn text(self) -> String {
        let octets = self.0.finalize();
        octets
            .iter()
            .take(16)
            .map(|octet| format!("{octet:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&str]| {
            let mut digest = Digest::new("test");
            parts.iter().for_each(|part| digest.part(part.as_bytes()));
            digest.text()
        };
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["ab", ""]), of(&["ab"]));
        assert_eq!(of(&[]).len(), 32);
    }

    #[test]
    fn a_file_is_its_name_and_what_it_holds() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.py");
        let of = |name: &str| {
            let mut digest = Digest::new("test");
            digest.file(&path, Path::new(name)).unwrap();
            digest.text()
        };
        fs::write(&path, "one").unwrap();
        let first = of("a.py");
        assert_ne!(first, of("b.py"));
        fs::write(&path, "two").unwrap();
        assert_ne!(first, of("a.py"));
        fs::write(&path, "one").unwrap();
        assert_eq!(first, of("a.py"));
    }
}
