//! Targets with bytes that hyper takes only percent-encoded: `?q="x"`, `?q=<b>`, a raw
//! `é`. Clients send them and servers pass them on, so the app sees the target as it was
//! sent.
//!
//! The gate blanks such bytes in what hyper is handed, and keeps the target aside. When
//! hyper has made a request of it, [`restore`] gives it back: percent-encoded as the
//! request's URI, and as it was sent as an extension of its head.

use super::octets::{is_in_path, is_in_query};
use super::refusal::Refusal;
use http::request::Parts;
use http::{Uri, Version};

/// What stands in the place of such a byte.
pub const BLANK: u8 = b'_';

/// A target as it was sent. Bytes that are no UTF-8 are percent-encoded, since the
/// environ has text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentTarget(String);

impl SentTarget {
    /// The whole of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes after the first `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.0.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Blanks the bytes of `target` that hyper does not take. What it was before is returned.
pub fn blank(target: &mut [u8]) -> Box<[u8]> {
    let sent: Box<[u8]> = (&*target).into();
    for (place, (is_taken, _)) in target.iter_mut().zip(parts(&sent)) {
        if !is_taken {
            *place = BLANK;
        }
    }
    sent
}

/// Gives `head` the target that was blanked. Fails for one that is too long once it is
/// percent-encoded.
pub fn restore(head: &mut Parts, sent: &[u8]) -> Result<(), Refusal> {
    let mut encoded = String::with_capacity(sent.len() + 16);
    for (is_taken, octet) in parts(sent) {
        match is_taken {
            true => encoded.push(char::from(octet)),
            false => encode(octet, &mut encoded),
        }
    }
    head.uri = uri(head, encoded).ok_or(Refusal::LineTooLong)?;
    let text = std::str::from_utf8(sent).map(str::to_owned);
    let text = text.unwrap_or_else(|_| {
        let mut text = String::with_capacity(sent.len() + 16);
        for &octet in sent {
            match octet.is_ascii() {
                true => text.push(char::from(octet)),
                false => encode(octet, &mut text),
            }
        }
        text
    });
    head.extensions.insert(SentTarget(text));
    Ok(())
}

/// The target of a request, of which `encoded` is the path over HTTP/2.
fn uri(head: &Parts, encoded: String) -> Option<Uri> {
    if head.version != Version::HTTP_2 {
        return encoded.parse().ok();
    }
    let mut parts = head.uri.clone().into_parts();
    parts.path_and_query = Some(encoded.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Each byte of a target, and whether hyper takes it where it stands.
pub fn parts(target: &[u8]) -> impl Iterator<Item = (bool, u8)> + '_ {
    let query = memchr::memchr(b'?', target).unwrap_or(target.len());
    target.iter().enumerate().map(move |(at, &octet)| {
        let is_taken = match at < query {
            true => is_in_path(octet),
            false => is_in_query(octet),
        };
        (is_taken, octet)
    })
}

fn encode(octet: u8, to: &mut String) {
    to.push_str(percent_encoding::percent_encode_byte(octet));
}

#[cfg(test)]
mod tests {
    use super::super::octets::is_plain;
    use super::*;

    fn restored(sent: &[u8]) -> Parts {
        let mut blanked = sent.to_vec();
        assert_eq!(&*blank(&mut blanked), sent);
        assert_eq!(blanked.len(), sent.len());
        let uri = Uri::try_from(&blanked[..]).expect("hyper takes it");
        let request = http::Request::builder().uri(uri).body(()).unwrap();
        let mut head = request.into_parts().0;
        restore(&mut head, sent).unwrap();
        head
    }

    #[test]
    fn what_was_sent_is_given_back() {
        for (sent, uri, text) in [
            (&b"/a?q=\"x\""[..], "/a?q=%22x%22", "/a?q=\"x\""),
            (b"/<\"`>?<`>", "/%3C\"%60%3E?%3C`%3E", "/<\"`>?<`>"),
            ("/é?é=ü".as_bytes(), "/%C3%A9?%C3%A9=%C3%BC", "/é?é=ü"),
            (b"/\xe9?q=\"\xff", "/%E9?q=%22%FF", "/%E9?q=\"%FF"),
            (
                b"http://a.test:81?\"",
                "http://a.test:81/?%22",
                "http://a.test:81?\"",
            ),
        ] {
            assert!(!is_plain(sent), "{text}");
            let head = restored(sent);
            assert_eq!(head.uri.to_string(), uri);
            let kept = head.extensions.get::<SentTarget>().unwrap();
            assert_eq!(kept.as_str(), text);
            assert_eq!(
                kept.query(),
                text.split_once('?').map_or("", |(_, query)| query)
            );
        }
    }

    #[test]
    fn over_http2_it_is_the_path() {
        let request = http::Request::get("https://a.test:81/?{").version(Version::HTTP_2);
        let mut head = request.body(()).unwrap().into_parts().0;
        restore(&mut head, b"/?<").unwrap();
        assert_eq!(head.uri, "https://a.test:81/?%3C");
        assert_eq!(head.extensions.get::<SentTarget>().unwrap().as_str(), "/?<");
    }

    #[test]
    fn every_byte_that_passes_comes_back() {
        for octet in (0x21..=0xff).filter(|octet| !matches!(octet, b'#' | 0x7f)) {
            for target in [vec![b'/', octet], vec![b'/', b'?', octet]] {
                let decoded = |head: Parts| -> Vec<u8> {
                    let target = head.uri.path_and_query().unwrap().as_str();
                    percent_encoding::percent_decode_str(target).collect()
                };
                match is_plain(&target) {
                    true => assert!(Uri::try_from(target).is_ok(), "{octet}"),
                    false => assert_eq!(decoded(restored(&target)), target),
                }
            }
        }
    }

    #[test]
    fn one_that_grows_too_long_is_refused() {
        let sent = [b"/?".as_slice(), &[b'"'; 40_000]].concat();
        let mut head = http::Request::new(()).into_parts().0;
        assert_eq!(restore(&mut head, &sent), Err(Refusal::LineTooLong));
    }
}
