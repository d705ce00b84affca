//! What this host puts on the files that it writes, to know them again.
//!
//! A tag is BLAKE3 in its keyed mode, which is a MAC, over a file's name and what is in
//! it. The key is a secret of this host: 32 random octets, made at first use and kept
//! in a file that is its owner's alone. What others wrote, what was damaged, and what was
//! given another name does not fit its tag.

use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use tempfile::NamedTempFile;

/// The file of the secret, in the directory of the files that it is for.
const NAME: &str = "secret";

/// Octets of a tag, and of the secret.
pub const LENGTH: usize = blake3::OUT_LEN;

/// The tag of a file. Two are compared in constant time.
pub type Tag = blake3::Hash;

/// The seal of one directory.
pub struct Seal([u8; LENGTH]);

impl Seal {
    /// The seal of the files in `directory`. Its secret is made if there is none, or none
    /// that can have stayed one.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let file = directory.join(NAME);
        let found = read(&file)?;
        if let Found::Secret(secret) = found {
            return Ok(Seal(secret));
        }
        let made = make(directory)?;
        // Another process may make one at the same time: the last that is there is
        // everybody's.
        match found {
            Found::Nothing => match made.persist_noclobber(&file) {
                Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error.error);
                }
                _ => {}
            },
            _ => {
                tracing::warn!(
                    "the secret of the cache was damaged, or others could read it; there is a new one, \
                     and components are compiled again: {}",
                    file.display()
                );
                made.persist(&file).map_err(|error| error.error)?;
            }
        }
        File::open(directory)?.sync_all()?;
        match read(&file)? {
            Found::Secret(secret) => Ok(Seal(secret)),
            _ => Err(io::Error::other("its secret cannot be kept")),
        }
    }

    /// The tag of what `content` has to its end, as a file called `name`.
    pub fn of(&self, name: &str, content: impl Read) -> io::Result<Tag> {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // The length first: no name with content is another name with other content.
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update_reader(content)?;
        Ok(hasher.finalize())
    }
}

enum Found {
    Nothing,
    /// Something that is no secret, or that others may know.
    Unfit,
    Secret([u8; LENGTH]),
}

fn read(path: &Path) -> io::Result<Found> {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Ok(Found::Unfit),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    let own = about.uid() == rustix::process::geteuid().as_raw();
    if !about.is_file() || !own || about.mode() & 0o077 != 0 || about.len() != LENGTH as u64 {
        return Ok(Found::Unfit);
    }
    let mut secret = [0; LENGTH];
    file.read_exact(&mut secret)?;
    Ok(Found::Secret(secret))
}

/// Opens the file of this name itself, not what a link of that name points to, and does
/// not wait for the other end of a pipe.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// A file with a new secret, which has no name of its own yet.
fn make(directory: &Path) -> io::Result<NamedTempFile> {
    let mut secret = [0; LENGTH];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    // Of mode 600.
    let mut made = NamedTempFile::new_in(directory)?;
    made.write_all(&secret)?;
    made.as_file().sync_all()?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn tag(directory: &Path) -> Tag {
        let seal = Seal::open(directory).unwrap();
        seal.of("name", &b"content"[..]).unwrap()
    }

    #[test]
    fn a_secret_is_made_once_and_is_its_owners() {
        let home = tempfile::tempdir().unwrap();
        let first = tag(home.path());
        assert_eq!(tag(home.path()), first);
        let about = fs::metadata(home.path().join(NAME)).unwrap();
        assert_eq!((about.mode() & 0o777, about.len()), (0o600, 32));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(tag(other.path()), first);
    }

    #[test]
    fn who_comes_at_the_same_time_has_the_same_one() {
        let home = tempfile::tempdir().unwrap();
        let tags: Vec<Tag> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| tag(home.path()))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(tags.iter().all(|tag| *tag == tags[0]));
    }

    #[test]
    fn one_that_others_may_know_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(NAME);
        let first = tag(home.path());
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let second = tag(home.path());
        assert_ne!(first, second);
        fs::write(&file, b"short").unwrap();
        let third = tag(home.path());
        assert_ne!(second, third);
        let elsewhere = tempfile::tempdir().unwrap();
        let theirs = elsewhere.path().join("theirs");
        fs::rename(&file, &theirs).unwrap();
        std::os::unix::fs::symlink(&theirs, &file).unwrap();
        assert_ne!(tag(home.path()), third);
        assert!(!fs::symlink_metadata(&file).unwrap().is_symlink());
    }

    #[test]
    fn a_tag_is_of_the_name_and_of_all_that_is_in_it() {
        let home = tempfile::tempdir().unwrap();
        let seal = Seal::open(home.path()).unwrap();
        let of = |name, content: &[u8]| seal.of(name, content).unwrap();
        let tag = of("ab", b"cd");
        assert_eq!(tag, of("ab", b"cd"));
        for (name, content) in [
            ("ab", &b"ce"[..]),
            ("ac", b"cd"),
            ("a", b"bcd"),
            ("abc", b"d"),
            ("ab", b"c"),
        ] {
            assert_ne!(tag, of(name, content), "{name}");
        }
    }
}
