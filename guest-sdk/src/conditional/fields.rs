//! What stays of an answer's fields when its body goes.

use crate::respond::Response;
use crate::status::Status;

/// Fields that describe a body (RFC 9110, section 8). A 304 has none, and the
/// client would take them for a change of what it has (section 15.4.5).
const OF_THE_BODY: [&str; 6] = [
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
];

/// The 304 in place of an answer: with its fields, except those of its body.
pub(super) fn not_modified(response: Response) -> Response {
    let (_, mut fields, _) = response.into_parts();
    fields.retain(|(name, _)| {
        !OF_THE_BODY
            .iter()
            .any(|other| other.eq_ignore_ascii_case(name))
    });
    Response::new(Status::NOT_MODIFIED).with_headers(fields)
}
