//! [`Note`]: what a note is, and how it is written down.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhost_sdk::ETag;
use serde::{Deserialize, Serialize, Serializer};

/// The name of a note: a random number, so that it is not used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(u64);

/// What a revision holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub title: String,
    pub text: String,
    /// When it was saved, in milliseconds since 1970.
    #[serde(serialize_with = "rfc3339", deserialize_with = "milliseconds")]
    pub changed: u64,
    pub attachment: Option<Attachment>,
}

/// A file beside a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What its owner calls it.
    pub name: String,
    pub octets: u64,
    /// What it is called in the note's directory.
    pub file: Id,
}

/// A note: its latest revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub id: Id,
    pub revision: u64,
    #[serde(flatten)]
    pub content: Content,
}

impl Note {
    /// Below the place where the app is mounted.
    pub fn path(&self) -> String {
        format!("/notes/{}", self.id)
    }

    /// The tag of its document.
    pub fn etag(&self) -> ETag {
        ETag::strong(format!("{}.{}", self.id, self.revision))
    }

    /// When it was saved, as `2026-11-21T06:37:34.125Z`.
    pub fn changed(&self) -> String {
        moment(self.content.changed)
    }
}

/// Now, in milliseconds since 1970.
pub fn now() -> u64 {
    since_1970(SystemTime::now())
}

fn since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn moment(milliseconds: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(milliseconds)).to_string()
}

fn rfc3339<S: Serializer>(changed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment(*changed))
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)?;
    Ok(since_1970(time))
}

impl Id {
    /// One that was not used before, and that nobody can guess.
    pub fn new() -> io::Result<Id> {
        getrandom::u64().map(Id).map_err(io::Error::other)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// One spelling, as it is written: two paths are never one note.
impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Id, Self::Err> {
        let id = u64::from_str_radix(text, 16).map(Id);
        id.ok()
            .filter(|id| id.to_string() == text)
            .ok_or("no name of a note")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
