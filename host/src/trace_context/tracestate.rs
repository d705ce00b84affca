//! The field tracestate (W3C Trace Context, Level 2, section 3.3): what others know of
//! a trace, each under its own key.

/// Entries that a list has at the most (section 3.3.1.1).
const MOST_MEMBERS: usize = 32;
/// Octets of a list that are handed on (section 3.3.1.5).
const MOST_OCTETS: usize = 512;
/// An entry that is longer goes first, where there are too many octets.
const LONG: usize = 128;
/// Octets of a key, and of a value.
const MOST_OF_ONE: usize = 256;

/// The list that these fields are, one after the other, as one field of at most 512
/// octets. None if it is empty, or if anything of it is not right: then all of it is
/// worth nothing.
pub fn parse<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut members: Vec<&str> = Vec::new();
    for field in fields {
        for member in field.split(|&octet| octet == b',') {
            let member = trim(member);
            // Two commas without anything between them are allowed.
            if member.is_empty() {
                continue;
            }
            let member = std::str::from_utf8(member).ok()?;
            let key = key(member)?;
            if members.len() == MOST_MEMBERS
                || members.iter().any(|other| self::key(other) == Some(key))
            {
                return None;
            }
            members.push(member);
        }
    }
    shorten(&mut members);
    (!members.is_empty()).then(|| members.join(","))
}

/// Takes entries out until the rest may be handed on: long ones first, then those that
/// came last, which are the oldest. None is cut in two.
fn shorten(members: &mut Vec<&str>) {
    let octets = |members: &[&str]| {
        let commas = members.len().saturating_sub(1);
        members.iter().map(|member| member.len()).sum::<usize>() + commas
    };
    if octets(members) > MOST_OCTETS {
        members.retain(|member| member.len() <= LONG);
    }
    while octets(members) > MOST_OCTETS {
        members.pop();
    }
}

/// The key of an entry, if the entry is right.
fn key(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let begins = |octet: &u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let is_of_key = |octet: u8| begins(&octet) || b"_-*/@".contains(&octet);
    let is_of_value = |octet: u8| (b' '..=b'~').contains(&octet) && !b",=".contains(&octet);
    let is_right = (1..=MOST_OF_ONE).contains(&key.len())
        && key.as_bytes().first().is_some_and(begins)
        && key.bytes().all(is_of_key)
        && (1..=MOST_OF_ONE).contains(&value.len())
        && value.bytes().all(is_of_value);
    is_right.then_some(key)
}

/// Without optional white space around it (RFC 9110, section 5.6.3).
fn trim(mut member: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = member {
        member = rest;
    }
    member
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[&str]) -> Option<String> {
        parse(fields.iter().map(|field| field.as_bytes()))
    }

    #[test]
    fn a_list_keeps_its_order() {
        assert_eq!(of(&["a=1 ,\tb=2", "", ", ,c=3,"]).unwrap(), "a=1,b=2,c=3");
        let right = "fw529a3039@dt=FfAAAAAAaB,0/*-_=! \"#<>~";
        assert_eq!(of(&[right]).unwrap(), right);
        assert_eq!(of(&["", " , "]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_is_not_right_is_worth_nothing() {
        let long = "x".repeat(257);
        for wrong in [
            "a",
            "=1",
            "a=",
            "A=1",
            "@a=1",
            "_a=1",
            "a b=1",
            "a=1=2",
            "a=\u{e9}",
            "a=\x7f",
            "a=1,b",
            "a=1,b=2,a=3",
            &format!("{long}=1"),
            &format!("a={long}"),
        ] {
            assert_eq!(of(&["ok=1", wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn there_are_no_more_than_32() {
        let member = |number: usize| format!("k{number}=1");
        let list = |most| (0..most).map(member).collect::<Vec<_>>().join(",");
        assert_eq!(of(&[&list(32)]).unwrap(), list(32));
        assert_eq!(of(&[&list(33)]), None);
    }

    #[test]
    fn no_more_is_handed_on_than_others_take() {
        let (long, short) = ("x".repeat(200), "x".repeat(97));
        // The long ones are left out, as there are more than 512 octets.
        let list = format!("a={short},b={long},c={short},d={long}");
        assert_eq!(of(&[&list]).unwrap(), format!("a={short},c={short}"));
        // 5 of 99 octets, with commas between them, are 499.
        let member = |key: char| format!("{key}={short}");
        let list = |keys: &str| keys.chars().map(member).collect::<Vec<_>>().join(",");
        assert_eq!(of(&[&list("abcdefg")]).unwrap(), list("abcde"));
        // 512 octets are not too many, however they come.
        let whole = format!("a={},b={}", "x".repeat(253), "x".repeat(254));
        assert_eq!(whole.len(), 512);
        assert_eq!(of(&[&whole]).unwrap(), whole);
    }
}
