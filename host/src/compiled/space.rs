//! How much of the disk compiled code has, and what goes when it is full.
//!
//! A file's time of modification is that of its last use, as far as an hour; what is in
//! memory is used now. First goes code of other engines, then that of this one which no
//! app of this process has, and only then what an app has whose component is kept
//! elsewhere, from which it is made again. Of that, each tenant has as large a share as
//! any other: what is within its tenant's share stays as long as another has more than its
//! own. What was used least recently goes first.

#[cfg(test)]
mod tests;

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
