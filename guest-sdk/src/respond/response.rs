//! [`Response`]: status, fields and a body.

use std::borrow::Cow;
use std::fmt;
use std::io;

#[cfg(feature = "cookies")]
use crate::respond::cookie::Cookie;
use crate::respond::fields::{Field, Fields, HeaderValue};
use crate::respond::writer::Writer;
use crate::status::Status;

/// A response.
///
/// ```
/// use rhost_sdk::{Response, Status};
///
/// let response = Response::new(Status::CREATED)
///     .header("location", "/notes/7")
///     .header("content-type", "text/csv; charset=utf-8")
///     .body("id,text\n7,milk\n");
/// # assert_eq!(response.status(), 201);
/// ```
pub struct Response {
    status: Status,
    fields: Vec<Field>,
    /// Cookies to set: what the request decides about them is not known yet.
    #[cfg(feature = "cookies")]
    pub(super) cookies: Vec<Cookie>,
    payload: Payload,
    /// Whether the body is the line of a rejection or an error, for which a site
    /// may have a page.
    is_line: bool,
}

/// The body of a response.
pub(crate) enum Payload {
    /// Octets that go out at once, so that the server knows their number.
    Sized(Cow<'static, [u8]>),
    /// Blocks that are made while they are sent.
    Stream(Box<Write>),
}

/// What makes the blocks.
type Write = dyn FnOnce(&mut Writer<'_>) -> io::Result<()>;

impl Response {
    /// A response with this status, without fields and without a body.
    #[must_use]
    pub fn new(status: Status) -> Response {
        Response {
            status,
            fields: Vec::new(),
            #[cfg(feature = "cookies")]
            cookies: Vec::new(),
            payload: Payload::Sized(Cow::Borrowed(&[])),
            is_line: false,
        }
    }

    /// Adds a field. One of the same name stays.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<HeaderValue>,
    ) -> Response {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Sets fields, in place of those of the same names.
    #[must_use]
    pub fn with_headers(mut self, fields: impl Fields) -> Response {
        let fields: Vec<Field> = fields.into_fields().collect();
        self.fields.retain(|(name, _)| {
            !fields
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        });
        self.fields.extend(fields);
        self
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: Status) -> Response {
        self.status = status;
        self
    }

    /// Sets the body to these octets. Their type is yours to say; the server
    /// adds Content-Length.
    #[must_use]
    pub fn body(mut self, body: impl IntoBody) -> Response {
        self.payload = Payload::Sized(body.into_body());
        self.is_line = false;
        self
    }

    /// Sets the body to what `write` writes, block by block. It runs when the
    /// handler has returned. Its error cuts the response.
    #[must_use]
    pub fn stream(
        mut self,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<()> + 'static,
    ) -> Response {
        self.payload = Payload::Stream(Box::new(write));
        self.is_line = false;
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The fields, as name and value, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (&**name, value.as_bytes()))
    }

    /// Says that the body is the line of a rejection or an error.
    pub(crate) fn marked_as_line(mut self) -> Response {
        self.is_line = true;
        self
    }

    /// The line of a rejection or an error, without its end, if that is what
    /// the body is.
    pub(crate) fn line(&self) -> Option<&str> {
        match &self.payload {
            Payload::Sized(octets) if self.is_line => std::str::from_utf8(octets)
                .ok()
                .map(|line| line.strip_suffix('\n').unwrap_or(line)),
            _ => None,
        }
    }

    /// Puts a page in the place of the body. The fields stay but for those of
    /// the page, and so does the status, unless the page has one of its own.
    pub(crate) fn with_page(mut self, page: Response) -> Response {
        self.fields
            .retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        let status = match page.status {
            Status::OK => self.status,
            other => other,
        };
        #[cfg(feature = "cookies")]
        self.cookies.extend(page.cookies);
        let mut response = self.with_headers(page.fields).with_status(status);
        response.payload = page.payload;
        response.is_line = false;
        response
    }

    /// Takes the octets of a body out, if it is whole.
    #[cfg(feature = "conditional")]
    pub(crate) fn take_octets(&mut self) -> Option<Cow<'static, [u8]>> {
        match &mut self.payload {
            Payload::Sized(octets) => Some(std::mem::take(octets)),
            Payload::Stream(_) => None,
        }
    }

    pub(crate) fn into_parts(self) -> (Status, Vec<Field>, Payload) {
        (self.status, self.fields, self.payload)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = match &self.payload {
            Payload::Sized(octets) => Some(octets.len()),
            Payload::Stream(_) => None,
        };
        out.debug_struct("Response")
            .field("status", &self.status)
            .field("fields", &self.fields)
            .field("length", &length)
            .finish()
    }
}

/// Octets for the body of a [`Response`].
pub trait IntoBody {
    /// The octets.
    fn into_body(self) -> Cow<'static, [u8]>;
}

impl IntoBody for &'static str {
    fn into_body(self) -> Cow<'static, [u8]> {
        self.as_bytes().into()
    }
}

impl IntoBody for String {
    fn into_body(self) -> Cow<'static, [u8]> {
        self.into_bytes().into()
    }
}

impl IntoBody for Cow<'static, str> {
    fn into_body(self) -> Cow<'static, [u8]> {
        match self {
            Cow::Borrowed(text) => text.into_body(),
            Cow::Owned(text) => text.into_body(),
        }
    }
}

impl IntoBody for &'static [u8] {
    fn into_body(self) -> Cow<'static, [u8]> {
        self.into()
    }
}

impl<const COUNT: usize> IntoBody for &'static [u8; COUNT] {
    fn into_body(self) -> Cow<'static, [u8]> {
        self.as_slice().into()
    }
}

impl IntoBody for Vec<u8> {
    fn into_body(self) -> Cow<'static, [u8]> {
        self.into()
    }
}

impl IntoBody for Cow<'static, [u8]> {
    fn into_body(self) -> Cow<'static, [u8]> {
        self
    }
}
