//! The site's own errors, as pages and as documents.

use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;

use crate::media::Media;
use crate::pages::{self, Failed, Frame};

/// An error in the type that the client would rather have.
pub fn page(request: &Request, status: Status, message: &str) -> Response {
    match Media::of(request) {
        Media::Json => problem(status, message),
        Media::Html => pages::html(&Failed {
            frame: Frame::plain(request),
            status,
            message: message.into(),
        })
        .with_status(status),
    }
}

/// An error as a document.
pub fn problem(status: Status, detail: impl Into<String>) -> Response {
    Problem::new(status).detail(detail.into()).respond()
}

pub fn not_found(request: &Request) -> Response {
    let message = "There is nothing at this address. It may have been deleted.";
    page(request, Status::NOT_FOUND, message)
}

pub fn method_not_allowed(request: &Request) -> Response {
    let message = "This address is there, but not for that.";
    page(request, Status::METHOD_NOT_ALLOWED, message)
}

/// The cause is for the log alone, unless the line says more than the status.
pub fn internal_error(request: &Request, line: &str) -> Response {
    let status = Status::INTERNAL_SERVER_ERROR;
    let message = match line == status.reason() {
        true => "Something went wrong here, and nothing was changed. The server's log says what.",
        false => line,
    };
    page(request, status, message)
}
