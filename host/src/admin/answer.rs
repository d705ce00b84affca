//! What the admin listener answers.

use crate::roster::{Refused, Why};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::convert::Infallible;

/// An answer, which may not have an end.
pub type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

pub(super) const JSON: &str = "application/json";
pub(super) const JSON_LINES: &str = "application/x-ndjson";

/// A page of this kind.
pub(super) fn page(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    stream(status, kind, Full::new(body.into()).boxed_unsync())
}

/// The same, of a body that may take its time.
pub(super) fn stream(
    status: StatusCode,
    kind: &'static str,
    body: UnsyncBoxBody<Bytes, Infallible>,
) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // The next answer may be another.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A value as JSON.
pub(super) fn value(status: StatusCode, value: &Value) -> Answer {
    page(status, JSON, value.to_string() + "\n")
}

/// Why there is nothing else.
pub(super) fn refused(refused: &Refused) -> Answer {
    let status = match refused.why {
        Why::Malformed => StatusCode::BAD_REQUEST,
        Why::Unknown => StatusCode::UNAUTHORIZED,
        Why::Forbidden => StatusCode::FORBIDDEN,
        Why::Missing => StatusCode::NOT_FOUND,
        Why::Late => StatusCode::REQUEST_TIMEOUT,
        Why::Conflict => StatusCode::CONFLICT,
        Why::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Why::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
        Why::Elsewhere => StatusCode::MISDIRECTED_REQUEST,
        Why::Quota | Why::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        Why::NotNow => StatusCode::SERVICE_UNAVAILABLE,
        Why::Full => StatusCode::INSUFFICIENT_STORAGE,
        Why::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut answer = value(status, &json!({ "error": refused.text }));
    let headers = answer.headers_mut();
    match refused.why {
        // RFC 6750, section 3.
        Why::Unknown => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Why::Quota | Why::NotNow => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Why::Wait(seconds) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        _ => {}
    }
    answer
}
