//! The field traceparent (W3C Trace Context, Level 2, section 3.2).

use std::fmt;

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;

/// The text of a field of version 00.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; LENGTH]);

impl Traceparent {
    /// That of a span of a trace.
    pub fn new(trace: u128, span: u64, flags: u8) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write(&mut text[3..35], trace.to_be_bytes());
        write(&mut text[36..52], span.to_be_bytes());
        write(&mut text[53..55], [flags]);
        Traceparent(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it is ASCII")
    }

    /// The part of it that is the number of the trace.
    pub fn trace_id(&self) -> &str {
        &self.as_str()[3..35]
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two digits for each of `octets`.
fn write<const N: usize>(digits: &mut [u8], octets: [u8; N]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (digits, octet) in digits.chunks_exact_mut(2).zip(octets) {
        digits[0] = DIGITS[usize::from(octet >> 4)];
        digits[1] = DIGITS[usize::from(octet & 15)];
    }
}

/// The trace, the span and the flags of a field; none if it is not right. Of a version
/// to come the parts that this one has are read (section 4.3).
pub fn parse(value: &[u8]) -> Option<(u128, u64, u8)> {
    let (known, rest) = value.split_at_checked(LENGTH)?;
    let dashes = [2, 35, 52];
    if !dashes.iter().all(|&dash| known[dash] == b'-') {
        return None;
    }
    let version = number(&known[..2])?;
    let trace = number(&known[3..35])?;
    let span = number(&known[36..52])?;
    let flags = number(&known[53..])?;
    let may_follow = match version {
        0 => rest.is_empty(),
        255 => false,
        _ => rest.is_empty() || rest[0] == b'-',
    };
    if !may_follow || trace == 0 || span == 0 {
        return None;
    }
    // As many digits as each has bits for.
    Some((trace, span as u64, flags as u8))
}

/// A number in lower-case hexadecimal, of as many digits as there are.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
    const SPAN: u64 = 0xb7ad_6b71_6920_3331;

    #[test]
    fn what_is_written_is_read() {
        let parent = Traceparent::new(TRACE, SPAN, 1);
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(parent.as_str(), text);
        assert_eq!(parent.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parse(text.as_bytes()), Some((TRACE, SPAN, 1)));
    }

    #[test]
    fn only_what_is_right_is_read() {
        let wrong = [
            "",
            "00",
            // Upper case, in each part.
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
            // Nothing but zeros.
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            // The version that never is.
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            // Version 00 has no more parts; those of others are set apart.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-012",
            // Digits that are none, and dashes elsewhere.
            "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331 01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            " 0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ];
        for text in wrong {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        for text in [
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-will-be",
        ] {
            assert_eq!(parse(text.as_bytes()), Some((TRACE, SPAN, 1)), "{text}");
        }
    }
}
