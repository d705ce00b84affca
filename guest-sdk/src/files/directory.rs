//! [`Files`]: the files of a directory.

use std::path::Path;

use crate::conditional::Conditions;
use crate::files::file::File;
use crate::files::name::is_below;
use crate::rejection::Rejection;
use crate::respond::{Responder, Response};

/// The files below a directory that the host lends, by their names.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// const FILES: Files = Files::in_dir("/data").index("index.html");
///
/// #[get("/files/{name}")]
/// fn file(name: String, conditions: Conditions<'_>) -> Response {
///     FILES.serve(&name, conditions.header("cache-control", "max-age=3600"))
/// }
///
/// app!(file);
/// # assert_eq!(rhost_sdk::testing::get(&APP, "/files/..").send().status(), 404);
/// ```
///
/// A name is a path with slashes, decoded, as an argument of a handler is. It
/// never leads out of the directory: `..`, a slash at the beginning, backslashes
/// and NUL are no names, nor is what begins with a dot, as `.env` and `.git`.
/// Symbolic links are the host's to follow or to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files<'d> {
    directory: &'d str,
    index: Option<&'d str>,
}

impl<'d> Files<'d> {
    /// The files below this directory. Nothing is opened before it is asked for.
    #[must_use]
    pub const fn in_dir(directory: &'d str) -> Files<'d> {
        Files {
            directory,
            index: None,
        }
    }

    /// Answers the directory, and each below it, with its file of this name,
    /// where the name ends with a slash or is empty. Without an index they are
    /// 404.
    #[must_use]
    pub const fn index(self, index: &'d str) -> Files<'d> {
        Files {
            index: Some(index),
            ..self
        }
    }

    /// The file of this name.
    ///
    /// # Errors
    ///
    /// 404 where there is none, for a directory, and for what is no name; 500,
    /// and the log says why, where it cannot be read.
    pub fn open(&self, name: &str) -> Result<File, Rejection> {
        let with_index;
        let name = match self.index {
            Some(index) if name.is_empty() || name.ends_with('/') => {
                with_index = format!("{name}{index}");
                &with_index
            }
            _ => name,
        };
        if !is_below(name) {
            return Err(Rejection::not_found());
        }
        File::open(Path::new(self.directory).join(name))
    }

    /// Answers the file of this name, see [`File::answer`]; or the rejection of
    /// [`open`](Files::open).
    pub fn serve(&self, name: &str, conditions: Conditions<'_>) -> Response {
        match self.open(name) {
            Ok(file) => file.answer(conditions),
            Err(rejection) => rejection.respond(),
        }
    }
}
