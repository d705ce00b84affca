//! The Common Log Format and the combined one, as Apache's mod_log_config writes
//! them: `%h %l %u %t "%r" %>s %b`, and behind that `"%{Referer}i"
//! "%{User-agent}i"`.

use super::{ClientFields, End, Entry};
use crate::environ::protocol;
use http::HeaderValue;
use std::io::Write;
use std::time::SystemTime;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The line of a request; its date is when it began. Neither identd nor a user is asked
/// for, so both are `-`.
pub fn append(line: &mut Vec<u8>, entry: &Entry, end: &End<'_>, at: SystemTime) {
    let _ = write!(line, "{} - - [", entry.from().unwrap_or("-"));
    date(line, at.checked_sub(end.receipt.wall).unwrap_or(at));
    line.extend_from_slice(b"] \"");
    escape_into(line, entry.method.as_str().as_bytes());
    line.push(b' ');
    escape_into(line, entry.target().as_bytes());
    let _ = write!(line, " {}\" {} ", protocol(entry.version), end.status());
    let _ = match end.receipt.sent {
        0 => line.write_all(b"-"),
        octets => write!(line, "{octets}"),
    };
    if let Some(client) = &entry.client {
        let ClientFields {
            referer,
            user_agent,
        } = &**client;
        for field in [referer, user_agent] {
            line.extend_from_slice(b" \"");
            let text = field.as_ref().map(HeaderValue::as_bytes);
            escape_into(line, text.unwrap_or(b"-"));
            line.push(b'"');
        }
    }
    line.push(b'\n');
}

/// `10/Oct/2000:13:55:36 +0000`, in UTC.
fn date(line: &mut Vec<u8>, time: SystemTime) {
    // 2000-10-10T13:55:36Z
    let rfc3339 = humantime::format_rfc3339_seconds(time).to_string();
    let (year, month) = (&rfc3339[..4], &rfc3339[5..7]);
    let (day, clock) = (&rfc3339[8..10], &rfc3339[11..19]);
    let month = month.parse::<usize>().unwrap_or(1);
    let month = MONTHS[(month - 1) % MONTHS.len()];
    let _ = write!(line, "{day}/{month}/{year}:{clock} +0000");
}

/// As Apache does: quotes and backslashes with a backslash, some controls by their
/// letters in C, and all else that ASCII does not print by its number.
fn escape_into(line: &mut Vec<u8>, octets: &[u8]) {
    for &octet in octets {
        let _ = match octet {
            b'"' | b'\\' => line.write_all(&[b'\\', octet]),
            b'\x08' => line.write_all(b"\\b"),
            b'\t' => line.write_all(b"\\t"),
            b'\n' => line.write_all(b"\\n"),
            b'\x0b' => line.write_all(b"\\v"),
            b'\r' => line.write_all(b"\\r"),
            b' '..=b'~' => line.write_all(&[octet]),
            octet => write!(line, "\\x{octet:02x}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn dates_are_apaches() {
        for (seconds, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (971_186_136, "10/Oct/2000:13:55:36 +0000"),
            (1_709_251_199, "29/Feb/2024:23:59:59 +0000"),
        ] {
            let mut line = Vec::new();
            date(&mut line, UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(line, expected.as_bytes());
        }
    }

    #[test]
    fn escapes_are_apaches() {
        let mut line = Vec::new();
        escape_into(&mut line, b"a\"\\\r\n\t\x08\x0b\x1b\x00\x7f\xc3\xa9 ~");
        let expected = r#"a\"\\\r\n\t\b\v\x1b\x00\x7f\xc3\xa9 ~"#;
        assert_eq!(line, expected.as_bytes());
    }
}
