//! Files that are read for a configuration: secrets, certificates, components and the
//! file itself. A path may name anything, so each is opened without waiting, has to be a
//! regular file, and is read up to a bound: a pipe or a terminal holds nobody up, and
//! `/dev/zero` fills no memory. A link to a regular file is as good as the file.
//!
//! A file system may still take its time. Nothing is read under a lock that others need.

use crate::failure::Octets;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Bytes of a secret, at most: as many as Linux gives a variable (`MAX_ARG_STRLEN`).
pub const SECRET: u64 = 128 << 10;
/// Bytes of a file of certificates or of a key, at most. All authorities that a system
/// trusts are some 300 KiB.
pub const CERTIFICATES: u64 = 4 << 20;
/// Bytes of a component, at most. A compiler takes no larger one.
pub const COMPONENT: u64 = 256 << 20;
/// Bytes of `rhost.toml`, at most: some hundred thousand apps.
pub const CONFIGURATION: u64 = 64 << 20;
/// Bytes that are asked for at a time.
const BLOCK: u64 = 64 << 10;

/// Opens the regular file at `path`, and returns what the system says of the very file
/// that is open. Fails at once for anything else, and says what it is.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            // What opening a socket comes to (open(2)).
            Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => other("a socket"),
            _ => error,
        })?;
    let found = file.metadata()?;
    let kind = found.file_type();
    match () {
        () if kind.is_file() => Ok((file, found)),
        () if kind.is_dir() => Err(other("a directory")),
        () if kind.is_fifo() => Err(other("a pipe")),
        () => Err(other("a device")),
    }
}

/// The bytes of the regular file at `path`. Fails if they are more than `most`.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, found) = open(path)?;
    let too_large = || {
        let text = format!("it is larger than {}; give a smaller one", Octets(most));
        io::Error::new(io::ErrorKind::FileTooLarge, text)
    };
    if found.len() > most {
        return Err(too_large());
    }
    // What it says of its length may be wrong: of those in /proc it is 0, and it may grow.
    let mut octets = Vec::with_capacity(found.len().max(BLOCK.min(most)) as usize);
    file.take(most + 1).read_to_end(&mut octets)?;
    match octets.len() as u64 > most {
        true => Err(too_large()),
        false => Ok(octets),
    }
}

/// The text of the regular file at `path`. Fails with `InvalidData` if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// The first bytes of the regular file at `path`, no more than `most`.
pub fn read_head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open(path)?;
    let mut head = Vec::new();
    file.take(most).read_to_end(&mut head)?;
    Ok(head)
}

fn other(what: &str) -> io::Error {
    let text = format!("it is {what}, and not a regular file; give one");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_regular_file_is_read_up_to_its_bound() {
        let home = tempfile::tempdir().unwrap();
        let (file, link) = (home.path().join("file"), home.path().join("link"));
        fs::write(&file, "12345").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            assert_eq!(read(path, 5).unwrap(), b"12345");
            assert_eq!(read_text(path, 6).unwrap(), "12345");
            assert_eq!(read_head(path, 2).unwrap(), b"12");
            let error = read(path, 4).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
            assert!(error.to_string().contains("larger than 4"), "{error}");
        }
        // It says that it has no bytes, and has some.
        let status = Path::new("/proc/self/status");
        assert!(read(status, CERTIFICATES).unwrap().len() > 100);
        assert!(read(status, 100).is_err());
        fs::write(&file, b"\xff").unwrap();
        let error = read_text(&file, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    /// None of these is waited for, and none is read.
    #[test]
    fn what_is_no_regular_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for (path, says) in [
            (at("pipe"), "a pipe"),
            (at("socket"), "a socket"),
            (at(""), "a directory"),
            ("/dev/zero".into(), "a device"),
            ("/dev/null".into(), "a device"),
        ] {
            for read in [
                read(&path, CERTIFICATES).map(drop),
                read_text(&path, CERTIFICATES).map(drop),
                read_head(&path, 1).map(drop),
            ] {
                let error = read.unwrap_err().to_string();
                let said = format!("it is {says}, and not a regular file");
                assert!(error.contains(&said), "{}: {error}", path.display());
            }
        }
        let error = read(&at("none"), 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
