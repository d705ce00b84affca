//! Forwarded (RFC 7239).

use super::{Told, is_host, scheme, walk};
use crate::gate::octets;
use http::HeaderMap;
use http::header::FORWARDED;
use std::borrow::Cow;
use std::net::IpAddr;

/// What one proxy said: an element of the list, of which others are not read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Element<'a> {
    /// `for`, whom it serves.
    pub client: Option<Cow<'a, str>>,
    /// `proto`, over what.
    pub proto: Option<Cow<'a, str>>,
    /// `host`, which it asked for.
    pub host: Option<Cow<'a, str>>,
}

/// What the field says, of addresses that `trusts` knows as proxies'. Scheme and
/// host are those that the same proxy saw which saw the client. An element that
/// breaks the grammar says nothing, and those before it are not read.
pub fn told(headers: &HeaderMap, trusts: impl Fn(IpAddr) -> bool) -> Told<'_> {
    let mut last = Element::default();
    let from_the_right = headers.get_all(FORWARDED).into_iter().rev();
    let clients = from_the_right
        .flat_map(|field| elements(field.as_bytes()))
        .map(|text| {
            last = element(text).unwrap_or_default();
            last.client.clone().unwrap_or_default()
        });
    let (client, _) = walk(clients, trusts);
    Told {
        client,
        scheme: last.proto.and_then(|text| scheme(&text)),
        host: last.host.filter(|text| is_host(text)),
        port: None,
    }
}

/// The elements of a field, from the right; empty ones are left out (RFC 9110,
/// section 5.6.1).
///
/// The other way round a quote that a client opened and did not close would take
/// in what the proxies have added behind it.
pub fn elements(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(field);
    std::iter::from_fn(move || {
        let field = rest?;
        let comma = last_comma(field);
        rest = comma.map(|comma| &field[..comma]);
        Some(field[comma.map_or(0, |comma| comma + 1)..].trim_ascii())
    })
    .filter(|element| !element.is_empty())
}

/// The last comma that is not within quotes.
fn last_comma(field: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, octet) in field.iter().enumerate().rev() {
        match octet {
            b'"' if quoted => {
                // With an odd number of backslashes before it, it is a part of
                // the quoted text.
                let before = field[..at].iter().rev();
                quoted = before.take_while(|&&octet| octet == b'\\').count() % 2 == 1;
            }
            b'"' => quoted = true,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Reads `for=192.0.2.1;proto=https`: names with values, of which each name stands
/// once (section 4). None if it breaks the grammar.
pub fn element(text: &[u8]) -> Option<Element<'_>> {
    let mut element = Element::default();
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        // A pair may be missing, as after the last semicolon.
        if !matches!(rest, [] | [b';', ..]) {
            let (name, value, after) = pair(rest)?;
            let place = match name {
                _ if name.eq_ignore_ascii_case(b"for") => Some(&mut element.client),
                _ if name.eq_ignore_ascii_case(b"proto") => Some(&mut element.proto),
                _ if name.eq_ignore_ascii_case(b"host") => Some(&mut element.host),
                _ => None,
            };
            if let Some(place) = place
                && place.replace(value).is_some()
            {
                return None;
            }
            rest = after.trim_ascii_start();
        }
        match rest {
            [] => return Some(element),
            [b';', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// A name, its value, and what stands behind them.
fn pair(text: &[u8]) -> Option<(&[u8], Cow<'_, str>, &[u8])> {
    let end = octets::token_length(text);
    let (name, rest) = text.split_at(end);
    let rest = rest.strip_prefix(b"=").filter(|_| end > 0)?;
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let (value, rest) = quoted_string(quoted)?;
        return Some((name, value, rest));
    }
    let (value, rest) = rest.split_at(octets::token_length(rest));
    let value = std::str::from_utf8(value).ok()?;
    (!value.is_empty()).then_some((name, Cow::Borrowed(value), rest))
}

/// What stands up to the closing quote, its escapes undone (RFC 9110, section
/// 5.6.4), and what stands behind it.
fn quoted_string(text: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let end = memchr::memchr2(b'"', b'\\', text)?;
    if text[end] == b'"' {
        let value = std::str::from_utf8(&text[..end]).ok()?;
        return Some((Cow::Borrowed(value), &text[end + 1..]));
    }
    let mut value = Vec::new();
    let mut octets = text.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => return Some((String::from_utf8(value).ok()?.into(), &text[at + 1..])),
            b'\\' => value.push(*octets.next()?.1),
            octet => value.push(*octet),
        }
    }
    None
}

#[cfg(test)]
mod tests;
