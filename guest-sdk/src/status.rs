//! [`Status`]: the code of a response.

use std::fmt;

/// A status code (RFC 9110, section 15), as `Status::NOT_FOUND`.
///
/// A server takes 200 to 599; interim responses belong to it.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[put("/notes/{id}")]
/// fn replace(id: u32) -> Status {
///     match id {
///         0 => Status::FORBIDDEN,
///         _ => Status::NO_CONTENT,
///     }
/// }
///
/// app!(replace);
///
/// let answer = rhost_sdk::testing::put(&APP, "/notes/0").send();
/// assert_eq!(answer.status(), Status::FORBIDDEN);
/// assert_eq!(answer.status().code(), 403);
/// assert_eq!(answer.status().reason(), "Forbidden");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// The status with this code. The gateway refuses one outside 200 to 599,
    /// and the client gets a 500.
    #[must_use]
    pub const fn new(code: u16) -> Status {
        Status(code)
    }

    /// The code, as `404`.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The registered phrase, as `Not Found`; empty where none is registered.
    /// It is for people: the gateway carries none.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self
            .page()
            .split_at_checked(self.page().len().saturating_sub(1))
        {
            Some((reason, _)) => reason,
            None => "",
        }
    }
}

macro_rules! statuses {
    ($($code:literal $name:ident $reason:literal $section:literal)*) => {
        impl Status {
            $(
                #[doc = concat!($code, " ", $reason, " (", $section, ").")]
                pub const $name: Status = Status($code);
            )*

            /// The phrase as a line: the text of an error page.
            // Called from so many places that copies would be most of an app.
            #[inline(never)]
            pub(crate) const fn page(self) -> &'static str {
                match self.0 {
                    $($code => concat!($reason, "\n"),)*
                    _ => "",
                }
            }
        }
    };
}

statuses! {
    200 OK "OK" "RFC 9110, section 15.3.1"
    201 CREATED "Created" "RFC 9110, section 15.3.2"
    202 ACCEPTED "Accepted" "RFC 9110, section 15.3.3"
    203 NON_AUTHORITATIVE_INFORMATION "Non-Authoritative Information" "RFC 9110, section 15.3.4"
    204 NO_CONTENT "No Content" "RFC 9110, section 15.3.5"
    205 RESET_CONTENT "Reset Content" "RFC 9110, section 15.3.6"
    206 PARTIAL_CONTENT "Partial Content" "RFC 9110, section 15.3.7"
    300 MULTIPLE_CHOICES "Multiple Choices" "RFC 9110, section 15.4.1"
    301 MOVED_PERMANENTLY "Moved Permanently" "RFC 9110, section 15.4.2"
    302 FOUND "Found" "RFC 9110, section 15.4.3"
    303 SEE_OTHER "See Other" "RFC 9110, section 15.4.4"
    304 NOT_MODIFIED "Not Modified" "RFC 9110, section 15.4.5"
    307 TEMPORARY_REDIRECT "Temporary Redirect" "RFC 9110, section 15.4.8"
    308 PERMANENT_REDIRECT "Permanent Redirect" "RFC 9110, section 15.4.9"
    400 BAD_REQUEST "Bad Request" "RFC 9110, section 15.5.1"
    401 UNAUTHORIZED "Unauthorized" "RFC 9110, section 15.5.2"
    402 PAYMENT_REQUIRED "Payment Required" "RFC 9110, section 15.5.3"
    403 FORBIDDEN "Forbidden" "RFC 9110, section 15.5.4"
    404 NOT_FOUND "Not Found" "RFC 9110, section 15.5.5"
    405 METHOD_NOT_ALLOWED "Method Not Allowed" "RFC 9110, section 15.5.6"
    406 NOT_ACCEPTABLE "Not Acceptable" "RFC 9110, section 15.5.7"
    408 REQUEST_TIMEOUT "Request Timeout" "RFC 9110, section 15.5.9"
    409 CONFLICT "Conflict" "RFC 9110, section 15.5.10"
    410 GONE "Gone" "RFC 9110, section 15.5.11"
    411 LENGTH_REQUIRED "Length Required" "RFC 9110, section 15.5.12"
    412 PRECONDITION_FAILED "Precondition Failed" "RFC 9110, section 15.5.13"
    413 CONTENT_TOO_LARGE "Content Too Large" "RFC 9110, section 15.5.14"
    414 URI_TOO_LONG "URI Too Long" "RFC 9110, section 15.5.15"
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type" "RFC 9110, section 15.5.16"
    416 RANGE_NOT_SATISFIABLE "Range Not Satisfiable" "RFC 9110, section 15.5.17"
    417 EXPECTATION_FAILED "Expectation Failed" "RFC 9110, section 15.5.18"
    421 MISDIRECTED_REQUEST "Misdirected Request" "RFC 9110, section 15.5.20"
    422 UNPROCESSABLE_CONTENT "Unprocessable Content" "RFC 9110, section 15.5.21"
    426 UPGRADE_REQUIRED "Upgrade Required" "RFC 9110, section 15.5.22"
    428 PRECONDITION_REQUIRED "Precondition Required" "RFC 6585, section 3"
    429 TOO_MANY_REQUESTS "Too Many Requests" "RFC 6585, section 4"
    431 REQUEST_HEADER_FIELDS_TOO_LARGE "Request Header Fields Too Large" "RFC 6585, section 5"
    451 UNAVAILABLE_FOR_LEGAL_REASONS "Unavailable For Legal Reasons" "RFC 7725, section 3"
    500 INTERNAL_SERVER_ERROR "Internal Server Error" "RFC 9110, section 15.6.1"
    501 NOT_IMPLEMENTED "Not Implemented" "RFC 9110, section 15.6.2"
    502 BAD_GATEWAY "Bad Gateway" "RFC 9110, section 15.6.3"
    503 SERVICE_UNAVAILABLE "Service Unavailable" "RFC 9110, section 15.6.4"
    504 GATEWAY_TIMEOUT "Gateway Timeout" "RFC 9110, section 15.6.5"
    505 HTTP_VERSION_NOT_SUPPORTED "HTTP Version Not Supported" "RFC 9110, section 15.6.6"
}

impl PartialEq<u16> for Status {
    fn eq(&self, code: &u16) -> bool {
        self.0 == *code
    }
}

impl fmt::Display for Status {
    /// The code and its phrase: `404 Not Found`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.0, self.reason())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn knows_its_phrase() {
        assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
        assert_eq!(Status::new(299).reason(), "");
        assert_eq!(Status::OK, 200);
    }
}
