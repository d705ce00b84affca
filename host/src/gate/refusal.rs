//! Why a request is refused before an app is chosen, and how the gate tells the
//! connection so.

use crate::metrics::Event;
use http::request::Parts;
use http::{Method, StatusCode, Version};

/// A rule that a request broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`reason` says what each one means")]
pub enum Refusal {
    BareLineFeed,
    EmptyLines,
    RequestLine,
    Method,
    Target,
    Asterisk,
    Authority,
    AuthorityForm,
    Version,
    LineTooLong,
    FieldsTooLarge,
    TooManyFields,
    Folding,
    FieldName,
    FieldValue,
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostDiffers,
    Length,
    LengthRepeated,
    LengthAndCoding,
    CodingInHttp10,
    CodingUnfinished,
    CodingUnknown,
    ContentTypeRepeated,
    Expectation,
    Incomplete,
}

use Refusal::*;

/// In the order of their numbers.
const ALL: [Refusal; 28] = [
    BareLineFeed,
    EmptyLines,
    RequestLine,
    Method,
    Target,
    Asterisk,
    Authority,
    AuthorityForm,
    Version,
    LineTooLong,
    FieldsTooLarge,
    TooManyFields,
    Folding,
    FieldName,
    FieldValue,
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostDiffers,
    Length,
    LengthRepeated,
    LengthAndCoding,
    CodingInHttp10,
    CodingUnfinished,
    CodingUnknown,
    ContentTypeRepeated,
    Expectation,
    Incomplete,
];

/// The method of a message that stands in for a refused one.
const METHOD: &str = "-";

/// The field of it that has the refusal's number.
const FIELD: &str = "refusal";

impl Refusal {
    /// What the client gets.
    pub fn status(self) -> StatusCode {
        match self {
            LineTooLong => StatusCode::URI_TOO_LONG,
            FieldsTooLarge | TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Expectation => StatusCode::EXPECTATION_FAILED,
            CodingUnknown => StatusCode::NOT_IMPLEMENTED,
            Refusal::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What it counts as.
    pub fn event(self) -> Event {
        match self {
            LineTooLong => Event::RequestLine,
            FieldsTooLarge => Event::HeaderSize,
            TooManyFields => Event::HeaderFields,
            _ => Event::Malformed,
        }
    }

    /// What was wrong, and where the rule stands. It tells the client nothing but
    /// what it sent itself.
    pub fn reason(self) -> &'static str {
        match self {
            BareLineFeed => "a line ends without CR (RFC 9112, 2.2)",
            EmptyLines => "more than one empty line before the request (RFC 9112, 2.2)",
            RequestLine => "the first line is not: method, target, version (RFC 9112, 3)",
            Refusal::Method => "the method is not a token (RFC 9110, 9.1)",
            Target => "the target has a character that must be percent-encoded (RFC 3986, 3)",
            Asterisk => "the target * is for OPTIONS only (RFC 9112, 3.2.4)",
            Authority => "the target's host or port is not one (RFC 9110, 4.2)",
            AuthorityForm => "the target must be a path, except with CONNECT (RFC 9112, 3.2)",
            Refusal::Version => "the versions spoken here are 1.0, 1.1 and 2 (RFC 9110, 2.5)",
            LineTooLong => "the request line is too long",
            FieldsTooLarge => "the header fields are too large",
            TooManyFields => "there are too many header fields",
            Folding => "a field is folded over several lines (RFC 9112, 5.2)",
            FieldName => "a field's name is not a token (RFC 9110, 5.1)",
            FieldValue => "a field's value has a control character or padding (RFC 9110, 5.5)",
            HostMissing => "there is no Host (RFC 9112, 3.2)",
            HostRepeated => "there is more than one Host (RFC 9112, 3.2)",
            HostInvalid => "Host is not a host and a port (RFC 9110, 7.2)",
            HostDiffers => "Host is not the target's authority (RFC 9113, 8.3.1)",
            Length => "Content-Length is not a number (RFC 9110, 8.6)",
            LengthRepeated => "there is more than one Content-Length (RFC 9110, 8.6)",
            LengthAndCoding => "Content-Length beside Transfer-Encoding (RFC 9112, 6.3)",
            CodingInHttp10 => "Transfer-Encoding in HTTP/1.0 (RFC 9112, 6.1)",
            CodingUnfinished => "the last transfer coding is not chunked, once (RFC 9112, 6.1)",
            CodingUnknown => "chunked is the only transfer coding known here (RFC 9112, 6.1)",
            ContentTypeRepeated => "there is more than one Content-Type (RFC 9110, 8.3)",
            Expectation => "100-continue is the only expectation known here (RFC 9110, 10.1.1)",
            Incomplete => "the connection ended within the head",
        }
    }

    /// The message that hyper is handed in place of the refused one. The gate lets
    /// nobody send the like: only OPTIONS may ask for `*`.
    pub fn stand_in(self) -> Vec<u8> {
        format!("{METHOD} * HTTP/1.1\r\n{FIELD}: {}\r\n\r\n", self as usize).into_bytes()
    }

    /// The refusal that this message stands in for, if it does.
    pub fn of(head: &Parts) -> Option<Self> {
        if !stands_in(&head.method) || head.version == Version::HTTP_2 || head.uri.path() != "*" {
            return None;
        }
        let number = head.headers.get(FIELD)?.to_str().ok()?;
        ALL.get(number.parse::<usize>().ok()?).copied()
    }
}

/// First the method: of other requests this is all that is looked at.
fn stands_in(method: &Method) -> bool {
    method.as_str() == METHOD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_its_refusal() {
        for (number, refusal) in ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, number);
            let head = http::Request::builder()
                .method(METHOD)
                .uri("*")
                .header(FIELD, number.to_string())
                .body(())
                .unwrap();
            assert_eq!(Refusal::of(&head.into_parts().0), Some(refusal));
        }
    }

    #[test]
    fn nothing_else_is_a_stand_in() {
        for (method, target) in [("GET", "*"), (METHOD, "/*"), ("OPTIONS", "*")] {
            let head = http::Request::builder()
                .method(method)
                .uri(target)
                .header(FIELD, "1")
                .body(())
                .unwrap();
            assert_eq!(Refusal::of(&head.into_parts().0), None);
        }
    }
}
