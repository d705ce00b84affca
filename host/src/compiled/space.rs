//! How much of the disk compiled code has, and what goes when it is full.
//!
//! A file's time of modification is that of its last use, as far as an hour. What was
//! used least recently goes first: of all that no app of this process has, and only then
//! of what an app has whose component is kept elsewhere, from which it is made again.

use super::{Cache, Key};
use crate::digest::Digest;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Bytes of compiled code where nobody says otherwise.
pub const SIZE: u64 = 2 << 30;

/// How old the time of the last use may be before it is written anew.
const STALE: Duration = Duration::from_secs(3600);
/// How old a file is that is not whole and that nobody writes any more.
const ABANDONED: Duration = Duration::from_secs(86_400);

/// The components that apps have, whose code is not to go.
#[derive(Debug, Clone, Default)]
pub(super) struct Pins(Arc<Mutex<HashMap<Digest, Pinned>>>);

/// How many apps have a component.
#[derive(Debug, Clone, Copy, Default)]
struct Pinned {
    /// Those whose component may not be there any more.
    only_here: usize,
    /// Those whose component is kept.
    made_again: usize,
}

/// Keeps the code of a component in the cache as long as it is there.
#[derive(Debug)]
pub struct Pin {
    pins: Pins,
    digest: Digest,
    is_made_again: bool,
}

/// A file of code.
struct Entry {
    path: PathBuf,
    octets: u64,
    used: SystemTime,
    /// None if it is to stay; else the higher go later.
    rank: Option<u8>,
}

impl Cache {
    /// The same with so many bytes of code.
    pub fn within(self, size: u64) -> Self {
        Cache { size, ..self }
    }

    /// An app has the component of this digest. `is_made_again` says whether that is
    /// kept somewhere, so that its code may go if there is no other way.
    pub fn pin(&self, digest: Digest, is_made_again: bool) -> Pin {
        let pins = self.pins.clone();
        pins.count(&digest, is_made_again, 1);
        Pin {
            pins,
            digest,
            is_made_again,
        }
    }

    /// `file`, which is code of this cache, is used now.
    pub(super) fn touch(file: &File) {
        let now = SystemTime::now();
        let used = file.metadata().and_then(|found| found.modified());
        let is_stale = used.map_or(true, |used| {
            now.duration_since(used).is_ok_and(|age| age > STALE)
        });
        if is_stale && let Err(error) = file.set_modified(now) {
            tracing::warn!("the use of compiled code cannot be noted: {error}");
        }
    }

    /// Lets go of what was used least recently until all code has its size, but not of
    /// what `last` names.
    pub(super) fn make_room(&self, last: &Key) -> io::Result<()> {
        let mut entries = self.entries(last)?;
        let mut octets: u64 = entries.iter().map(|entry| entry.octets).sum();
        if octets <= self.size {
            return Ok(());
        }
        entries.retain(|entry| entry.rank.is_some());
        entries.sort_by_key(|entry| (entry.rank, entry.used));
        for entry in entries {
            if octets <= self.size {
                return Ok(());
            }
            match fs::remove_file(&entry.path) {
                // Another process may have done it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => octets -= entry.octets,
            }
        }
        if octets > self.size {
            tracing::warn!(
                "the compiled code of the apps that are served takes {octets} bytes, more than the cache is to have (--cache-size): {}",
                self.path.display()
            );
        }
        Ok(())
    }

    fn entries(&self, last: &Key) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let last = self.file(last);
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            // What another process removes meanwhile is not there.
            let Ok(found) = fs::symlink_metadata(&path) else {
                continue;
            };
            let used = found.modified().unwrap_or(now);
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.ends_with(".new") {
                if now.duration_since(used).is_ok_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(&path);
                }
                continue;
            }
            let Some(key) = name.strip_suffix(".cwasm") else {
                continue;
            };
            let digest = key.split('-').next().and_then(|digest| digest.parse().ok());
            let rank = match path == last {
                true => None,
                false => digest.map_or(Some(0), |digest| self.pins.rank(&digest)),
            };
            entries.push(Entry {
                octets: found.len(),
                path,
                used,
                rank,
            });
        }
        Ok(entries)
    }
}

