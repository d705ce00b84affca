//! [`Multipart`]: a form with files.

mod disposition;
mod part;
mod reader;

use std::fmt;

use crate::extract::from_request::{FromRequest, Optional};
use crate::extract::media_type;
use crate::extract::pieces::split;
use crate::extract::whole::{DEFAULT_LIMIT, FromBody};
use crate::gateway::InputError;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;
use disposition::{Disposition, unquote};
pub use part::Part;
use reader::Reader;

/// The most parts of a form.
const MOST_PARTS: usize = 1000;

/// A form that was posted with files (multipart/form-data, RFC 7578), part by
/// part as it arrives. At most one block and the head of one part are held.
///
/// 415 for another type, 400 for one without a boundary. The whole may have
/// [`DEFAULT_LIMIT`] octets; `Limited<{ 64 << 20 }, Multipart>` says otherwise.
/// It may have 1000 parts, and the head of each 8 KiB.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[post("/photos")]
/// fn upload(mut form: Multipart) -> Result<String> {
///     let mut answer = String::new();
///     while let Some(mut part) = form.next_part()? {
///         if part.name() == "title" {
///             answer += &part.text(200)?;
///         } else if let Some(name) = part.safe_filename() {
///             let octets = std::io::copy(&mut part, &mut std::io::sink())?;
///             answer += &format!(": {octets} octets of {name}\n");
///         }
///     }
///     Ok(answer)
/// }
///
/// app!(upload);
/// # let answer = rhost_sdk::testing::post(&APP, "/photos")
/// #     .header("content-type", "multipart/form-data; boundary=x")
/// #     .body("--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nCat\r\n\
/// #            --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"C:\\cat.png\"\r\n\
/// #            Content-Type: image/png\r\n\r\nmeow\r\n--x--\r\n")
/// #     .send();
/// # assert_eq!(answer.text(), "Cat: 4 octets of cat.png\n");
/// ```
pub struct Multipart {
    reader: Reader,
    parts: usize,
}

impl Multipart {
    /// The next part; `None` after the last one. What was not read of the one
    /// before is passed over.
    ///
    /// # Errors
    ///
    /// 400 for a form that is malformed or incomplete, 413 for one that is too
    /// large or has too many parts, 408 for one that did not arrive in time.
    pub fn next_part(&mut self) -> Result<Option<Part<'_>>, Rejection> {
        loop {
            let block = self.reader.data()?.len();
            if block == 0 {
                break;
            }
            self.reader.consume(block);
        }
        if !self.reader.is_part_next()? {
            return Ok(None);
        }
        if self.parts == MOST_PARTS {
            return Err(Rejection::new(
                Status::CONTENT_TOO_LARGE,
                "The form has too many parts",
            ));
        }
        self.parts += 1;
        let disposition = Disposition::parse(self.reader.head()?).map_err(malformed)?;
        Ok(Some(Part::new(&mut self.reader, disposition)))
    }
}

/// The answer to a form that no parser could read.
fn malformed(problem: &'static str) -> Rejection {
    Rejection::new(Status::BAD_REQUEST, "The form is malformed").because(problem)
}

/// The boundary of a form (RFC 2046, section 5.1.1).
fn boundary(content_type: &str) -> Option<String> {
    let boundary = split(content_type, ';').skip(1).find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.eq_ignore_ascii_case("boundary")
            .then(|| unquote(value))
    })??;
    let is_allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&octet);
    let fits = (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_allowed);
    (fits && !boundary.ends_with(' ')).then_some(boundary)
}

impl FromBody for Multipart {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        media_type::require(
            request,
            |essence| essence.eq_ignore_ascii_case("multipart/form-data"),
            "The request's body must be multipart/form-data",
        )?;
        let content_type = request.environ().content_type.as_deref();
        let boundary = boundary(content_type.unwrap_or_default())
            .ok_or_else(|| malformed("its Content-Type has no boundary"))?;
        let body = request.body()?;
        if body.announced_length() > Some(limit as u64) {
            return Err(InputError::TooLarge(limit as u64).into());
        }
        Ok(Multipart {
            reader: Reader::new(body, &boundary, limit),
            parts: 0,
        })
    }
}

impl FromRequest<'_> for Multipart {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Self::from_body(request, DEFAULT_LIMIT)
    }
}

/// Absent: the request has no Content-Type.
impl Optional<'_> for Multipart {
    fn is_absent(request: &Request) -> bool {
        request.environ().content_type.is_none()
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Multipart")
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}
