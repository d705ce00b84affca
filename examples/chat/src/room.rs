//! [`Room`]: a file of messages, each a line of JSON.
//!
//! A message is appended in one write, which no other gets between, so that many can
//! speak at once without a lock. Where a line ends is the name of the place after
//! it: a client says that number, and gets what follows.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::message::Message;

const FILE: &str = "room.jsonl";

/// The most octets that are read at once, and so the most that a page shows.
const MOST: u64 = 64 * 1024;

/// A message, and the place after it.
pub type Line = (Message, u64);

/// A room that is read. It stays open: the file is never replaced.
pub struct Room {
    file: File,
}

impl Room {
    /// Opens the room in this directory, which is made if nobody has said anything.
    pub fn open(data: &Path) -> io::Result<Room> {
        let path = data.join(FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                OpenOptions::new().append(true).create(true).open(&path)?;
                File::open(&path)?
            }
            file => file?,
        };
        Ok(Room { file })
    }

    /// Says something.
    pub fn say(data: &Path, message: &Message) -> io::Result<()> {
        let line = serde_json::to_string(message)? + "\n";
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(data.join(FILE))?;
        file.write_all(line.as_bytes())
    }

    /// The messages after a place, and the place after the last of them. Those that
    /// are not there yet, or not whole, are read the next time.
    ///
    /// The place is a client's word: one in the middle of a line means its end, and
    /// one beyond the file, as of another file before it, the beginning.
    pub fn after(&mut self, place: u64) -> io::Result<(Vec<Line>, u64)> {
        let end = self.file.metadata()?.len();
        if place == end {
            return Ok((Vec::new(), place));
        }
        let place = if place > end { 0 } else { place };
        // The end of the line before belongs to it.
        let from = place.saturating_sub(1);
        let mut octets = Vec::new();
        self.file.seek(SeekFrom::Start(from))?;
        (&mut self.file).take(MOST + 1).read_to_end(&mut octets)?;
        let skipped = match place {
            0 => 0,
            _ => octets
                .iter()
                .position(|octet| *octet == b'\n')
                .map_or(octets.len(), |end| end + 1),
        };
        let read = octets.len() as u64;
        let mut place = from + skipped as u64;
        let mut lines = Vec::new();
        for line in octets[skipped..].split_inclusive(|octet| *octet == b'\n') {
            if line.last() != Some(&b'\n') {
                break;
            }
            place += line.len() as u64;
            // Whoever edits the file by hand may leave something else in it.
            if let Ok(message) = serde_json::from_slice(line) {
                lines.push((message, place));
            }
        }
        if place == from + skipped as u64 && read > MOST {
            // No message is so long: what somebody put there is passed over.
            place = from + read;
        }
        Ok((lines, place))
    }

    /// The last messages, and the place after them.
    pub fn last(&mut self) -> io::Result<(Vec<Line>, u64)> {
        let end = self.file.metadata()?.len();
        self.after(end.saturating_sub(MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::{FILE, Room};
    use crate::message::Message;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::Path;
    use std::thread;

    fn say(data: &Path, text: &str) {
        let message = Message {
            name: "Ada".into(),
            text: text.into(),
            time: "2026-11-21T06:37:34Z".into(),
        };
        Room::say(data, &message).expect("it is said");
    }

    fn texts(room: &mut Room, place: u64) -> (Vec<String>, u64) {
        let (lines, place) = room.after(place).expect("it is read");
        (
            lines.into_iter().map(|(message, _)| message.text).collect(),
            place,
        )
    }

    #[test]
    fn who_comes_back_gets_what_follows() {
        let data = tempfile::tempdir().expect("a directory");
        let mut room = Room::open(data.path()).expect("a new room");
        assert_eq!(texts(&mut room, 0), (vec![], 0));
        for text in ["one", "two"] {
            say(data.path(), text);
        }
        let (lines, end) = room.after(0).expect("two");
        assert_eq!(
            lines.iter().map(|line| line.1).collect::<Vec<_>>(),
            [end / 2, end]
        );
        assert_eq!(texts(&mut room, end / 2), (vec!["two".into()], end));
        assert_eq!(texts(&mut room, end), (vec![], end));
        // Places that are none.
        assert_eq!(texts(&mut room, 3), (vec!["two".into()], end));
        assert_eq!(texts(&mut room, end + 7).0, ["one", "two"]);
        assert_eq!(texts(&mut room, u64::MAX).0, ["one", "two"]);
    }

    #[test]
    fn half_a_line_is_read_when_it_is_whole() {
        let data = tempfile::tempdir().expect("a directory");
        say(data.path(), "one");
        let mut room = Room::open(data.path()).expect("a room");
        let (_, end) = texts(&mut room, 0);
        let line = fs::read(data.path().join(FILE)).expect("a line");
        let append = |octets: &[u8]| {
            let file = OpenOptions::new().append(true).open(data.path().join(FILE));
            file.and_then(|mut file| file.write_all(octets))
                .expect("it is written");
        };
        append(&line[..9]);
        assert_eq!(texts(&mut room, end), (vec![], end));
        append(&line[9..]);
        append(b"no message\n");
        let (said, place) = texts(&mut room, end);
        assert_eq!((said.len(), place), (1, end * 2 + 11));
        // A line that is too long hides nothing.
        append(&[b'x'; 200_000]);
        append(b"\n");
        say(data.path(), "after");
        let (mut said, mut place) = (Vec::new(), place);
        while said.is_empty() {
            (said, place) = texts(&mut room, place);
        }
        assert_eq!(
            (said, place),
            (vec!["after".into()], end * 2 + 11 + 200_001 + end + 2)
        );
    }

    #[test]
    fn a_long_room_is_read_piece_by_piece() {
        let data = tempfile::tempdir().expect("a directory");
        let long = "x".repeat(400);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| say(data.path(), &long)));
            }
        });
        let mut room = Room::open(data.path()).expect("a room");
        let (mut said, mut place) = (0, 0);
        loop {
            let (texts, next) = texts(&mut room, place);
            if texts.is_empty() {
                break;
            }
            assert!(texts.iter().all(|text| *text == long));
            said += texts.len();
            place = next;
        }
        assert_eq!(said, 400);
        let (last, end) = room.last().expect("the last");
        assert!(last.len() > 100 && end == place);
    }
}
