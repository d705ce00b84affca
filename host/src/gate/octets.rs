//! Which octets may stand where.

/// Octets of a token (RFC 9110, section 5.6.2): methods, field names, names of
/// chunk extensions.
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Octets of a host name (RFC 3986, section 3.2.2): unreserved, sub-delims, and
/// what percent-encoding needs.
const NAME: [bool; 256] = table(b"-._~!$&'()*+,;=%");

/// Octets of a path, and the `?` before its query, that hyper takes. Beside those of RFC
/// 3986, section 3.3, some of what browsers and scripts send unencoded.
const PATH: [bool; 256] = table(b"-._~!$&'()*+,;=%:@/?[]\\^|\"{}");

/// Octets of a query that hyper takes.
const QUERY: [bool; 256] = table(b"-._~!$&'()*+,;=%:@/?[]\\^|{}`");

/// Octets of a path and its query: anything that can be seen, but a fragment, which is
/// never sent.
const TARGET: [bool; 256] = visible();

const fn visible() -> [bool; 256] {
    let mut table = [false; 256];
    let mut octet = 0x21;
    while octet < 256 {
        table[octet] = octet != 0x7f && octet != b'#' as usize;
        octet += 1;
    }
    table
}

/// Letters, digits and `others`.
const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 128 {
        table[octet] = (octet as u8).is_ascii_alphanumeric();
        octet += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

fn all(octets: &[u8], table: &[bool; 256]) -> bool {
    octets.iter().all(|&octet| table[octet as usize])
}

/// Whether it is a token.
pub fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && all(octets, &TOKEN)
}

/// How many of the first octets could be a token.
pub fn token_length(octets: &[u8]) -> usize {
    octets
        .iter()
        .position(|&octet| !TOKEN[octet as usize])
        .unwrap_or(octets.len())
}

/// Whether it is a path, with or without a query.
pub fn is_path_and_query(octets: &[u8]) -> bool {
    all(octets, &TARGET)
}

/// Whether it is a path, with or without a query, that hyper takes as it is.
pub fn is_plain(octets: &[u8]) -> bool {
    match memchr::memchr(b'?', octets) {
        Some(query) => all(&octets[..query], &PATH) && all(&octets[query..], &QUERY),
        None => all(octets, &PATH),
    }
}

/// Whether hyper takes it in a path, or as the `?` after it.
pub fn is_in_path(octet: u8) -> bool {
    PATH[octet as usize]
}

/// Whether hyper takes it in a query, or as the `?` before it.
pub fn is_in_query(octet: u8) -> bool {
    QUERY[octet as usize]
}

/// Whether it has no control character but tabs, as a field's value and a chunk's
/// extension.
pub fn is_printable(octets: &[u8]) -> bool {
    // No early end, so that the compiler may look at many at a time.
    octets.iter().fold(true, |printable, &octet| {
        printable & ((octet >= b' ') | (octet == b'\t')) & (octet != 0x7f)
    })
}

/// Whether an Expect of this value is met: `100-continue`, or a list of no members, which
/// says as much as no field (RFC 9110, section 5.6.1).
pub fn is_expected(value: &[u8]) -> bool {
    let is_nothing = || {
        value
            .iter()
            .all(|octet| matches!(octet, b',' | b' ' | b'\t'))
    };
    value.eq_ignore_ascii_case(b"100-continue") || is_nothing()
}

/// Without blanks and tabs at its ends.
pub fn trimmed(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = octets {
        octets = rest;
    }
    octets
}

/// Whether it is `host` or `host:port` (RFC 3986, section 3.2, without user
/// information). An empty host is one: it says that there is none.
pub fn is_authority(octets: &[u8]) -> bool {
    let (host_is_right, port) = if let [b'[', rest @ ..] = octets {
        let Some(end) = memchr::memchr(b']', rest) else {
            return false;
        };
        (is_ip_literal(&rest[..end]), &rest[end + 1..])
    } else {
        let end = memchr::memchr(b':', octets).unwrap_or(octets.len());
        (all(&octets[..end], &NAME), &octets[end..])
    };
    host_is_right && is_port(port)
}

/// Nothing, or a colon and a number of at most 65535.
fn is_port(octets: &[u8]) -> bool {
    match octets {
        [] => true,
        [b':', digits @ ..] => digits.is_empty() || number(digits).is_some_and(|n| n <= 65535),
        _ => false,
    }
}

fn is_ip_literal(octets: &[u8]) -> bool {
    let text = std::str::from_utf8(octets).unwrap_or_default();
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// 1*DIGIT, within 64 bits.
pub fn number(octets: &[u8]) -> Option<u64> {
    if octets.is_empty() {
        return None;
    }
    octets.iter().try_fold(0u64, |number, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        for right in [
            "",
            "a",
            "a.test:80",
            "a:",
            "[::1]",
            "[::1]:8000",
            "a_b",
            "127.0.0.1:1",
            "%41",
        ] {
            assert!(is_authority(right.as_bytes()), "{right}");
        }
        for wrong in [
            "a b", "a:b", "a:65536", "a:-1", "[::1", "[::1]x", "[x]", "a@b", "a/b", "a:1:2", "é",
            "a\"", "[]",
        ] {
            assert!(!is_authority(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(number(b"0012"), Some(12));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "+1", "-1", "1 ", "0x1", "1_0", "18446744073709551616"] {
            assert_eq!(number(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn what_hyper_takes() {
        for octet in 0..=255u8 {
            let path = vec![b'/', octet];
            let query = vec![b'/', b'?', octet];
            for (target, taken) in [(path, is_in_path(octet)), (query, is_in_query(octet))] {
                // hyper's parser would drop a fragment without a word.
                let hypers =
                    octet.is_ascii() && octet != b'#' && http::Uri::try_from(target).is_ok();
                assert_eq!(taken, hypers, "{octet}");
                assert!(!taken || is_path_and_query(&[octet]), "{octet}");
            }
        }
    }

    #[test]
    fn a_target_is_what_can_be_seen() {
        assert!(is_path_and_query("/<é>`\"?<é>`\"".as_bytes()));
        assert!(is_path_and_query(b"/\xe9"));
        for wrong in [b' ', b'\t', b'#', 0, 0x1f, 0x7f] {
            assert!(!is_path_and_query(&[b'/', wrong]), "{wrong}");
        }
    }

    #[test]
    fn what_may_be_expected() {
        for met in ["", ",", " , ,", "100-continue", "100-Continue"] {
            assert!(is_expected(met.as_bytes()), "{met:?}");
        }
        for unmet in ["a miracle", "100-continue, a", ", a", "100"] {
            assert!(!is_expected(unmet.as_bytes()), "{unmet:?}");
        }
    }

    #[test]
    fn blanks_go_at_both_ends() {
        assert_eq!(trimmed(b" \t a b\t"), b"a b");
        assert_eq!(trimmed(b"  "), b"");
    }
}
