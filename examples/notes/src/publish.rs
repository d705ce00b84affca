//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes a file that must not be there yet, and says whether it was not.
///
/// It is written as a draft, a new file that nobody reads, and linked to its own name
/// when it is complete and on the disk. Unlike renaming it, that replaces nothing: of
/// two who write the same name at once, one is told that it was too late.
pub fn publish(draft: &Path, path: &Path, octets: &[u8]) -> io::Result<bool> {
    let written = write(draft, octets).and_then(|()| fs::hard_link(draft, path));
    // What is left of a failure is a file that nobody reads.
    let _ = fs::remove_file(draft);
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::publish;
    use std::fs;
    use std::thread;

    #[test]
    fn of_many_at_once_one_is_first() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("1.json");
        let won = thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|writer| {
                    let path = &path;
                    let draft = home.path().join(format!("draft {writer}"));
                    scope.spawn(move || {
                        let octets = format!("{writer}").repeat(10_000);
                        publish(&draft, path, octets.as_bytes()).expect("it can be written")
                    })
                })
                .collect();
            writers
                .into_iter()
                .filter_map(|writer| writer.join().ok())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
        let text = fs::read_to_string(&path).expect("the winner's");
        assert_eq!(text.len(), 10_000);
        assert_eq!(text, text[..1].repeat(10_000));
        let files = fs::read_dir(home.path()).expect("the directory").count();
        assert_eq!(files, 1, "no draft is left");
    }
}
