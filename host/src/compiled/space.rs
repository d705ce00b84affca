//! How much of the disk compiled code has, and what goes when it is full.
//!
//! A file's time of modification is that of its last use, as far as an hour; what is in
//! memory is used now. First goes code of other engines, then that of this one which no
//! app of this process has, and only then what an app has whose component is kept
//! elsewhere, from which it is made again. Of that, each tenant has as large a share as
//! any other: what is within its tenant's share stays as long as another has more than its
//! own. What was used least recently goes first.

use super::{Cache, Key};
use crate::digest::Digest;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Bytes of compiled code where nobody says otherwise.
pub const SIZE: u64 = 2 << 30;

/// How old the time of the last use may be before it is written anew.
const STALE: Duration = Duration::from_secs(3600);
/// How old a file is that is not whole and that nobody writes any more.
const ABANDONED: Duration = Duration::from_secs(86_400);

/// Whose an app is: a tenant's, or nobody's but the operator's.
type Owner = Option<Arc<str>>;

/// Why the code of a component is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reason {
    /// An app of the file has it. The component may not be there any more.
    OfFile,
    /// A deployed app of this owner has it. The component is kept, so that its code may go
    /// if there is no other way.
    Deployed(Option<Arc<str>>),
    /// It is in memory, and so it is used. That alone does not keep it.
    InMemory,
}

impl Reason {
    /// That of an app of `tenant`, or of none, that was deployed.
    pub fn deployed(tenant: Option<&str>) -> Self {
        Reason::Deployed(tenant.map(Arc::from))
    }
}

/// The components whose code is wanted, and how often for each reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Pins(Arc<Mutex<HashMap<Digest, Reasons>>>);

type Reasons = HashMap<Reason, usize>;

/// Keeps the code of a component in the cache as long as it is there.
#[derive(Debug)]
pub struct Pin {
    pins: Pins,
    digest: Digest,
    reason: Reason,
}

/// When code goes: the first before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Of another engine: an earlier program's, which nobody loads any more.
    OfOtherEngine,
    /// Of this engine, and no app has it.
    Unused,
    /// A deployed app has it.
    Deployed,
    /// It stays.
    OfFile,
}

/// A file of code.
struct Entry {
    path: PathBuf,
    octets: u64,
    used: SystemTime,
    rank: Rank,
    is_in_memory: bool,
    /// Of the deployed apps that have it.
    owners: Vec<Owner>,
}

/// What owners of deployed apps have of the cache.
struct Shares {
    /// Bytes that each may have.
    each: u64,
    taken: HashMap<Owner, u64>,
}

impl Cache {
    /// The same with so many bytes of code.
    pub fn within(self, size: u64) -> Self {
        Cache { size, ..self }
    }

    /// The code of the component of this digest is wanted for that `reason`.
    pub fn pin(&self, digest: Digest, reason: Reason) -> Pin {
        let pins = self.pins.clone();
        *pins
            .all()
            .entry(digest)
            .or_default()
            .entry(reason.clone())
            .or_default() += 1;
        Pin {
            pins,
            digest,
            reason,
        }
    }

    /// `file`, which is code of this cache, is used now.
    pub(super) fn touch(file: &File) {
        let now = SystemTime::now();
        let used = file.metadata().and_then(|found| found.modified());
        let is_stale = used.map_or(true, |used| is_stale(used, now));
        if is_stale && let Err(error) = file.set_modified(now) {
            tracing::warn!("the use of compiled code cannot be noted: {error}");
        }
    }

