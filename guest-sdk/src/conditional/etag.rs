//! [`ETag`]: the name of one state of a resource.

use std::fmt::{self, Write};

use crate::respond::HeaderValue;

/// An entity tag (RFC 9110, section 8.8.3): the name of one state of what a path
/// answers, chosen by the application, as a revision or a digest.
///
/// ```
/// use rhost_sdk::ETag;
///
/// assert_eq!(ETag::strong("r7").to_string(), "\"r7\"");
/// assert_eq!(ETag::weak("r7").to_string(), "W/\"r7\"");
/// // What cannot stand in a tag is percent-encoded, and so is the percent sign:
/// // two names are never one tag.
/// assert_eq!(ETag::strong("a \"b\"").to_string(), "\"a%20%22b%22\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag {
    is_weak: bool,
    /// Without its quotes.
    opaque: String,
}

impl ETag {
    /// A strong one: where it is equal, every octet of the body is.
    #[must_use]
    pub fn strong(name: impl AsRef<str>) -> ETag {
        ETag {
            is_weak: false,
            opaque: encode(name.as_ref()),
        }
    }

    /// A weak one: where it is equal, the one state can stand for the other. A
    /// change is never made on the strength of it (If-Match), nor is a download
    /// taken up again (If-Range).
    #[must_use]
    pub fn weak(name: impl AsRef<str>) -> ETag {
        ETag {
            is_weak: true,
            opaque: encode(name.as_ref()),
        }
    }

    pub(super) fn from_field(value: &[u8]) -> Option<ETag> {
        let (tag, rest) = Tag::read(value)?;
        let opaque = str::from_utf8(tag.opaque).ok()?.to_owned();
        rest.is_empty().then_some(ETag {
            is_weak: tag.is_weak,
            opaque,
        })
    }

    pub(super) fn as_tag(&self) -> Tag<'_> {
        Tag {
            is_weak: self.is_weak,
            opaque: self.opaque.as_bytes(),
        }
    }
}

impl fmt::Display for ETag {
    /// As it stands in a field.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.is_weak { "W/" } else { "" };
        write!(out, "{weak}\"{}\"", self.opaque)
    }
}

impl From<ETag> for HeaderValue {
    fn from(tag: ETag) -> HeaderValue {
        tag.to_string().into()
    }
}

/// Leaves visible ASCII but `"` and `%` as it is.
fn encode(name: &str) -> String {
    let mut opaque = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'!' | b'#'..=b'$' | b'&'..=b'~' => opaque.push(octet.into()),
            // To a String it cannot fail.
            _ => _ = write!(opaque, "%{octet:02X}"),
        }
    }
    opaque
}

/// A tag as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'v> {
    is_weak: bool,
    opaque: &'v [u8],
}

impl<'v> Tag<'v> {
    /// The tag that a value begins with, and what follows it.
    pub(super) fn read(value: &'v [u8]) -> Option<(Tag<'v>, &'v [u8])> {
        let (is_weak, quoted) = match value.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, value),
        };
        let text = quoted.strip_prefix(b"\"")?;
        let end = text.iter().position(|&octet| octet == b'"')?;
        let opaque = &text[..end];
        // A blank is no part of a tag, nor is a control character.
        if opaque.iter().any(|octet| matches!(octet, 0..=0x20 | 0x7f)) {
            return None;
        }
        Some((Tag { is_weak, opaque }, &text[end + 1..]))
    }

    /// Equal, and neither is weak (RFC 9110, section 8.8.3.2).
    pub(super) fn equals_strongly(self, other: Tag<'_>) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// Equal, weak or not.
    pub(super) fn equals_weakly(self, other: Tag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// The tags of a list, up to its end or to the first thing that is none (RFC
/// 9110, sections 13.1.1 and 5.6.1).
pub(super) fn tags(mut value: &[u8]) -> impl Iterator<Item = Tag<'_>> {
    std::iter::from_fn(move || {
        // Members may be empty.
        while let [b',' | b' ' | b'\t', rest @ ..] = value {
            value = rest;
        }
        let (tag, rest) = Tag::read(value)?;
        value = match rest.trim_ascii_start() {
            rest @ ([] | [b',', ..]) => rest,
            // The next turn finds no tag here.
            _ => b"!",
        };
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::{ETag, Tag, tags};

    #[test]
    fn a_list_is_read_up_to_its_first_mistake() {
        for (value, count) in [
            (&b"\"a\""[..], 1),
            (b"\"a\",W/\"b\" , \"c,d\"", 3),
            (b" , ,\"a\",,\"\",", 2),
            (b"\"a\" \"b\"", 1),
            (b"\"a\", *", 1),
            (b"\"a\", w/\"b\"", 1),
            (b"a", 0),
            (b"\"a", 0),
            (b"W/", 0),
            (b"\"a b\"", 0),
            (b"\"a\tb\", \"c\"", 0),
            (b"\"\xff\"", 1),
            (b"", 0),
            (b",,,,", 0),
        ] {
            assert_eq!(tags(value).count(), count, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn weak_tags_are_equal_only_weakly() {
        let [strong, weak, other] = [&b"\"1\""[..], b"W/\"1\"", b"\"2\""].map(|value| {
            let (tag, rest) = Tag::read(value).unwrap();
            assert!(rest.is_empty());
            tag
        });
        assert!(strong.equals_strongly(strong) && strong.equals_weakly(weak));
        assert!(!strong.equals_strongly(weak) && !weak.equals_strongly(weak));
        assert!(!strong.equals_weakly(other) && !strong.equals_strongly(other));
    }

    #[test]
    fn every_name_is_a_tag_that_reads_back() {
        for name in ["", "a", "\"", "é", "a\r\nb: c", "%22", "\0", "a,b", "\\"] {
            for tag in [ETag::strong(name), ETag::weak(name)] {
                let text = tag.to_string();
                assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{text}");
                assert_eq!(ETag::from_field(text.as_bytes()), Some(tag));
            }
        }
        assert_ne!(ETag::strong("%22"), ETag::strong("\""));
    }
}
