//! What two answers show together.

use super::client::{Answer, End};
use super::rules::{Rule, http as rules};
use http::HeaderMap;

/// What is found, if anything is.
pub type Verdict = Option<(&'static Rule, String)>;

/// Fields that say nothing of the resource: when, how framed, and for whom.
const PASSING: [&str; 7] = [
    "age",
    "connection",
    "content-length",
    "date",
    "server-timing",
    "set-cookie",
    "transfer-encoding",
];

/// Fields that a 304 has if the 200 has them (RFC 9110, section 15.4.5).
const OF_304: [&str; 5] = [
    "cache-control",
    "content-location",
    "etag",
    "expires",
    "vary",
];

/// The same request a second time.
pub fn again(first: &Answer, second: &Answer) -> Verdict {
    let what = if first.status != second.status {
        format!("it answered {} first, then {}", first.status, second.status)
    } else if let Some(name) = differing(&first.headers, &second.headers).first() {
        format!("the field {name} differed between two answers")
    } else if first.digest != second.digest && first.is_whole() && second.is_whole() {
        "the body differed between two answers".to_owned()
    } else {
        return None;
    };
    Some((&rules::AGAIN, what))
}

/// HEAD beside two of GET: what differs between those may differ here.
pub fn head(get: &Answer, again: &Answer, head: &Answer) -> Verdict {
    if get.status != again.status {
        return None;
    }
    if get.status != head.status {
        let what = format!("GET is answered {}, HEAD {}", get.status, head.status);
        return Some((&rules::HEAD_STATUS, what));
    }
    let unsteady = differing(&get.headers, &again.headers);
    let mut differs = differing(&get.headers, &head.headers);
    differs.retain(|name| !unsteady.contains(name));
    // It may leave the length out, but not be wrong about it.
    let lengths = [get, head].map(|answer| answer.field("content-length"));
    if get.digest == again.digest && !lengths.contains(&"") && lengths[0] != lengths[1] {
        differs.push("content-length".to_owned());
    }
    let name = differs.first()?;
    let value = |answer: &Answer| match answer.headers.get(name) {
        Some(value) => format!("{:?}", String::from_utf8_lossy(value.as_bytes())),
        None => "none".to_owned(),
    };
    let (one, other) = (value(get), value(head));
    let what = format!("GET has the field {name}: {one}, HEAD {other}");
    Some((&rules::HEAD_FIELDS, what))
}

/// GET with the ETag that GET has.
pub fn conditional(get: &Answer, answer: &Answer) -> Verdict {
    if answer.status != 304 {
        let what = format!(
            "If-None-Match: {} is answered {}",
            get.field("etag"),
            answer.status
        );
        return Some((&rules::NOT_MODIFIED, what));
    }
    let lacks =
        |name: &&str| get.headers.contains_key(*name) && !answer.headers.contains_key(*name);
    let name = OF_304.into_iter().find(lacks)?;
    let what = format!("200 has the field {name}, 304 does not");
    Some((&rules::NOT_MODIFIED_FIELDS, what))
}

/// GET of the first octet, from who says that ranges are served.
pub fn range(get: &Answer, answer: &Answer) -> Verdict {
    match answer.status {
        206 => {
            let wanted = format!("bytes 0-0/{}", get.octets);
            let named = answer.field("content-range");
            if named != wanted && named != "bytes 0-0/*" {
                let what = format!(
                    "Range: bytes=0-0 got Content-Range: {named:?} where {wanted:?} is right"
                );
                return Some((&rules::RANGE, what));
            }
            (answer.octets != 1).then(|| {
                let what = format!("Range: bytes=0-0 got {} octets", answer.octets);
                (&rules::RANGE, what)
            })
        }
        200 => Some((
            &rules::RANGE_IGNORED,
            "Range: bytes=0-0 is answered 200".to_owned(),
        )),
        other => Some((
            &rules::RANGE,
            format!(
                "Range: bytes=0-0 of {} octets is answered {other}",
                get.octets
            ),
        )),
    }
}

/// The same request in another way; `rule` says that it should not matter.
pub fn same(rule: &'static Rule, one: &Answer, other: &Answer) -> Verdict {
    (one.status != other.status).then(|| {
        let what = format!("{} in one way, {} in this", one.status, other.status);
        (rule, what)
    })
}

/// What should not be there and is.
pub fn absent(rule: &'static Rule, answer: &Answer) -> Verdict {
    let is_there = (200..300).contains(&answer.status) && answer.end != End::Cut;
    is_there.then(|| (rule, format!("it answered {}", answer.status)))
}

/// The names of fields that are not the same in both.
fn differing(one: &HeaderMap, other: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = one.keys().chain(other.keys()).collect();
    names.sort_by_key(|name| name.as_str());
    names.dedup();
    names
        .into_iter()
        .filter(|name| !PASSING.contains(&name.as_str()))
        .filter(|name| !one.get_all(*name).iter().eq(other.get_all(*name)))
        .map(|name| name.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of these fields and octets.
    fn answer(status: u16, fields: &[(&'static str, &str)], octets: u64) -> Answer {
        let field = |(name, value): &(&'static str, &str)| {
            let name = http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        };
        Answer {
            status,
            headers: fields.iter().map(field).collect(),
            octets,
            digest: octets,
            end: End::Whole,
        }
    }

    #[test]
    fn what_is_right_is_not_found_fault_with() {
        let get = answer(200, &[("etag", "\"1\""), ("content-length", "9")], 9);
        assert!(conditional(&get, &answer(304, &[("etag", "\"1\"")], 0)).is_none());
        for named in ["bytes 0-0/9", "bytes 0-0/*"] {
            assert!(range(&get, &answer(206, &[("content-range", named)], 1)).is_none());
        }
        assert!(again(&get, &get).is_none());
        let bare = answer(200, &[("etag", "\"1\"")], 0);
        assert!(head(&get, &get, &bare).is_none());
        // What differs from GET to GET may differ for HEAD, and the length with it.
        let other = answer(200, &[("etag", "\"2\""), ("content-length", "7")], 7);
        assert!(head(&get, &other, &other).is_none());
        assert!(absent(&rules::UNKNOWN_PATH, &answer(404, &[], 9)).is_none());
    }

    #[test]
    fn a_wrong_length_or_range_is_found() {
        let get = answer(200, &[("content-length", "9")], 9);
        let wrong = answer(200, &[("content-length", "8")], 0);
        assert!(head(&get, &get, &wrong).is_some());
        for (named, octets) in [("bytes 0-0/9", 9), ("bytes 0-0/8", 1), ("0-0/9", 1)] {
            let answer = answer(206, &[("content-range", named)], octets);
            assert!(range(&get, &answer).is_some(), "{named} {octets}");
        }
        assert!(range(&get, &answer(416, &[], 0)).is_some());
    }
}
