//! What is wrong with a file.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is served with it.
    Error,
    /// It is most likely not meant.
    Warning,
}

/// One thing that is wrong, in a line: the file and the line, the key, what is wrong
/// with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1 on; none if it is about the file as a whole.
    pub line: Option<usize>,
    /// The key, with its table; empty if it is about none.
    pub key: String,
    /// What is wrong, and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if self.level == Level::Warning {
            f.write_str("warning: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// Errors of a file that are told; of those beyond there is only said how many.
const MOST: usize = 100;

/// All problems of one file, as they are found.
pub(super) struct Problems {
    path: PathBuf,
    /// Where each line begins, in octets.
    lines: Vec<usize>,
    found: Vec<Problem>,
    /// How many errors there are.
    errors: usize,
}

impl Problems {
    /// Of a file that may not be readable.
    pub(super) fn of(path: &Path) -> Self {
        Problems::of_text(path, "")
    }

    /// Of a file that holds `text`.
    pub(super) fn of_text(path: &Path, text: &str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        Problems {
            path: path.to_owned(),
            lines: std::iter::once(0).chain(ends.map(|end| end + 1)).collect(),
            found: Vec::new(),
            errors: 0,
        }
    }

    /// The line in which `span` begins, from 1 on.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.partition_point(|&begin| begin <= span.start)
    }

    /// An error in a line.
    pub(super) fn error(
        &mut self,
        line: Option<usize>,
        key: impl Into<String>,
        text: impl Into<String>,
    ) {
        let (key, text) = (key.into(), text.into());
        self.error_of(line, key, || text);
    }

    /// An error in a line, whose text takes long to find.
    pub(super) fn error_of(
        &mut self,
        line: Option<usize>,
        key: impl Into<String>,
        text: impl FnOnce() -> String,
    ) {
        self.errors += 1;
        if self.errors <= MOST {
            self.push(Level::Error, line, key.into(), text());
        }
    }

    /// A warning about a line.
    pub(super) fn warn(&mut self, line: usize, key: impl Into<String>, text: impl Into<String>) {
        self.push(Level::Warning, Some(line), key.into(), text.into());
    }

    /// The file cannot be read.
    pub(super) fn unreadable(&mut self, error: &io::Error) {
        self.error(None, "", explain(error));
    }

    fn push(&mut self, level: Level, line: Option<usize>, key: String, text: String) {
        self.found.push(Problem {
            level,
            path: self.path.clone(),
            line,
            key,
            text,
        });
    }

    /// Whether there is an error so far.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All, in the order of lines; of too many errors the first that were found.
    pub(super) fn all(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.line);
        if let Some(more @ 1..) = self.errors.checked_sub(MOST) {
            let text = format!("there are {more} more errors; mend these first");
            self.push(Level::Error, None, String::new(), text);
        }
        self.found
    }

    /// The warnings; all as an error if there is an error among them.
    pub(super) fn warnings_or_all(self) -> Result<Vec<Problem>, Vec<Problem>> {
        match self.has_errors() {
            true => Err(self.all()),
            false => Ok(self.all()),
        }
    }
}

/// What the system said, in words.
pub(super) fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::InvalidData => "it is not UTF-8, which TOML has to be".into(),
        _ => error.to_string(),
    }
}
