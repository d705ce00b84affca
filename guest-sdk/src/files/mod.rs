//! Files of lent directories as answers.
//!
//! [`File`] is one file, [`Files`] the files of a directory by their names. A
//! component reads the directories that its host lends it, under the paths that
//! the host gives them.

mod directory;
mod file;
mod name;

pub use directory::Files;
pub use file::File;
