//! Range (RFC 9110, section 14): a part of a body, in octets.

use std::ops::Range;

/// What is to be sent of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: 200.
    Whole,
    /// These octets: 206.
    Octets(Range<u64>),
    /// None of it, since it is not so long: 416.
    Unsatisfiable,
}

/// What the value of a Range field selects of a body of so many octets.
///
/// A field that is malformed, in another unit, or of several ranges selects the
/// whole: a server may ignore it (section 14.2).
pub(super) fn select(value: &[u8], length: u64) -> Part {
    match spec(value) {
        None => Part::Whole,
        Some(Spec::From(first, _)) if first >= length => Part::Unsatisfiable,
        Some(Spec::From(first, last)) => Part::Octets(first..last.saturating_add(1).min(length)),
        Some(Spec::Suffix(0)) => Part::Unsatisfiable,
        // The last octets of nothing are nothing, and Content-Range cannot say
        // so.
        Some(Spec::Suffix(_)) if length == 0 => Part::Whole,
        Some(Spec::Suffix(count)) => Part::Octets(length.saturating_sub(count)..length),
    }
}

/// A range as it was asked for.
enum Spec {
    /// From the one octet to the other, counted from 0.
    From(u64, u64),
    /// So many octets at the end.
    Suffix(u64),
}

fn spec(value: &[u8]) -> Option<Spec> {
    let equals = value.iter().position(|&octet| octet == b'=')?;
    let (unit, set) = value.split_at(equals);
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let mut specs = set[1..]
        .split(|&octet| octet == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|spec| !spec.is_empty());
    let (spec, None) = (specs.next()?, specs.next()) else {
        return None;
    };
    let dash = spec.iter().position(|&octet| octet == b'-')?;
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    match (first, last) {
        ([], last) => Some(Spec::Suffix(number(last)?)),
        (first, []) => Some(Spec::From(number(first)?, u64::MAX)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            // Two numbers beyond what can be counted are equal here, and
            // beyond every body.
            (first <= last).then_some(Spec::From(first, last))
        }
    }
}

/// Digits, and nothing else; what is beyond `u64` is as good as its end.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, select};

    #[test]
    fn one_range_selects_a_part() {
        for (value, octets) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-9", 0..10),
            ("bytes=2-", 2..10),
            ("bytes=9-9", 9..10),
            ("bytes=5-999999999999999999999999", 5..10),
            ("bytes=5-18446744073709551615", 5..10),
            ("bytes=-3", 7..10),
            ("bytes=-10", 0..10),
            ("bytes=-99999999999999999999999", 0..10),
            ("BYTES=1-2", 1..3),
            ("bytes=,, 1-2 ,", 1..3),
            ("bytes=0001-0002", 1..3),
        ] {
            assert_eq!(
                select(value.as_bytes(), 10),
                Part::Octets(octets),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_beyond_the_end_is_unsatisfiable() {
        for value in [
            "bytes=10-",
            "bytes=10-11",
            "bytes=99999999999999999999-",
            "bytes=-0",
        ] {
            assert_eq!(select(value.as_bytes(), 10), Part::Unsatisfiable, "{value}");
        }
        assert_eq!(select(b"bytes=0-", 0), Part::Unsatisfiable);
        assert_eq!(
            select(b"bytes=18446744073709551615-", u64::MAX),
            Part::Unsatisfiable
        );
        assert_eq!(select(b"bytes=-1", 0), Part::Whole);
    }

    #[test]
    fn what_is_malformed_or_several_is_the_whole() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=1",
            "bytes=2-1",
            "bytes=a-b",
            "bytes=1-2-3",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=1- 2",
            "bytes=1-2;",
            "bytes=0x1-",
            "bytes=0-1,3-4",
            "bytes=0-0,0-0",
            "items=0-1",
            "=0-1",
            "bytes:0-1",
            "bytes=é-",
        ] {
            assert_eq!(select(value.as_bytes(), 10), Part::Whole, "{value}");
        }
    }
}
