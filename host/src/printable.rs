//! Text that a stranger wrote, as it may stand in a log, on a terminal or on a page: of one line,
//! no longer than it may be, and with nothing in it that moves a cursor.

use std::fmt::{self, Write as _};

/// What stands where text was cut off.
const CUT: &str = "…";
/// The most bytes of a name in a list of names.
const NAME: usize = 200;

/// Appends `text` with every character that could forge or hide a line made
/// visible: controls (ESC and the newlines among them) and the Unicode marks
/// that reorder text.
pub fn escape_into(line: &mut Vec<u8>, text: &str) {
    // A vector takes all that is written.
    let _ = escape(text, |piece| {
        line.extend_from_slice(piece.as_bytes());
        Ok(())
    });
}

/// Returns `text` escaped as [`escape_into`] does.
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let _ = escape(text, |piece| line.write_str(piece));
    line
}

/// Returns `text` escaped, and cut off where it would have more than `most` bytes.
pub fn cut(text: &str, most: usize) -> String {
    let mut short = Bounded::new(most);
    let _ = escape(text, |piece| short.write_str(piece));
    short.finish()
}

/// Returns up to `most` of `names`, escaped and short, and how many more there are.
pub fn list<'a>(names: impl ExactSizeIterator<Item = &'a String>, most: usize) -> String {
    let left_out = names.len().saturating_sub(most);
    let shown: Vec<String> = names.take(most).map(|it| cut(it, NAME)).collect();
    match left_out {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns a JSON document in which the characters that [`escape_into`] escapes are escaped as
/// JSON escapes them. serde_json leaves those from U+007F on as they are, and a terminal may not.
pub fn json(document: String) -> String {
    if !document.chars().any(must_be_seen_in_json) {
        return document;
    }
    let mut plain = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        match must_be_seen_in_json(c) {
            // All of them are in the basic plane.
            true => {
                let _ = write!(plain, "\\u{:04x}", c as u32);
            }
            false => plain.push(c),
        }
    }
    plain
}

/// Whether `c` is in a JSON document only as a part of text, and is to be seen there. Blanks
/// between tokens are not, and the other controls serde_json escapes itself.
fn must_be_seen_in_json(c: char) -> bool {
    c >= '\u{7f}' && is_unseen(c)
}

/// Whether `c` is seen only by what it does to what is around it.
fn is_unseen(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || reorders
}

/// Writes `text` in pieces, each of which is whole: plain text, or one escape.
fn escape(text: &str, mut write: impl FnMut(&str) -> fmt::Result) -> fmt::Result {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        if is_unseen(c) {
            write(&text[plain..at])?;
            write(&c.escape_default().to_string())?;
            plain = at + c.len_utf8();
        }
    }
    write(&text[plain..])
}

/// Text in the making that has a bound. Beyond it writing fails, so that whatever writes stops.
#[derive(Debug)]
pub struct Bounded {
    text: String,
    most: usize,
    is_cut: bool,
}

impl Bounded {
    /// Creates one that takes up to `most` bytes.
    pub fn new(most: usize) -> Self {
        Bounded {
            text: String::new(),
            most,
            is_cut: false,
        }
    }

    /// Whether it was given more than it takes.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Returns what was written, with a mark at its end if there was more.
    pub fn finish(mut self) -> String {
        if self.is_cut {
            self.text.push_str(CUT);
        }
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let room = self.most.saturating_sub(self.text.len());
        let fits = piece.floor_char_boundary(room);
        self.text.push_str(&piece[..fits]);
        self.is_cut = fits < piece.len();
        match self.is_cut {
            true => Err(fmt::Error),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_made_visible() {
        let text = "a\r\nb\u{1b}[31mé\u{9b}\u{202e}\tz";
        let plain = "a\\r\\nb\\u{1b}[31mé\\u{9b}\\u{202e}\tz";
        assert_eq!(escaped(text), plain);
        let mut line = Vec::new();
        escape_into(&mut line, text);
        assert_eq!(line, plain.as_bytes());
    }

    #[test]
    fn a_json_document_says_the_same() {
        let text = "a\r\n\"\u{1b}\u{7f}\u{9b}\u{202e}é";
        let document = json(serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!document.contains(['\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}']));
        let read: Vec<String> = serde_json::from_str(&document).unwrap();
        assert_eq!(read, [text]);
    }

    #[test]
    fn a_list_has_an_end() {
        let names = ["a\n".to_owned(), "b".repeat(1000), "c".into()];
        assert_eq!(list(names[..1].iter(), 2), "a\\n");
        let shown = list(names.iter(), 2);
        assert!(
            shown.ends_with("b… and 1 more") && shown.len() < 300,
            "{shown}"
        );
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "longe…");
        assert_eq!(cut("aéé", 4), "aé…");
        assert_eq!(cut(&"\u{1b}".repeat(1 << 20), 64).len(), 64 + CUT.len());
    }
}
