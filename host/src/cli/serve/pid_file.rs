//! `--pid-file`: which process it is.

use rhost::regular_file;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of a number and the end of its line, at most.
const LONGEST: u64 = 32;

/// A file with this process's id. When this is dropped it goes, unless another
/// process has written its own by then.
pub struct PidFile(Option<PathBuf>);

impl PidFile {
    /// Writes it, whole: whoever reads it finds this process or the one before.
    pub fn write(path: &Path) -> io::Result<Self> {
        let dir = match path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".rhost-pid-")
            // As any file that everyone may read.
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(dir)?;
        writeln!(file, "{}", std::process::id())?;
        file.persist(path)?;
        Ok(PidFile(Some(path.to_owned())))
    }

    /// Leaves it to another process, which writes its own into it.
    pub fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let Some(path) = &self.0 else { return };
        let is_ours = regular_file::read_text(path, LONGEST)
            .is_ok_and(|text| text.trim() == std::process::id().to_string());
        if is_ours {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_its_process_and_with_no_other() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("rhost.pid");
        fs::write(&path, "1\n").unwrap();
        let file = PidFile::write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
        let file = PidFile::write(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        PidFile::write(&path).unwrap().leave();
        assert!(path.exists());
        assert!(PidFile::write(&home.path().join("no/rhost.pid")).is_err());
    }
}
