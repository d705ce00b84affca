//! The counter: a file that grows by an octet with each visit, so that its length
//! is the count.
//!
//! Each request is an instance of its own, and many of them visit at once: to read
//! a number, add one and write it back would lose visits. An append is one step of
//! the host's, which no other append gets between, so none is lost, and nothing has
//! to be locked. A visit costs an octet of disk.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

const FILE: &str = "visits";

/// Counts a visit, and says how many there were. It is at least this one's number:
/// those that came in the meantime are in it.
pub fn count(data: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(data.join(FILE))?;
    file.write_all(b".")?;
    Ok(file.metadata()?.len())
}

/// How many there were.
pub fn read(data: &Path) -> io::Result<u64> {
    match fs::metadata(data.join(FILE)) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{count, read};
    use std::thread;

    #[test]
    fn visits_at_once_are_all_counted() {
        let data = tempfile::tempdir().expect("a directory");
        assert_eq!(read(data.path()).expect("nothing yet"), 0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| assert!(count(data.path()).is_ok())));
            }
        });
        assert_eq!(read(data.path()).expect("a count"), 400);
    }
}
