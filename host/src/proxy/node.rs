//! Somebody on the way of a request, as proxies write it.

use std::net::{IpAddr, Ipv6Addr};

/// An address, and a port where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The address; one of IPv4 that was written as one of IPv6 is of IPv4 again.
    pub addr: IpAddr,
    /// The port; 0 where none was written.
    pub port: u16,
}

impl Node {
    /// Reads `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, and,
    /// as X-Forwarded-For has it, `2001:db8::1`. A port may be hidden (RFC 7239,
    /// section 6.3: `_x`). None for `unknown`, for a name that hides somebody
    /// (`_x`), and for what is nothing at all.
    pub fn parse(text: &str) -> Option<Self> {
        let (addr, port) = if let Some(rest) = text.strip_prefix('[') {
            let (addr, port) = rest.split_once(']')?;
            (IpAddr::V6(addr.parse().ok()?), port)
        } else if let Ok(addr) = text.parse::<Ipv6Addr>() {
            (IpAddr::V6(addr), "")
        } else {
            let end = text.find(':').unwrap_or(text.len());
            (IpAddr::V4(text[..end].parse().ok()?), &text[end..])
        };
        Some(Node {
            addr: addr.to_canonical(),
            port: match port.strip_prefix(':') {
                Some(port) => port_number(port)?,
                None if port.is_empty() => 0,
                None => return None,
            },
        })
    }
}

fn port_number(text: &str) -> Option<u16> {
    let is_digits = text.bytes().all(|octet| octet.is_ascii_digit());
    match text.strip_prefix('_') {
        Some(hidden) => is_obfuscated(hidden).then_some(0),
        // `parse` alone would take `+80`.
        None => is_digits.then(|| text.parse().ok())?,
    }
}

/// RFC 7239, section 6.3, behind its underscore.
fn is_obfuscated(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_ports() {
        for (text, addr, port) in [
            ("192.0.2.1", "192.0.2.1", 0),
            ("192.0.2.1:65535", "192.0.2.1", 65535),
            ("192.0.2.1:_hidden", "192.0.2.1", 0),
            ("[2001:db8::1]", "2001:db8::1", 0),
            ("[2001:db8::1]:443", "2001:db8::1", 443),
            ("[2001:db8::1]:_a.b-c", "2001:db8::1", 0),
            ("2001:db8::1", "2001:db8::1", 0),
            ("::ffff:192.0.2.1", "192.0.2.1", 0),
            ("[::ffff:192.0.2.1]:1", "192.0.2.1", 1),
        ] {
            let addr = addr.parse().unwrap();
            assert_eq!(Node::parse(text), Some(Node { addr, port }), "{text}");
        }
    }

    #[test]
    fn what_names_nobody() {
        for text in [
            "",
            "unknown",
            "_hidden",
            "localhost",
            "192.0.2",
            "192.0.2.256",
            "192.0.2.01",
            "192.0.2.1:",
            "192.0.2.1:+80",
            "192.0.2.1:65536",
            "192.0.2.1:80:80",
            "192.0.2.1:_",
            "192.0.2.1:_a b",
            "192.0.2.1 ",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]80",
            "[2001:db8::1]:",
            "[fe80::1%eth0]",
            "[]",
            ":80",
            "\u{661}92.0.2.1",
            "192.0.2.1\r\nx: y",
        ] {
            assert_eq!(Node::parse(text), None, "{text}");
        }
    }
}
