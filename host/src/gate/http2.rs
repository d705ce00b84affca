//! The same rules for HTTP/2, where they are about what was decoded: hyper and h2
//! see to frames, pseudo-header fields and fields of a connection.

use super::octets::{is_authority, is_expected, trimmed};
use super::refusal::Refusal;
use crate::settings::HeadLimits;
use http::header::{CONTENT_TYPE, EXPECT, HOST};
use http::request::Parts;
use http::{HeaderMap, Method};

/// Checks the head of a request. What RFC 9113, section 8.1.1, calls malformed
/// resets its stream; the rest is answered.
pub fn check(head: &Parts, limits: &HeadLimits) -> Result<(), Refusal> {
    let target = head.uri.path_and_query();
    if target.is_some_and(|target| target.as_str().len() > limits.request_line) {
        return Err(Refusal::LineTooLong);
    }
    if head.headers.len() > limits.fields {
        return Err(Refusal::TooManyFields);
    }
    if target.is_some_and(|target| target.as_str() == "*") && head.method != Method::OPTIONS {
        return Err(Refusal::Asterisk);
    }
    if head
        .headers
        .values()
        .any(|value| is_padded(value.as_bytes()))
    {
        return Err(Refusal::FieldValue);
    }
    if is_repeated(&head.headers, &CONTENT_TYPE) {
        return Err(Refusal::ContentTypeRepeated);
    }
    let expected = head.headers.get_all(EXPECT);
    if !expected.iter().all(|value| is_expected(value.as_bytes())) {
        return Err(Refusal::Expectation);
    }
    check_host(head)
}

/// Whether the request's stream is reset rather than answered.
pub fn is_malformed(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::FieldValue
            | Refusal::Authority
            | Refusal::HostMissing
            | Refusal::HostRepeated
            | Refusal::HostInvalid
            | Refusal::HostDiffers
    )
}

/// Blanks around a value are no part of it in HTTP/1.1, and a fault in HTTP/2
/// (RFC 9113, section 8.2.1).
fn is_padded(value: &[u8]) -> bool {
    trimmed(value).len() != value.len()
}

fn is_repeated(headers: &HeaderMap, name: &http::HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// RFC 9113, sections 8.3.1 and 8.5.
fn check_host(head: &Parts) -> Result<(), Refusal> {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    if authority.is_some_and(|authority| !is_authority(authority.as_bytes())) {
        return Err(Refusal::Authority);
    }
    if head.method == Method::CONNECT && authority.is_none() {
        return Err(Refusal::Authority);
    }
    if is_repeated(&head.headers, &HOST) {
        return Err(Refusal::HostRepeated);
    }
    match (authority, head.headers.get(HOST)) {
        (None, None) => Err(Refusal::HostMissing),
        (Some(_), None) => Ok(()),
        (None, Some(host)) if !is_authority(host.as_bytes()) => Err(Refusal::HostInvalid),
        (None, Some(_)) => Ok(()),
        (Some(authority), Some(host)) => {
            match host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) {
                true => Ok(()),
                false => Err(Refusal::HostDiffers),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: http::request::Builder) -> Result<(), Refusal> {
        let head = request.version(http::Version::HTTP_2).body(()).unwrap();
        super::check(&head.into_parts().0, &HeadLimits::default())
    }

    #[test]
    fn what_is_refused() {
        let get = || http::Request::get("http://a.test/x");
        assert_eq!(check(get()), Ok(()));
        assert_eq!(check(get().header("host", "A.test")), Ok(()));
        assert_eq!(check(get().header("expect", "")), Ok(()));
        for (request, refusal) in [
            (get().header("host", "b.test"), Refusal::HostDiffers),
            (
                get().header("host", "a.test").header("host", "a.test"),
                Refusal::HostRepeated,
            ),
            (http::Request::get("/x"), Refusal::HostMissing),
            (
                http::Request::get("/x").header("host", "a b"),
                Refusal::HostInvalid,
            ),
            (http::Request::get("http://u@a.test/"), Refusal::Authority),
            (
                http::Request::builder().method("CONNECT").uri("/"),
                Refusal::Authority,
            ),
            (get().header("x", "a\t"), Refusal::FieldValue),
            (get().header("x", " a"), Refusal::FieldValue),
            (get().header("expect", "a miracle"), Refusal::Expectation),
            (
                get()
                    .header("content-type", "a")
                    .header("content-type", "a"),
                Refusal::ContentTypeRepeated,
            ),
            (
                http::Request::get(format!("http://a.test/{}", "x".repeat(9000))),
                Refusal::LineTooLong,
            ),
            (
                (0..200).fold(get(), |request, n| request.header("x", n)),
                Refusal::TooManyFields,
            ),
        ] {
            assert_eq!(check(request), Err(refusal));
        }
    }
}
