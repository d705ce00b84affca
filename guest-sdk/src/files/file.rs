//! [`File`]: a file, sent in blocks.

use std::borrow::Cow;
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::conditional::{Conditions, ETag, Validators};
use crate::rejection::Rejection;
use crate::respond::{Responder, Response, Writer, disposition};
use crate::status::Status;

/// The most octets of a file that are held at once.
const BLOCK: u64 = 64 * 1024;

/// A file as an answer: 200, with its length, the time of its last change, and
/// the media type that its extension stands for.
///
/// It is read while it is sent, in blocks of 64 KiB, and not at all for HEAD. To
/// answer conditions and ranges too, see [`answer`](File::answer).
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/report")]
/// fn report(conditions: Conditions<'_>) -> Result<Response> {
///     let file = File::open("/data/report.csv")?;
///     Ok(file.download("report 2026.csv").answer(conditions))
/// }
///
/// app!(report);
/// # assert_eq!(rhost_sdk::testing::get(&APP, "/report").send().status(), 404);
/// ```
#[derive(Debug)]
pub struct File {
    file: fs::File,
    length: u64,
    modified: Option<SystemTime>,
    etag: Option<ETag>,
    content_type: Cow<'static, str>,
    disposition: Option<String>,
}

impl File {
    /// Opens a file to be sent. The path is yours; for one of a client's, see
    /// [`Files`](crate::Files).
    ///
    /// # Errors
    ///
    /// 404 where there is none, or something else than a file, as a directory;
    /// or where the host refuses it, and then the log says so. 500 for what else
    /// fails.
    pub fn open(path: impl AsRef<Path>) -> Result<File, Rejection> {
        fn open(path: &Path) -> Result<File, Rejection> {
            let file = fs::File::open(path).map_err(reject)?;
            let metadata = file.metadata().map_err(reject)?;
            if !metadata.is_file() {
                return Err(Rejection::not_found());
            }
            Ok(File {
                file,
                length: metadata.len(),
                modified: metadata.modified().ok(),
                etag: None,
                content_type: content_type(path),
                disposition: None,
            })
        }
        open(path.as_ref())
    }

    /// Sets the media type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<Cow<'static, str>>) -> File {
        self.content_type = content_type.into();
        self
    }

    /// Makes the client save the file under this name, instead of showing it;
    /// see [`Attachment`](crate::Attachment).
    #[must_use]
    pub fn download(mut self, name: &str) -> File {
        self.disposition = Some(disposition(name));
        self
    }

    /// Sets the ETag, in place of the one that is made of the file's time. Where
    /// every file has the same time, as in images that are built to be
    /// reproducible, that one would not tell two versions of a length apart.
    #[must_use]
    pub fn etag(mut self, etag: ETag) -> File {
        self.etag = Some(etag);
        self
    }

    /// The length in octets.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Answers what the conditions ask for: 200, or 206 with a part, 304, 412 or
    /// 416.
    ///
    /// The ETag is made of the length and the time of the last change. It is
    /// weak, since a file can change twice in one tick of its clock, so that a
    /// download is taken up again (If-Range) by its date.
    pub fn answer(self, conditions: Conditions<'_>) -> Response {
        conditions.part(self.validators(), self.length, |octets| self.octets(octets))
    }

    fn validators(&self) -> Validators {
        // A time before 1970 is no file's: a clock was wrong, or there was none.
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
        match (&self.etag, self.modified.zip(self.modified.and_then(since))) {
            (Some(tag), Some((modified, _))) => (tag.clone(), modified).into(),
            (Some(tag), None) => tag.clone().into(),
            (None, Some((modified, age))) => {
                let tag = ETag::weak(format!("{:x}-{:x}", age.as_nanos(), self.length));
                (tag, modified).into()
            }
            (None, None) => Validators::UNKNOWN,
        }
    }

    fn octets(self, octets: Range<u64>) -> Response {
        let mut response = Response::new(Status::OK).header("content-type", self.content_type);
        if let Some(disposition) = self.disposition {
            response = response.header("content-disposition", disposition);
        }
        let file = self.file;
        response.stream(move |out| copy(file, octets, out))
    }
}

impl Responder for File {
    fn respond(self) -> Response {
        let (validators, length) = (self.validators(), self.length);
        validators
            .add_to(self.octets(0..length))
            .header("content-length", length)
    }
}

/// Sends a part of a file. One that has become shorter cuts the answer: its
/// length is announced.
fn copy(mut file: fs::File, octets: Range<u64>, out: &mut Writer<'_>) -> io::Result<()> {
    if octets.start > 0 {
        file.seek(SeekFrom::Start(octets.start))?;
    }
    let mut left = octets.end - octets.start;
    let mut block = vec![0; left.min(BLOCK) as usize];
    while left > 0 {
        let block = &mut block[..left.min(BLOCK) as usize];
        file.read_exact(block)?;
        out.send(block)?;
        left -= block.len() as u64;
    }
    Ok(())
}

/// By the extension; text is taken to be UTF-8.
fn content_type(path: &Path) -> Cow<'static, str> {
    match mime_guess::from_path(path).first_raw() {
        None => "application/octet-stream".into(),
        Some(kind) if kind.starts_with("text/") => format!("{kind}; charset=utf-8").into(),
        Some(kind) => kind.into(),
    }
}

fn reject(error: io::Error) -> Rejection {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => Rejection::not_found(),
        // What is there is not the client's to know.
        ErrorKind::PermissionDenied => Rejection::not_found().because(error),
        _ => Rejection::new(
            Status::INTERNAL_SERVER_ERROR,
            Status::INTERNAL_SERVER_ERROR.reason(),
        )
        .because(error),
    }
}
