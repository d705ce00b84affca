//! [`Notebook`]: one user's notes, as files.
//!
//! A note is a directory, and each of its revisions a file there: `1.json`,
//! `2.json`. A revision is never changed; to save a note is to publish the next
//! number, which only one of those who try it gets. So nobody's words are
//! overwritten by somebody who has not seen them, and nothing has to be locked.

use std::cmp::Reverse;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::note::{Content, Id, Note};
use crate::publish::publish;

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

#[cfg(test)]
#[path = "notebook_tests.rs"]
mod tests;
