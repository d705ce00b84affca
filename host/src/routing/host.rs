//! Names of hosts, in the one form in which they are compared.

use std::fmt;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Octets of the longest name there is (RFC 1035, section 2.3.4). No longer one is
/// looked up.
const LONGEST: usize = 255;

/// Labels of a host that an app has, at most: as many names are above it, and each is
/// looked up.
const LABELS: usize = 20;

/// Room for a name in the form in which it is compared.
pub(super) struct Room([u8; LONGEST]);

impl Room {
    pub(super) fn new() -> Self {
        Room([0; LONGEST])
    }
}

/// A host that an app has: a name, an address, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    /// In the form in which it is compared; of a wildcard what follows `*.`.
    name: String,
    is_wildcard: bool,
}

impl Host {
    /// The name in the form in which it is compared; of a wildcard what follows `*.`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it stands for all names below its own.
    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// The names that it is below, the longest first.
    pub fn above(&self) -> impl Iterator<Item = &str> {
        let name = match self.is_address() {
            true => "",
            false => &*self.name,
        };
        let mut next = Some(name);
        std::iter::from_fn(move || {
            let (_, above) = next?.split_once('.')?;
            next = Some(above);
            next
        })
    }

    /// All names below each name that it is below, the longest first.
    pub fn wildcards_above(&self) -> impl Iterator<Item = Host> {
        self.above().map(|above| Host {
            name: above.to_owned(),
            is_wildcard: true,
        })
    }

    /// Whether it is one of the names, or all names, below which anybody may register:
    /// `co.uk`, `github.io`, `*.test`. Cookies for all of it are nobody's to set
    /// (<https://publicsuffix.org>). A name of one label is one of them.
    pub fn is_public_suffix(&self) -> bool {
        let is_suffix = |name: &[u8]| psl::suffix(name).is_none_or(|suffix| suffix == name);
        // Of some names those below are suffixes, as of kobe.jp all but city.kobe.jp.
        let has_suffixes = || is_suffix(format!("x.{}", self.name).as_bytes());
        !self.is_address()
            && (is_suffix(self.name.as_bytes()) || self.is_wildcard && has_suffixes())
    }

    fn is_address(&self) -> bool {
        self.name.starts_with('[') || self.name.parse::<Ipv4Addr>().is_ok()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.is_wildcard { "*." } else { "" };
        write!(f, "{star}{}", self.name)
    }
}

impl FromStr for Host {
    type Err = String;

    /// Reads `shop.example`, `*.shop.example`, `192.0.2.1` or `[2001:db8::1]`.
    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a name as shop.example, *.shop.example, or an address as 192.0.2.1 or [2001:db8::1]";
        if text == "*" {
            return Err("any host is what an app has that names none; leave hosts out".into());
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(format!(
                "an address of IPv6 has brackets here; write [{text}]"
            ));
        }
        if !text.is_ascii() {
            return Err("browsers ask for it in ASCII; write it as they do, xn--...".into());
        }
        if text.contains("://") || text.contains('/') {
            return Err(format!("{EXPECTED}, without scheme and path"));
        }
        let (is_wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut room = Room::new();
        let name = normal(rest, &mut room).ok_or(EXPECTED)?;
        let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
        if is_address {
            return match is_wildcard {
                true => Err("there is nothing below an address; leave out `*.`".into()),
                false => Ok(Host {
                    name: name.to_owned(),
                    is_wildcard,
                }),
            };
        }
        if name.contains(':') {
            return Err("the port is not part of it: an app has all that are listened on".into());
        }
        let is_label = |label: &str| {
            let is_of_one =
                |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(is_of_one)
        };
        if name.split('.').count() > LABELS {
            return Err(format!("expected a name of {LABELS} labels at most"));
        }
        match name.split('.').all(is_label) {
            true => Ok(Host {
                name: name.to_owned(),
                is_wildcard,
            }),
            false => Err(EXPECTED.into()),
        }
    }
}

