//! Where in its code a guest was.

use std::fmt;

/// The calls that were under way, innermost first.
#[derive(Debug, Clone, Default)]
pub struct Backtrace(pub Vec<Frame>);

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

impl fmt::Display for Backtrace {
    /// As Rust's own programs show theirs; a line for each frame, and one for its
    /// place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, Frame { function, place }) in self.0.iter().enumerate() {
            let end = if depth == 0 { "" } else { "\n" };
            write!(f, "{end}{depth:>4}: {function}")?;
            if let Some(place) = place {
                write!(f, "\n             at {place}")?;
            }
        }
        Ok(())
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
