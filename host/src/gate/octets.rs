//! Which octets may stand where.

/// Octets of a token (RFC 9110, section 5.6.2): methods, field names, names of
/// chunk extensions.
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Octets of a host name (RFC 3986, section 3.2.2): unreserved, sub-delims, and
/// what percent-encoding needs.
const NAME: [bool; 256] = table(b"-._~!$&'()*+,;=%");

/// Octets of a path, and the `?` before its query. Beside those of RFC 3986,
/// section 3.3, what browsers and scripts send unencoded and hyper takes.
const PATH: [bool; 256] = table(b"-._~!$&'()*+,;=%:@/?[]\\^|\"{}");

/// Octets of a query.
const QUERY: [bool; 256] = table(b"-._~!$&'()*+,;=%:@/?[]\\^|{}`");

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
    match memchr::memchr(b'?', octets) {
        Some(query) => all(&octets[..query], &PATH) && all(&octets[query..], &QUERY),
        None => all(octets, &PATH),
    }
}

/// Whether it has no control character but tabs, as a field's value and a chunk's
/// extension.
pub fn is_printable(octets: &[u8]) -> bool {
    // No early end, so that the compiler may look at many at a time.
    octets.iter().fold(true, |printable, &octet| {
        printable & ((octet >= b' ') | (octet == b'\t')) & (octet != 0x7f)
    })
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
    fn a_path_that_is_taken_is_one_that_hyper_takes() {
        for octet in 0..=255u8 {
            for path in [vec![b'/', octet], vec![b'/', b'?', octet]] {
                // hyper's parser would drop a fragment without a word.
                let taken = is_path_and_query(&path) && octet != b'#';
                let hypers = octet.is_ascii() && octet != b'#' && http::Uri::try_from(path).is_ok();
                assert_eq!(taken, hypers, "{octet}");
            }
        }
    }

    #[test]
    fn blanks_go_at_both_ends() {
        assert_eq!(trimmed(b" \t a b\t"), b"a b");
        assert_eq!(trimmed(b"  "), b"");
    }
}
