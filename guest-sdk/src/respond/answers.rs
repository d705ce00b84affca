//! The plain values that are answers.

use std::borrow::Cow;

use crate::error::Error;
use crate::log;
use crate::rejection::Rejection;
use crate::respond::fields::Fields;
use crate::respond::responder::Responder;
use crate::respond::response::{IntoBody, Response};
use crate::status::Status;

const TEXT: &str = "text/plain; charset=utf-8";

fn typed(content_type: &'static str, body: impl IntoBody) -> Response {
    Response::new(Status::OK)
        .header("content-type", content_type)
        .body(body)
}

macro_rules! typed {
    ($($ty:ty => $content_type:expr,)*) => {$(
        impl Responder for $ty {
            fn respond(self) -> Response {
                typed($content_type, self)
            }
        }
    )*};
}

typed! {
    &'static str => TEXT,
    String => TEXT,
    Cow<'static, str> => TEXT,
    &'static [u8] => "application/octet-stream",
    Vec<u8> => "application/octet-stream",
}

impl<const COUNT: usize> Responder for &'static [u8; COUNT] {
    fn respond(self) -> Response {
        self.as_slice().respond()
    }
}

impl Responder for Response {
    fn respond(self) -> Response {
        self
    }
}

/// 204.
impl Responder for () {
    fn respond(self) -> Response {
        Response::new(Status::NO_CONTENT)
    }
}

/// The status alone, without a body.
impl Responder for Status {
    fn respond(self) -> Response {
        Response::new(self)
    }
}

impl<R: Responder> Responder for (Status, R) {
    fn respond(self) -> Response {
        self.1.respond().with_status(self.0)
    }
}

impl<const COUNT: usize, N, V, R: Responder> Responder for ([(N, V); COUNT], R)
where
    [(N, V); COUNT]: Fields,
{
    fn respond(self) -> Response {
        self.1.respond().with_headers(self.0)
    }
}

impl<F: Fields, R: Responder> Responder for (Status, F, R) {
    fn respond(self) -> Response {
        self.2.respond().with_headers(self.1).with_status(self.0)
    }
}

/// 404 for `None`.
impl<R: Responder> Responder for Option<R> {
    fn respond(self) -> Response {
        match self {
            Some(answer) => answer.respond(),
            None => Rejection::not_found().respond(),
        }
    }
}

impl<R: Responder, E: Responder> Responder for Result<R, E> {
    fn respond(self) -> Response {
        match self {
            Ok(answer) => answer.respond(),
            Err(error) => error.respond(),
        }
    }
}

/// The text as a line, and a line for each field; the cause goes to the log.
impl Responder for Rejection {
    fn respond(self) -> Response {
        let (status, text, cause) = self.into_parts();
        page(status, text, cause)
    }
}

/// The text as a line; the cause, with its sources, goes to the log.
impl Responder for Error {
    fn respond(self) -> Response {
        let (status, text, cause) = self.into_parts();
        page(status, text, cause)
    }
}

// Out of line: every handler that can fail would have a copy.
#[cold]
#[inline(never)]
fn page(
    status: Status,
    text: Cow<'static, str>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> Response {
    if let Some(cause) = cause {
        log::cause(status, &text, &*cause);
    }
    let line: Cow<'static, str> = match text == status.reason() {
        true => status.page().into(),
        false => (text.into_owned() + "\n").into(),
    };
    line.respond().with_status(status).marked_as_line()
}