/// `host` in the form in which hosts are compared: in lower case, without the dot
/// that ends a name (RFC 9110, section 4.2.3), an address of IPv6 as RFC 5952 writes
/// it. None if it is no host.
pub(super) fn normal<'a>(host: &str, room: &'a mut Room) -> Option<&'a str> {
    let Room(room) = room;
    if let Some(inner) = host.strip_prefix('[') {
        let addr: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        let mut rest = &mut room[..];
        write!(rest, "[{addr}]").ok()?;
        let length = LONGEST - rest.len();
        return str::from_utf8(&room[..length]).ok();
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let room = room.get_mut(..host.len())?;
    room.copy_from_slice(host.as_bytes());
    room.make_ascii_lowercase();
    str::from_utf8(room).ok().filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_the_same_look_the_same() {
        for (text, form) in [
            ("Shop.Example", "shop.example"),
            ("shop.example.", "shop.example"),
            ("*.Shop.example", "*.shop.example"),
            ("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"),
            ("192.0.2.1", "192.0.2.1"),
            ("localhost", "localhost"),
            ("a_b.xn--bcher-kva.example", "a_b.xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), form);
        }
    }

    #[test]
    fn a_host_is_below_others() {
        let host = |text: &str| text.parse::<Host>().unwrap();
        let above = |text: &str| host(text).above().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(above("a.b.test"), ["b.test", "test"]);
        assert_eq!(above("*.b.test"), ["test"]);
        for none in ["test", "192.0.2.1", "[2001:db8::1]"] {
            assert!(above(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn public_suffixes_are_known() {
        for (text, is_one) in [
            ("com", true),
            ("co.uk", true),
            ("*.co.uk", true),
            ("*.uk", true),
            ("github.io", true),
            ("*.github.io", true),
            ("xn--55qx5d.cn", true),
            ("anything.ck", true),
            ("www.ck", false),
            ("*.kobe.jp", true),
            ("x.kobe.jp", true),
            ("kobe.jp", false),
            ("city.kobe.jp", false),
            ("*.city.kobe.jp", false),
            ("*.ck", true),
            ("*.www.ck", false),
            ("shop.co.uk", false),
            ("*.shop.co.uk", false),
            ("shop.github.io", false),
            ("example.com", false),
            ("localhost", true),
            ("*.localhost", true),
            ("shop.localhost", false),
            ("shop.test", false),
            ("192.0.2.1", false),
            ("[2001:db8::1]", false),
        ] {
            let host: Host = text.parse().unwrap();
            assert_eq!(host.is_public_suffix(), is_one, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_what_to_write() {
        for (text, says) in [
            ("", "expected a name"),
            (".", "expected a name"),
            ("*", "leave hosts out"),
            ("*.", "expected a name"),
            ("a.*.b", "expected a name"),
            ("a..b", "expected a name"),
            ("a b", "expected a name"),
            ("shop.example:80", "the port"),
            ("http://shop.example", "without scheme"),
            ("bücher.example", "xn--"),
            ("::1", "[::1]"),
            ("[::1", "expected a name"),
            ("*.192.0.2.1", "leave out"),
        ] {
            let said = text.parse::<Host>().unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
        let labels = |count: usize| format!("{}test", "a.".repeat(count - 1));
        assert!(labels(LABELS).parse::<Host>().is_ok());
        assert!(format!("*.{}", labels(LABELS)).parse::<Host>().is_ok());
        assert!(labels(LABELS + 1).parse::<Host>().is_err());
        assert!("a".repeat(64).parse::<Host>().is_err());
        assert!("a.".repeat(200).parse::<Host>().is_err());
    }

    #[test]
    fn a_host_that_was_asked_for_may_be_anything() {
        for host in ["", ".", "[", "[]", "[::1", "[::1%25eth0]", "\u{e9}", "%41"] {
            let mut room = Room::new();
            let found = normal(host, &mut room);
            assert!(found.is_none_or(|found| !found.is_empty()), "{host}");
        }
        assert_eq!(normal(&"a".repeat(256), &mut Room::new()), None);
    }
}
