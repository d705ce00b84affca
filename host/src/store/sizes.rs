//! How much is kept of each version, known without reading it: its settings may be long,
//! and each deploy adds up all of a tenant's.

use super::Digest;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much is kept of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its component, which other versions may have too.
    pub component: Digest,
    /// Bytes of that.
    pub octets: u64,
    /// Bytes of its settings.
    pub settings: u64,
}

/// The sizes of all versions that can be read, by their app and number.
#[derive(Debug, Default)]
pub(super) struct Sizes(Mutex<HashMap<String, BTreeMap<u32, Size>>>);

impl Sizes {
    pub(super) fn add(&self, name: &str, number: u32, size: Size) {
        let mut all = self.all();
        all.entry(name.to_owned()).or_default().insert(number, size);
    }

    pub(super) fn remove(&self, name: &str, number: u32) {
        let mut all = self.all();
        if let Some(versions) = all.get_mut(name) {
            versions.remove(&number);
            if versions.is_empty() {
                all.remove(name);
            }
        }
    }

    /// Those of the app called `name`, the latest first.
    pub(super) fn of(&self, name: &str) -> Vec<Size> {
        let all = self.all();
        let versions = all.get(name).into_iter();
        versions
            .flat_map(|versions| versions.values().rev().copied())
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<u32, Size>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
