//! The blocks of fields of an HTTP/2 connection (HPACK, RFC 7541), as far as it takes to find
//! bytes in `:path` that h2 has another view of.
//!
//! A target has no fragment (RFC 9113, section 8.3.1), but h2 takes one off without a word,
//! and the request is answered as another. So what is read on its way to h2 is changed in
//! place: a `#` to a character that no target has and that is as long, upon which h2
//! resets the stream. And h2 resets those with `"`, `<` and their like, which an app is to
//! see as they were sent: they are [blanked](blank), and the path is kept aside.
//!
//! To know which strings are paths, the table that client and server keep is followed, by
//! the names and lengths of its entries; of what they say only such a path is kept.

mod blank;
mod huffman;

use blank::blanked;
use huffman::Symbol;
use std::collections::VecDeque;
use std::sync::Arc;

/// What the table may hold until the server says otherwise, which it does not (RFC 9113,
/// section 6.5.2).
const TABLE: u64 = 4096;

/// What an entry counts for beside its strings (RFC 7541, section 4.1).
const ENTRY: u64 = 32;

/// The lengths of the names of the static table (RFC 7541, appendix A), from index 1 on.
const NAMES: [u8; 61] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14,
    16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10,
    25, 17, 10, 4, 3, 16,
];

const PATH: &[u8] = b":path";

/// Follows blocks of fields.
#[derive(Debug)]
pub struct Fields {
    table: VecDeque<Entry>,
    /// What the entries count for together, and at most.
    size: u64,
    most: u64,
    at: At,
    /// The number that is being read, and by how much its next part is shifted.
    number: u64,
    shift: u32,
    /// Whether the field is entered in the table.
    is_kept: bool,
    name: Name,
    text: Text,
    /// The path of this field as it was sent, if it was blanked.
    odd: Option<Arc<[u8]>>,
    /// That of the block.
    odd_path: Option<Arc<[u8]>>,
}

/// A field in the table.
#[derive(Debug, Clone)]
struct Entry {
    name: Name,
    size: u64,
    odd: Option<Arc<[u8]>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Name {
    length: u64,
    is_path: bool,
}

/// A string that is being read.
#[derive(Debug, Clone, Copy, Default)]
struct Text {
    is_huffman: bool,
    /// How many bytes are to come.
    left: u64,
    /// How many it has, decoded, so far.
    length: u64,
    symbol: Symbol,
    /// Whether it has been `:path` so far.
    is_path: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a field.
    Field,
    /// In the number of an entry that is a whole field.
    Index,
    /// In the number of an entry that has the name of a field.
    NameIndex,
    /// In a new size for the table.
    Size,
    /// Before a string, and in its length.
    Begin(Part),
    Length(Part),
    Text(Part),
    /// Nothing here can be followed. h2 ends the connection.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Value,
}

impl Default for Fields {
    fn default() -> Self {
        Fields {
            table: VecDeque::new(),
            size: 0,
            most: TABLE,
            at: At::Field,
            number: 0,
            shift: 0,
            is_kept: false,
            name: Name::default(),
            text: Text::default(),
            odd: None,
            odd_path: None,
        }
    }
}

impl Fields {
    /// A block begins.
    pub fn begin(&mut self) {
        self.odd_path = None;
        if self.at != At::Broken {
            self.at = At::Field;
        }
    }

    /// The path of the block that has ended, as it was sent, if it was blanked.
    pub fn take_odd_path(&mut self) -> Option<Arc<[u8]>> {
        self.odd_path.take()
    }

    /// Follows what comes next of the block, and changes what of it h2 is not to have. A path
    /// is blanked only if it comes in one piece.
    pub fn read(&mut self, mut octets: &mut [u8]) {
        while !octets.is_empty() {
            let done = match self.at {
                At::Broken => return,
                At::Text(part) => self.text(part, octets),
                _ => {
                    self.step(octets[0]);
                    1
                }
            };
            octets = &mut octets[done..];
        }
    }

    /// A byte outside of strings.
    fn step(&mut self, octet: u8) {
        match self.at {
            At::Field => {
                let (at, bits) = match octet {
                    0x80.. => (At::Index, 7),
                    0x40.. => (At::NameIndex, 6),
                    0x20.. => (At::Size, 5),
                    _ => (At::NameIndex, 4),
                };
                self.is_kept = octet & 0xc0 == 0x40;
                self.at = at;
                self.prefix(octet, bits);
            }
            At::Begin(part) => {
                self.text = Text {
                    is_huffman: octet & 0x80 != 0,
                    is_path: true,
                    ..Text::default()
                };
                self.at = At::Length(part);
                self.prefix(octet, 7);
            }
            _ => {
                let part = u64::from(octet & 0x7f);
                // One that does not fit is of no string or table here.
                if self.shift > 56 {
                    self.at = At::Broken;
                    return;
                }
                self.number += part << self.shift;
                self.shift += 7;
                if octet & 0x80 == 0 {
                    self.number_read();
                }
            }
        }
    }

