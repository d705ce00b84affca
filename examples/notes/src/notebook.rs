//! [`Notebook`]: one user's notes, as files.
//!
//! A note is a directory, and each of its revisions a file there: `1.json`,
//! `2.json`. A revision is never changed; to save a note is to publish the next
//! number, which only one of those who try it gets. So nobody's words are
//! overwritten by somebody who has not seen them, and nothing has to be locked.

use std::cmp::Reverse;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhost_sdk::ETag;
use serde::{Deserialize, Serialize, Serializer};

use crate::publish::publish;

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

/// One user's notes.
pub struct Notebook {
    place: PathBuf,
    /// For what is not complete yet, or not wanted any more. Elsewhere, so that what
    /// comes and goes there disturbs nobody who reads a notebook.
    aside: PathBuf,
}

impl Notebook {
    /// The notebook of this name, below this directory. Names that differ in their
    /// case alone are one.
    pub fn of(data: &Path, name: &str) -> Notebook {
        let octets = name.to_lowercase().into_bytes();
        let hexadecimal: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        Notebook {
            place: data.join("notebooks").join(hexadecimal),
            aside: data.join("aside"),
        }
    }

    /// All notes, the last that was saved first.
    pub fn list(&self) -> io::Result<Vec<Note>> {
        let mut notes = Vec::new();
        for name in names(&self.place)? {
            if let Ok(id) = name.parse()
                && let Some(note) = self.read(id)?
            {
                notes.push(note);
            }
        }
        notes.sort_by_key(|note| Reverse((note.content.changed, note.id)));
        Ok(notes)
    }

    /// A note, if there is one.
    pub fn read(&self, id: Id) -> io::Result<Option<Note>> {
        let directory = self.directory(id);
        let latest = names(&directory)?
            .iter()
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .max();
        let Some(revision) = latest else {
            return Ok(None);
        };
        let octets = match fs::read(revision_file(&directory, revision)) {
            Ok(octets) => octets,
            // Deleted in the meantime.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Note {
            id,
            revision,
            content: serde_json::from_slice(&octets)?,
        }))
    }

    /// A new note.
    pub fn create(&self, content: Content) -> io::Result<Note> {
        let id = Id::new()?;
        fs::create_dir_all(self.directory(id))?;
        self.save(id, 1, content)?
            .ok_or_else(|| io::Error::other("a random number was drawn twice"))
    }

    /// The next revision of a note; `None` if somebody else has saved one, or
    /// deleted the note.
    pub fn replace(&self, note: &Note, content: Content) -> io::Result<Option<Note>> {
        match self.save(note.id, note.revision + 1, content) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            saved => saved,
        }
    }

    fn save(&self, id: Id, revision: u64, content: Content) -> io::Result<Option<Note>> {
        let document = serde_json::to_vec(&content)?;
        let path = revision_file(&self.directory(id), revision);
        let saved = publish(&self.aside()?, &path, &document)?;
        Ok(saved.then_some(Note {
            id,
            revision,
            content,
        }))
    }

    /// Deletes a note with all that belongs to it, and says whether it was there.
    pub fn delete(&self, id: Id) -> io::Result<bool> {
        // Gone in one step; the files follow.
        let gone = self.aside()?;
        match fs::rename(self.directory(id), &gone) {
            Ok(()) => fs::remove_dir_all(&gone).map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where the file of this name beside a note is.
    pub fn attachment(&self, id: Id, file: Id) -> PathBuf {
        self.directory(id).join(format!("{file}.attachment"))
    }

    /// A path for what nobody reads.
    fn aside(&self) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.aside)?;
        Ok(self.aside.join(Id::new()?.to_string()))
    }

    fn directory(&self, id: Id) -> PathBuf {
        self.place.join(id.to_string())
    }
}

fn revision_file(directory: &Path, revision: u64) -> PathBuf {
    directory.join(format!("{revision}.json"))
}

/// How often a directory is read again that changes while it is read.
const TRIES: usize = 100;

/// The names in a directory; none where there is no directory.
///
/// The host looks at each entry after it has read their names, and where one is gone
/// by then the rest of them is not told. So it is read again.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut tries = 0;
    loop {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        match names.collect() {
            Err::<_, io::Error>(error) if error.kind() == ErrorKind::NotFound && tries < TRIES => {
                tries += 1;
            }
            names => return names,
        }
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

#[cfg(test)]
#[path = "notebook_tests.rs"]
mod tests;
