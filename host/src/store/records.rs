//! What is written down of apps and tokens, each record by itself as JSON, so that
//! one that is damaged costs what it is about and no more.

use super::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What holds for all versions of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AppRecord {
    /// The version that is served.
    pub(super) current: u32,
    /// The highest number that was given to one. None is given twice.
    pub(super) last: u32,
    /// Whether it is served at all.
    pub(super) is_enabled: bool,
}

/// One version of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VersionRecord {
    pub(super) component: Digest,
    /// Its component's size.
    pub(super) octets: u64,
    /// Its settings: the keys of `[apps.NAME]`, in TOML, but for the component.
    pub(super) settings: String,
    /// When it was deployed, in seconds since 1970.
    pub(super) at: u64,
}

/// A token, as far as it is known here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TokenRecord {
    /// What it is for, as whoever made it said.
    pub(super) note: String,
    /// SHA-256 of the token.
    pub(super) hash: Digest,
    /// Whose apps it is for; none for all.
    pub(super) tenant: Option<String>,
    /// When it was made, in seconds since 1970.
    pub(super) at: u64,
}

/// A record as it is kept.
pub(super) fn written(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have names for keys")
}

/// A record that was kept. Fails with what is wrong with it.
pub(super) fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, String> {
    serde_json::from_slice(octets).map_err(|error| format!("its record is damaged: {error}"))
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// The time that `seconds` since 1970 are.
pub(super) fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(UNIX_EPOCH)
}
