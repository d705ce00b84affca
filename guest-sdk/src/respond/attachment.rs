//! [`Attachment`]: an answer to be saved.

use std::fmt::Write;

use crate::respond::responder::Responder;
use crate::respond::response::Response;

/// An answer that the client saves under a name, instead of showing it:
/// Content-Disposition (RFC 6266).
///
/// The name can be a user's: quotes, separators of paths and control characters
/// become `_`. One that is not plain ASCII is sent in UTF-8 as well (RFC 8187),
/// which every browser prefers.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/export")]
/// fn export() -> Attachment<&'static str> {
///     Attachment::new("café.csv", "id,text\n")
/// }
///
/// app!(export);
/// # assert_eq!(
/// #     rhost_sdk::testing::get(&APP, "/export").send().header("content-disposition"),
/// #     Some("attachment; filename=\"caf_.csv\"; filename*=UTF-8''caf%C3%A9.csv"),
/// # );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment<R> {
    disposition: String,
    answer: R,
}

impl<R> Attachment<R> {
    /// This answer under this name. An empty name leaves the choice to the
    /// client.
    #[must_use]
    pub fn new(name: &str, answer: R) -> Attachment<R> {
        Attachment {
            disposition: disposition(name),
            answer,
        }
    }
}

impl<R: Responder> Responder for Attachment<R> {
    fn respond(self) -> Response {
        self.answer
            .respond()
            .with_headers([("content-disposition", self.disposition)])
    }
}

/// The value of the field.
pub(crate) fn disposition(name: &str) -> String {
    let mut value = String::from("attachment");
    if name.is_empty() {
        return value;
    }
    let name = name.replace(
        |c: char| c.is_control() || matches!(c, '/' | '\\' | '"'),
        "_",
    );
    value.push_str("; filename=\"");
    // Some clients decode a `%` here, and no standard says so (RFC 6266, appendix
    // D).
    value.extend(name.chars().map(|c| match c {
        '%' => '_',
        c if c.is_ascii() => c,
        _ => '_',
    }));
    value.push('"');
    if name.contains(|c: char| c == '%' || !c.is_ascii()) {
        value.push_str("; filename*=UTF-8''");
        for octet in name.bytes() {
            match octet {
                octet if octet.is_ascii_alphanumeric() => value.push(octet.into()),
                // The rest of `attr-char` (RFC 8187, section 3.2.1).
                b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|'
                | b'~' => value.push(octet.into()),
                // To a String it cannot fail.
                _ => _ = write!(value, "%{octet:02X}"),
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_name_stays_one_name() {
        for (name, value) in [
            ("", "attachment"),
            ("a b.csv", "attachment; filename=\"a b.csv\""),
            ("a\".csv\"; x=\"", "attachment; filename=\"a_.csv_; x=_\""),
            ("../a\\b", "attachment; filename=\".._a_b\""),
            (
                "a\r\nset-cookie: b\0",
                "attachment; filename=\"a__set-cookie: b_\"",
            ),
            (
                "50%.txt",
                "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt",
            ),
            (
                "é/\u{85}'",
                "attachment; filename=\"___'\"; filename*=UTF-8''%C3%A9__%27",
            ),
        ] {
            assert_eq!(disposition(name), value);
        }
    }
}