    /// Lets go of code until all of it has its size, but not of what `last` names, which
    /// is of this engine.
    pub(super) fn make_room(&self, last: &Key) -> io::Result<()> {
        let mut entries = self.entries(last)?;
        let mut octets: u64 = entries.iter().map(|entry| entry.octets).sum();
        if octets <= self.size {
            return Ok(());
        }
        entries.iter_mut().for_each(Entry::use_if_in_memory);
        let mut shares = Shares::of(&entries, self.size);
        let last = self.file(last);
        entries.retain(|entry| entry.rank != Rank::OfFile && entry.path != last);
        entries.sort_by_key(|entry| (entry.rank, entry.used));
        // Who has more than its share pays for it, as long as there is one.
        for is_within_share in [false, true] {
            for entry in mem::take(&mut entries) {
                if octets <= self.size {
                    return Ok(());
                }
                if !is_within_share && shares.protect(&entry) {
                    entries.push(entry);
                    continue;
                }
                match fs::remove_file(&entry.path) {
                    // Another process may have done it.
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => octets -= entry.octets,
                }
                shares.give_back(&entry);
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
        let this_engine = Key::parts(&last.0).map(|(_, engine)| engine);
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
            let parts = Key::parts(key).filter(|(_, engine)| Some(*engine) == this_engine);
            let mut entry = Entry {
                octets: found.len(),
                used,
                rank: Rank::OfOtherEngine,
                is_in_memory: false,
                owners: Vec::new(),
                path: path.clone(),
            };
            if let Some((digest, _)) = parts {
                entry.rank = Rank::Unused;
                if let Some(reasons) = self.pins.all().get(&digest) {
                    entry.is_for(reasons);
                }
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl Entry {
    /// It is kept for these reasons.
    fn is_for(&mut self, reasons: &Reasons) {
        for reason in reasons.keys() {
            match reason {
                Reason::OfFile => self.rank = Rank::OfFile,
                Reason::Deployed(owner) => {
                    self.rank = self.rank.max(Rank::Deployed);
                    self.owners.push(owner.clone());
                }
                Reason::InMemory => self.is_in_memory = true,
            }
        }
    }

    /// What is in memory is used without its file.
    fn use_if_in_memory(&mut self) {
        let now = SystemTime::now();
        if self.is_in_memory {
            if is_stale(self.used, now)
                && let Ok(file) = File::open(&self.path)
            {
                Cache::touch(&file);
            }
            self.used = now;
        }
    }
}

impl Shares {
    /// The shares in what a cache of that `size` has beside the code of the file's apps.
    fn of(entries: &[Entry], size: u64) -> Self {
        let (mut taken, mut rest) = (HashMap::<_, u64>::new(), size);
        for entry in entries {
            match entry.rank {
                Rank::OfFile => rest = rest.saturating_sub(entry.octets),
                Rank::Deployed => {
                    for owner in &entry.owners {
                        *taken.entry(owner.clone()).or_default() += entry.octets;
                    }
                }
                Rank::OfOtherEngine | Rank::Unused => {}
            }
        }
        Shares {
            each: rest / (taken.len() as u64).max(1),
            taken,
        }
    }

    /// Whether one of those that have it has no more than its share.
    fn protect(&self, entry: &Entry) -> bool {
        let is_within = |owner: &Owner| {
            let taken = self.taken.get(owner);
            taken.is_none_or(|taken| *taken <= self.each)
        };
        entry.owners.iter().any(is_within)
    }

    /// It is gone.
    fn give_back(&mut self, entry: &Entry) {
        for owner in &entry.owners {
            if let Some(taken) = self.taken.get_mut(owner) {
                *taken -= entry.octets;
            }
        }
    }
}

impl Pins {
    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Reasons>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.pins.all();
        let Some(reasons) = pins.get_mut(&self.digest) else {
            return;
        };
        if let Some(count) = reasons.get_mut(&self.reason) {
            *count -= 1;
            if *count == 0 {
                reasons.remove(&self.reason);
            }
        }
        if reasons.is_empty() {
            pins.remove(&self.digest);
        }
    }
}

fn is_stale(used: SystemTime, now: SystemTime) -> bool {
    now.duration_since(used).is_ok_and(|age| age > STALE)
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
        let of_file = home.1.pin(digest(0), Reason::OfFile);
        let deployed = home.1.pin(digest(1), Reason::Deployed(None));
        for number in 0..6 {
            home.put(number);
            home.aged(number, 100 - u32::from(number));
        }
        assert_eq!(home.there(), [0, 1, 5]);
        let also = home.1.pin(digest(5), Reason::OfFile);
        home.put(6);
        assert_eq!(home.there(), [0, 5, 6]);
        drop((of_file, deployed, also));
        home.put(7);
        assert_eq!(home.there(), [5, 6, 7]);
    }

    fn of(tenant: &str) -> Reason {
        Reason::deployed(Some(tenant))
    }

    #[test]
    fn code_of_another_engine_goes_first_whoever_has_its_component() {
        let home = Home::new();
        let _pins = [
            home.1.pin(digest(0), Reason::OfFile),
            home.1.pin(digest(1), of("acme")),
        ];
        for number in 0..2 {
            let code = Compiled(Origin::Made(vec![number; 300]));
            let before = Key(format!("{}-fedcba9876543210", digest(number)));
            home.1.put(&before, &code).unwrap();
        }
        // Used before all of that.
        home.put(2);
        home.aged(2, 100);
        let before = |number| {
            let key = Key(format!("{}-fedcba9876543210", digest(number)));
            home.1.file(&key).exists()
        };
        home.put(3);
        assert_eq!(home.there(), [2, 3]);
        assert_eq!(
            [before(0), before(1)]
                .iter()
                .filter(|there| **there)
                .count(),
            1
        );
        home.put(4);
        assert_eq!(home.there(), [2, 3, 4]);
        assert!(!before(0) && !before(1));
    }

    #[test]
    fn who_has_more_than_its_share_makes_room() {
        let home = Home::new();
        let victims = home.1.pin(digest(0), of("victim"));
        home.put(0);
        home.aged(0, 1000);
        let _operators = home.1.pin(digest(1), Reason::Deployed(None));
        home.put(1);
        home.aged(1, 900);
        let mut pins = Vec::new();
        for number in 2..9 {
            pins.push(home.1.pin(digest(number), of("greedy")));
            home.put(number);
            home.aged(number, 100 - u32::from(number));
            assert_eq!(home.there(), [0, 1, number]);
        }
        // What another has as well is not lost by the greed of one.
        drop(victims);
        let _also = home.1.pin(digest(8), of("victim"));
        for number in [9, 7] {
            pins.push(home.1.pin(digest(number), of("greedy")));
            home.put(number);
        }
        assert_eq!(home.there(), [1, 7, 8]);
    }

    #[test]
    fn what_the_files_apps_have_is_no_part_of_the_shares() {
        let home = Home::new();
        let _of_file = home.1.pin(digest(0), Reason::OfFile);
        home.put(0);
        let _pins = [
            home.1.pin(digest(1), of("victim")),
            home.1.pin(digest(2), of("greedy")),
            home.1.pin(digest(3), of("greedy")),
        ];
        for number in 1..4 {
            home.put(number);
            home.aged(number, 100 - u32::from(number));
        }
        assert_eq!(home.there(), [0, 1, 3]);
    }

    #[test]
    fn what_is_in_memory_is_used_now() {
        let home = Home::new();
        let _pins: Vec<_> = (0..5)
            .map(|number| home.1.pin(digest(number), of("acme")))
            .collect();
        for number in 0..3 {
            home.put(number);
            home.aged(number, 100 - u32::from(number));
        }
        let in_memory = home.1.pin(digest(0), Reason::InMemory);
        home.put(3);
        assert_eq!(home.there(), [0, 2, 3]);
        // Its file says so from here on.
        drop(in_memory);
        home.put(4);
        assert_eq!(home.there(), [0, 3, 4]);
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