impl Pins {
    fn count(&self, digest: &Digest, is_made_again: bool, by: isize) {
        let mut pins = self.all();
        let pinned = pins.entry(*digest).or_default();
        let count = match is_made_again {
            true => &mut pinned.made_again,
            false => &mut pinned.only_here,
        };
        *count = count.saturating_add_signed(by);
        if pinned.only_here + pinned.made_again == 0 {
            pins.remove(digest);
        }
    }

    /// None if its code stays; else the higher go later.
    fn rank(&self, digest: &Digest) -> Option<u8> {
        match self.all().get(digest) {
            None => Some(0),
            Some(Pinned { only_here: 0, .. }) => Some(1),
            Some(_) => None,
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Pinned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pins.count(&self.digest, self.is_made_again, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compiled, Origin};
    use super::*;

    /// A cache of 1,000 bytes of code, and the files in it.
    struct Home(tempfile::TempDir, Cache);

    impl Home {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let cache = Cache::open(&home.path().join("rhost")).unwrap();
            Home(home, cache.within(1000))
        }

        /// Puts 300 bytes of code, and its tag, under the digest of so many.
        fn put(&self, number: u8) {
            let code = Compiled(Origin::Made(vec![number; 300]));
            self.1.put(&key(number), &code).unwrap();
        }

        /// Those that are there, which were used in this order.
        fn there(&self) -> Vec<u8> {
            let there = |number: &u8| self.1.file(&key(*number)).exists();
            (0..10).filter(there).collect()
        }

        /// Says that it was used so many hours ago.
        fn aged(&self, number: u8, hours: u32) {
            let file = File::open(self.1.file(&key(number))).unwrap();
            let then = SystemTime::now() - Duration::from_secs(3600) * hours;
            file.set_modified(then).unwrap();
        }
    }

    fn key(number: u8) -> Key {
        Key(format!("{}-0123456789abcdef", digest(number)))
    }

    fn digest(number: u8) -> Digest {
        Digest([number; 32])
    }

    #[test]
    fn what_was_used_least_recently_goes() {
        let home = Home::new();
        for number in 0..3 {
            home.put(number);
            home.aged(number, 10 - u32::from(number));
        }
        assert_eq!(home.there(), [0, 1, 2]);
        // It is used, which counts more than when it was made.
        assert!(home.1.get(&key(0)).is_some());
        home.put(3);
        assert_eq!(home.there(), [0, 2, 3]);
        home.put(4);
        assert_eq!(home.there(), [0, 3, 4]);
        let abandoned = home.0.path().join("rhost/x.1.new");
        fs::write(&abandoned, "x").unwrap();
        File::open(&abandoned)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        home.put(5);
        assert!(!abandoned.exists());
    }

    #[test]
    fn what_an_app_has_goes_last_or_not_at_all() {
        let home = Home::new();
        let of_file = home.1.pin(digest(0), false);
        let deployed = home.1.pin(digest(1), true);
        for number in 0..6 {
            home.put(number);
            home.aged(number, 100 - u32::from(number));
        }
        assert_eq!(home.there(), [0, 1, 5]);
        let also = home.1.pin(digest(5), false);
        home.put(6);
        assert_eq!(home.there(), [0, 5, 6]);
        drop((of_file, deployed, also));
        home.put(7);
        assert_eq!(home.there(), [5, 6, 7]);
    }

    #[test]
    fn what_is_larger_than_the_cache_is_not_kept() {
        let home = Home::new();
        home.put(0);
        let code = Compiled(Origin::Made(vec![1; 1000]));
        let said = home.1.put(&key(1), &code).unwrap_err().to_string();
        assert!(said.contains("--cache-size"), "{said}");
        assert_eq!(home.there(), [0]);
    }
}
