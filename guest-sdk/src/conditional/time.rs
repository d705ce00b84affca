//! Times of fields: whole seconds since 1970 (RFC 9110, section 5.6.7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::request::Request;

/// The last second of the year 9999, the last that the format can say.
const LAST: u64 = 253_402_300_799;

/// A time as a field has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Seconds(u64);

impl Seconds {
    /// `None` for a time that the format cannot say. Parts of a second go: a
    /// client only ever sees whole ones.
    pub(super) fn new(time: SystemTime) -> Option<Seconds> {
        let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
        (seconds <= LAST).then_some(Seconds(seconds))
    }

    /// Reads any of the three formats.
    pub(super) fn from_field(value: &[u8]) -> Option<Seconds> {
        let text = str::from_utf8(value).ok()?.trim_ascii();
        Seconds::new(httpdate::parse_http_date(text).ok()?)
    }

    /// The date of a field that is there once and is a date; any other is
    /// ignored, as RFC 9110 has it (sections 13.1.3 and 13.1.4).
    pub(super) fn of(request: &Request, name: &str) -> Option<Seconds> {
        let mut values = request.headers().get_all(name);
        let value = values.next()?;
        match values.next() {
            None => Seconds::from_field(value),
            Some(_) => None,
        }
    }
}

impl std::fmt::Display for Seconds {
    /// As `Sun, 06 Nov 1994 08:49:37 GMT`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = UNIX_EPOCH + Duration::from_secs(self.0);
        httpdate::HttpDate::from(time).fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{LAST, Seconds};

    #[test]
    fn a_time_that_no_field_can_say_is_none() {
        let at = |seconds| Seconds::new(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(
            at(LAST).unwrap().to_string(),
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
        assert!(at(LAST + 1).is_none());
        assert!(Seconds::new(UNIX_EPOCH - Duration::from_millis(1)).is_none());
    }

    #[test]
    fn reads_the_three_formats_and_nothing_else() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(
                Seconds::from_field(text.as_bytes()),
                Some(Seconds(784_111_777))
            );
        }
        for text in [
            "",
            "0",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "\u{0}",
            "é",
            "Sun, 06 Nov 0000 08:49:37 GMT",
        ] {
            assert_eq!(Seconds::from_field(text.as_bytes()), None, "{text:?}");
        }
    }
}