    /// The first byte of a number, which has so many bits of it (RFC 7541, section 5.1).
    fn prefix(&mut self, octet: u8, bits: u32) {
        let most = (1_u8 << bits) - 1;
        (self.number, self.shift) = (u64::from(octet & most), 0);
        if octet & most < most {
            self.number_read();
        }
    }

    fn number_read(&mut self) {
        self.at = match self.at {
            At::Index => {
                let odd = self.entry(self.number).and_then(|entry| entry.odd.clone());
                self.odd_path = odd.or(self.odd_path.take());
                At::Field
            }
            At::Size => {
                self.most = self.number.min(TABLE);
                self.make_room(0);
                At::Field
            }
            At::NameIndex if self.number == 0 => At::Begin(Part::Name),
            At::NameIndex => match self.named(self.number) {
                Some(name) => {
                    self.name = name;
                    At::Begin(Part::Value)
                }
                None => At::Broken,
            },
            At::Length(part) => {
                self.text.left = self.number;
                match self.number {
                    0 => self.text_read(part),
                    _ => At::Text(part),
                }
            }
            at => at,
        };
    }

    /// Some of a string. Returns how many of the bytes are of it.
    fn text(&mut self, part: Part, octets: &mut [u8]) -> usize {
        let length = octets
            .len()
            .min(usize::try_from(self.text.left).unwrap_or(usize::MAX));
        let octets = &mut octets[..length];
        let is_path = part == Part::Value && self.name.is_path;
        let text = &mut self.text;
        // The length is the last number that was read.
        let is_whole = text.left == self.number && text.left == length as u64;
        let mut decoded = Vec::new();
        let matters = is_path || part == Part::Name;
        match text.is_huffman {
            // Whether it counts or not, how long it is is all there is to know of it.
            false if !matters => text.length += length as u64,
            false => {
                for octet in octets.iter_mut() {
                    if is_path && *octet == b'#' {
                        *octet = b' ';
                    }
                    text.push(u16::from(*octet));
                }
            }
            true if !matters && !self.is_kept => {}
            true => {
                for octet in octets.iter_mut() {
                    for bit in (0..8).rev() {
                        let Some(symbol) = text.symbol.bit(*octet >> bit & 1) else {
                            continue;
                        };
                        text.push(symbol);
                        if is_path && is_whole {
                            decoded.extend(u8::try_from(symbol));
                        }
                        // The code of `>` is that of `#` but for its last bit.
                        if is_path && symbol == u16::from(b'#') {
                            *octet ^= 1 << bit;
                        }
                    }
                }
            }
        }
        if is_path && is_whole {
            let sent = if text.is_huffman { &decoded } else { &*octets };
            if let Some(blanked) = blanked(sent, text.is_huffman, length) {
                self.odd = Some(sent.into());
                octets.copy_from_slice(&blanked);
            }
        }
        text.left -= length as u64;
        if text.left == 0 {
            self.at = self.text_read(part);
        }
        length
    }

    fn text_read(&mut self, part: Part) -> At {
        let Text {
            length, is_path, ..
        } = self.text;
        if part == Part::Name {
            let is_path = is_path && length == PATH.len() as u64;
            self.name = Name { length, is_path };
            return At::Begin(Part::Value);
        }
        let odd = self.odd.take();
        self.odd_path = odd.clone().or(self.odd_path.take());
        if self.is_kept {
            let size = self.name.length + length + ENTRY;
            self.make_room(size);
            // One larger than the table empties it, and is not in it.
            if size <= self.most {
                self.size += size;
                let name = self.name;
                self.table.push_front(Entry { name, size, odd });
            }
        }
        At::Field
    }

    /// Lets go of the oldest entries until there is room for `size`.
    fn make_room(&mut self, size: u64) {
        while self.size + size > self.most {
            let Some(oldest) = self.table.pop_back() else {
                return;
            };
            self.size -= oldest.size;
        }
    }

    /// The name of an entry, of both tables.
    fn named(&self, index: u64) -> Option<Name> {
        let index = usize::try_from(index).ok()?.checked_sub(1)?;
        match NAMES.get(index) {
            Some(&length) => Some(Name {
                length: length.into(),
                is_path: matches!(index, 3 | 4),
            }),
            None => self.table.get(index - NAMES.len()).map(|entry| entry.name),
        }
    }

    /// An entry of the table that client and server keep.
    fn entry(&self, index: u64) -> Option<&Entry> {
        let index = usize::try_from(index).ok()?;
        self.table.get(index.checked_sub(NAMES.len() + 1)?)
    }
}

impl Text {
    /// Another byte of it, decoded.
    fn push(&mut self, symbol: u16) {
        let expected = usize::try_from(self.length)
            .ok()
            .and_then(|at| PATH.get(at));
        self.is_path &= expected.is_some_and(|&expected| u16::from(expected) == symbol);
        self.length += 1;
    }
}

#[cfg(test)]
mod tests;
