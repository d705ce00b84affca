//! Where in its code a guest was.
//!
//! All that a backtrace says is a stranger's word: names, files and their number. So names are
//! demangled within bounds, what is shown has control characters escaped, and a backtrace has an end.

mod demangle;

pub use demangle::function_name;

use crate::printable::cut;
use demangle::Demangler;
use std::fmt;

/// The most frames of one backtrace; what the compiler inlined counts.
const FRAMES: usize = 64;
/// The most bytes that names and files of one backtrace have together.
const BYTES: usize = 16 << 10;
/// The most bytes of a file's path.
const FILE_BYTES: usize = 512;

/// The calls that were under way, innermost first.
#[derive(Debug, Clone, Default)]
pub struct Backtrace {
    /// The innermost frames.
    pub frames: Vec<Frame>,
    /// How many more there were.
    pub left_out: usize,
}

/// One call. What the compiler inlined is a frame of its own.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The function, demangled.
    pub function: String,
    /// Where in the source; known only for components that were built with line
    /// tables, in development.
    pub place: Option<Place>,
}

/// A place in a source file, as the guest's compiler wrote it down. It is the
/// guest's word: never open the file for that alone.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: Option<u32>,
}

/// One call, as a component says it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The function's name, if it has one.
    pub name: Option<&'a str>,
    /// The function's number.
    pub index: u32,
    /// The file, the line and the column.
    pub place: Option<(&'a str, u32, Option<u32>)>,
}

impl Backtrace {
    /// Creates the backtrace of `calls`, innermost first.
    pub fn of<'a>(calls: impl IntoIterator<Item = Call<'a>>) -> Self {
        let mut demangler = Demangler::default();
        let mut backtrace = Backtrace::default();
        let mut bytes = 0;
        for call in calls {
            if backtrace.frames.len() == FRAMES || bytes >= BYTES {
                backtrace.left_out += 1;
                continue;
            }
            let function = match call.name {
                Some(name) => demangler.name(name),
                None => format!("function {}", call.index),
            };
            let place = call.place.map(|(file, line, column)| Place {
                file: cut(file, FILE_BYTES),
                line,
                column: column.filter(|column| *column > 0),
            });
            bytes += function.len() + place.as_ref().map_or(0, |place| place.file.len());
            backtrace.frames.push(Frame { function, place });
        }
        backtrace
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

impl fmt::Display for Backtrace {
    /// As Rust's own programs show theirs; a line for each frame, and one for its
    /// place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, Frame { function, place }) in self.frames.iter().enumerate() {
            let end = if depth == 0 { "" } else { "\n" };
            write!(f, "{end}{depth:>4}: {function}")?;
            if let Some(place) = place {
                write!(f, "\n             at {place}")?;
            }
        }
        match self.left_out {
            0 => Ok(()),
            left_out => write!(f, "\n      and {left_out} frames more"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.column {
            Some(column) => write!(f, ":{column}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(name: &'a str, file: &'a str) -> Call<'a> {
        Call {
            name: Some(name),
            index: 7,
            place: Some((file, 1, Some(0))),
        }
    }

    #[test]
    fn it_has_an_end() {
        let many = Backtrace::of(std::iter::repeat_n(call("f", "f.c"), 1000));
        assert_eq!((many.frames.len(), many.left_out), (FRAMES, 1000 - FRAMES));
        assert!(many.to_string().ends_with("\n      and 936 frames more"));
        let long = "x".repeat(1 << 20);
        let long = Backtrace::of(std::iter::repeat_n(call(&long, &long), 64));
        assert!(long.left_out > 0);
        assert!(long.to_string().len() < 2 * BYTES);
    }

    #[test]
    fn a_frame_is_a_line_and_so_is_its_place() {
        let forged = "f\nT app 0 rhost: forged\r\u{1b}[2J\u{202e}";
        let text = Backtrace::of([call(forged, forged)]).to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{202e}']), "{text}");
        let unnamed = Call {
            name: None,
            place: None,
            ..call("", "")
        };
        assert_eq!(Backtrace::of([unnamed]).to_string(), "   0: function 7");
    }
}
