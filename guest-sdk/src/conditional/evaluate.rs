//! Preconditions, in the order that RFC 9110 gives them (section 13.2.2).

use crate::conditional::etag::{Tag, tags};
use crate::conditional::time::Seconds;
use crate::conditional::validators::Validators;
use crate::request::Request;

/// What the preconditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They hold, or there are none.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client thinks.
    Failed,
}

pub(super) fn evaluate(request: &Request, current: &Validators) -> Outcome {
    let headers = request.headers();
    let is_read = matches!(request.method(), "GET" | "HEAD");
    if headers.contains("if-match") {
        if !matches(request, "if-match", current, |one, other| {
            one.equals_strongly(other)
        }) {
            return Outcome::Failed;
        }
    } else if let Some(date) = Seconds::of(request, "if-unmodified-since")
        && current.modified.is_some_and(|modified| modified > date)
    {
        return Outcome::Failed;
    }
    if headers.contains("if-none-match") {
        return match matches(request, "if-none-match", current, |one, other| {
            one.equals_weakly(other)
        }) {
            false => Outcome::Proceed,
            true if is_read => Outcome::NotModified,
            true => Outcome::Failed,
        };
    }
    if is_read
        && let Some(date) = Seconds::of(request, "if-modified-since")
        && current.modified.is_some_and(|modified| modified <= date)
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// Whether one of the tags that a field lists is the current one, or the field
/// is `*` and there is something. What is no tag matches nothing, so that a
/// malformed If-Match lets no change through, and a malformed If-None-Match gets
/// the whole answer.
fn matches(
    request: &Request,
    name: &str,
    current: &Validators,
    equals: fn(Tag<'_>, Tag<'_>) -> bool,
) -> bool {
    let mut values = request.headers().get_all(name);
    // Alone, not in a list, which a field that is repeated is.
    if let (Some(value), None) = (values.next(), values.next())
        && value.trim_ascii() == b"*"
    {
        return current.exists;
    }
    let Some(etag) = &current.etag else {
        return false;
    };
    let mut values = request.headers().get_all(name);
    values.any(|value| tags(value).any(|tag| equals(tag, etag.as_tag())))
}

/// If-Range (RFC 9110, section 13.1.5): whether the part that the client has is
/// of the current state, so that a range can be added to it.
///
/// A date counts where it is the very one that the answer has. That it is
/// strong enough is the client's to know: it has seen Date beside it (section
/// 8.8.2.2), and must not send another.
pub(super) fn range_applies(request: &Request, current: &Validators) -> bool {
    let mut values = request.headers().get_all("if-range");
    let Some(value) = values.next() else {
        return true;
    };
    if values.next().is_some() {
        return false;
    }
    match Tag::read(value.trim_ascii()) {
        Some((tag, rest)) => {
            rest.is_empty()
                && current
                    .etag
                    .as_ref()
                    .is_some_and(|etag| tag.equals_strongly(etag.as_tag()))
        }
        None => {
            let date = Seconds::from_field(value);
            date.is_some() && date == current.modified
        }
    }
}
