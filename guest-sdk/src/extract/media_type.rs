//! Content-Type, as far as extractors care.

use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// Goes on if the media type of the request's body is accepted, and answers 415
/// otherwise (RFC 9110, section 15.5.16).
pub(crate) fn require(
    request: &Request,
    accepted: fn(&str) -> bool,
    text: &'static str,
) -> Result<(), Rejection> {
    let essence = request
        .environ()
        .content_type
        .as_deref()
        .map(essence)
        .unwrap_or_default();
    if accepted(essence) {
        return Ok(());
    }
    Err(Rejection::new(Status::UNSUPPORTED_MEDIA_TYPE, text))
}

/// Type and subtype, without parameters (RFC 9110, section 8.3.1).
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}
