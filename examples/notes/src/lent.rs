//! What the host has to lend: a directory, and a key for the session.

use std::env;
use std::io::{self, ErrorKind};
use std::path::Path;

use rhost_sdk::prelude::*;

use crate::errors;
use crate::media::Media;
use crate::pages::{self, Setup};

/// Where the directory is.
pub const DATA: &str = "/data";

/// The fewest octets of a key that the session takes.
const FEWEST: usize = 32;

/// Goes on if everything is there, and otherwise says what to add to the command.
pub fn complete(request: &Request) -> Result<(), Response> {
    let setup = Setup {
        directory: Path::new(DATA).is_dir(),
        key: env::var("SECRET_KEY").is_ok_and(|key| key.len() >= FEWEST),
    };
    if setup.directory && setup.key {
        return Ok(());
    }
    let status = Status::SERVICE_UNAVAILABLE;
    Err(match Media::of(request) {
        Media::Html => pages::html(&setup).with_status(status),
        Media::Json => errors::problem(status, setup.line()),
    })
}

/// An error of a file, for the client: what can be mended on the command line is
/// said.
pub fn failed(error: io::Error) -> Error {
    let text = match error.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "The directory cannot be written: lend it without `:ro`, to a server that may write it"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "The disk is full: make room, and send this again"
        }
        _ => return error.into(),
    };
    Error::new(Status::INTERNAL_SERVER_ERROR, text).because(error)
}
