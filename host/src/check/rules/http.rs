//! What HTTP asks of an origin server, as far as it is the application's.

use super::{Rule, error, note, warning};

/// HEAD is there where GET is.
pub static HEAD_STATUS: Rule = error(
    "head-status",
    "HEAD is answered with the status that GET has.",
    "RFC 9110, 9.1 and 9.3.2",
    "answer HEAD as GET: the server leaves the body out",
);

/// ... with the same fields.
pub static HEAD_FIELDS: Rule = warning(
    "head-fields",
    "HEAD is answered with the fields that GET has.",
    "RFC 9110, 9.3.2",
    "answer HEAD as GET: the server leaves the body out",
);

/// 405 says what is allowed.
pub static ALLOW: Rule = error(
    "allow-missing",
    "405 has an Allow that lists the methods of the resource.",
    "RFC 9110, 15.5.6",
    "add the field Allow",
);

/// 401 says how.
pub static CHALLENGE: Rule = error(
    "challenge-missing",
    "401 has a WWW-Authenticate with a challenge.",
    "RFC 9110, 15.5.2",
    "add the field WWW-Authenticate, or answer 403",
);

/// A redirect says where to.
pub static LOCATION: Rule = warning(
    "location-missing",
    "301, 302, 303, 307 and 308 have a Location.",
    "RFC 9110, 15.4",
    "add the field Location",
);

/// What is sent is named.
pub static CONTENT_TYPE: Rule = warning(
    "content-type-missing",
    "An answer with a body has a Content-Type.",
    "RFC 9110, 8.3; wsgiref.validate",
    "say what the body is: text/html; charset=utf-8, application/json, ...",
);

/// What has no body has no type.
pub static CONTENT_TYPE_OF_NOTHING: Rule = warning(
    "content-type-of-nothing",
    "204 has no body, and so no Content-Type.",
    "RFC 9110, 15.3.5; wsgiref.validate",
    "leave Content-Type out",
);

/// What has no body writes none.
pub static NO_BODY: Rule = warning(
    "body-not-allowed",
    "204, 205 and 304 have no body.",
    "RFC 9110, 15.3.5, 15.3.6 and 15.4.5",
    "write nothing under that status, or answer 200",
);

/// Values are ASCII.
pub static NOT_ASCII: Rule = note(
    "field-not-ascii",
    "A field's value is ASCII.",
    "RFC 9110, 5.5",
    "percent-encode it, or use the form name*= of RFC 8187",
);

/// A client's odd request is the client's fault.
pub static SERVER_ERROR: Rule = warning(
    "server-error",
    "A status of 5xx is for what the server got wrong.",
    "RFC 9110, 15.6",
    "answer what the client got wrong with 4xx, and find the cause of the rest",
);

/// If-None-Match is heeded.
pub static NOT_MODIFIED: Rule = warning(
    "if-none-match",
    "A GET whose If-None-Match has the ETag in force is answered 304.",
    "RFC 9110, 13.1.2",
    "compare the field with the ETag before the body is made, or send no ETag",
);

/// 304 has what caches need.
pub static NOT_MODIFIED_FIELDS: Rule = warning(
    "not-modified-fields",
    "304 has the ETag, Cache-Control, Content-Location, Expires and Vary that 200 would have.",
    "RFC 9110, 15.4.5",
    "send those fields with 304 as well",
);

/// A range is what was asked for.
pub static RANGE: Rule = error(
    "range",
    "206 has a Content-Range, and the octets that it names.",
    "RFC 9110, 14.4 and 15.3.7",
    "send Content-Range: bytes FIRST-LAST/WHOLE with those octets, or 200 with all",
);

/// Who announces ranges serves them.
pub static RANGE_IGNORED: Rule = note(
    "range-ignored",
    "Who sends Accept-Ranges: bytes serves ranges.",
    "RFC 9110, 14.3",
    "leave Accept-Ranges out, or serve ranges",
);

/// A method that nobody knows is refused.
pub static UNKNOWN_METHOD: Rule = note(
    "unknown-method",
    "A method that the resource does not have is answered 405 or 501.",
    "RFC 9110, 9.1",
    "look at the method before answering",
);

/// A page that is not there is not found.
pub static UNKNOWN_PATH: Rule = note(
    "unknown-path",
    "What is not there is answered 404.",
    "RFC 9110, 15.5.5",
    "answer 404 for paths that the application does not have",
);

/// The protocol does not matter.
pub static PROTOCOL: Rule = warning(
    "protocol",
    "A request means the same over HTTP/1.0, HTTP/1.1 and HTTP/2.",
    "RFC 9110, 2.5",
    "do not look at server-protocol to choose an answer",
);

/// Cookies over HTTP/2 may come in pieces.
pub static COOKIE: Rule = warning(
    "cookie-pieces",
    "Cookie in several lines means the same as one line joined with \"; \".",
    "RFC 9113, 8.2.3; gateway.md, The CGI view",
    "join the Cookie fields of environ before parsing them",
);

/// Each request stands alone.
pub static AT_ONCE: Rule = warning(
    "at-once",
    "Requests at the same time are answered as they would be alone.",
    "PEP 3333, Thread Support; gateway.md, One request",
    "look for what the requests share: files, stores, other services",
);

/// The same is answered the same.
pub static AGAIN: Rule = note(
    "again",
    "Each request runs in a fresh instance: nothing is left of the one before.",
    "gateway.md, environ, run-once",
    "if it is not meant (time, random numbers, a store), look for what it depends on",
);

/// An answer goes on.
pub static ENDLESS: Rule = note(
    "endless",
    "An answer ends, unless it is a stream.",
    "PEP 3333, Buffering and Streaming",
    "if it is no stream, read on with a longer --wait, until a limit says where it hangs",
);

/// An answer is whole.
pub static CUT: Rule = error(
    "cut",
    "An answer arrives whole.",
    "RFC 9112, 8",
    "look for the cause with `rhost serve` and its log",
);
