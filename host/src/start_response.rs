//! `start-response`: what a guest may send as status and fields (PEP 3333, "The
//! start_response() Callable"), decided in one place.

use crate::gateway::{FieldFault, InvalidField, StartError};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};

/// What a field costs beyond its octets, so that a million empty fields are as
/// bounded as one long one. HTTP/2 counts a field in the same way (RFC 9113,
/// section 6.5.2).
const FIELD_OVERHEAD: u64 = 32;

/// The head of a response as a guest gave it, checked.
#[derive(Debug)]
pub struct ResponseHead {
    /// From 200 to 599.
    pub status: StatusCode,
    /// Everything but Content-Length, which is `length`.
    pub headers: HeaderMap,
    /// The announced length of the body, in octets.
    pub length: Option<u64>,
}

impl ResponseHead {
    /// An empty head with a checked status (RFC 9110, section 15: 100 to 599, of
    /// which the interim ones are the server's).
    pub fn new(status: u16, fields: usize) -> Result<Self, StartError> {
        let status = match status {
            200..=599 => StatusCode::from_u16(status).expect("three digits"),
            _ => return Err(StartError::InvalidStatus(status)),
        };
        // Bounded: the number comes from the guest.
        Ok(ResponseHead {
            status,
            headers: HeaderMap::with_capacity(fields.min(64)),
            length: None,
        })
    }

    /// Adds the field at `index` of the guest's list.
    pub fn push(&mut self, index: u32, name: &str, value: &[u8]) -> Result<(), StartError> {
        let refuse = |fault| StartError::InvalidHeader(InvalidField { index, fault });
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse(FieldFault::InvalidName))?;
        if is_hop_by_hop(&name) {
            return Err(refuse(FieldFault::HopByHop));
        }
        // Optional white space around a value is not part of it (RFC 9112,
        // section 5), and frameworks do send it.
        let value = trim_ows(value);
        if name == CONTENT_LENGTH {
            let length = parse_length(value).ok_or(refuse(FieldFault::ContentLength))?;
            if self.length.is_some_and(|before| before != length) {
                return Err(refuse(FieldFault::ContentLength));
            }
            self.length = Some(length);
            return Ok(());
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| refuse(FieldFault::InvalidValue))?;
        // `append` keeps repeats apart: Set-Cookie must not be merged (RFC 6265,
        // section 3).
        self.headers
            .try_append(name, value)
            .map_err(|_| StartError::HeadersTooLarge(u64::from(index)))?;
        Ok(())
    }

    /// Whether a response with this head has a body at all (RFC 9110, section
    /// 6.4.1).
    pub fn has_body(&self) -> bool {
        !matches!(
            self.status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
    }
}

/// Counts the octets of fields against a limit, before they are looked at.
#[derive(Debug)]
pub struct FieldBudget {
    left: u64,
    limit: u64,
}

impl FieldBudget {
    /// A budget of `limit` octets.
    pub fn new(limit: u64) -> Self {
        FieldBudget { left: limit, limit }
    }

    /// Takes a field of so many octets of name and value.
    pub fn take(&mut self, octets: usize) -> Result<(), StartError> {
        let cost = (octets as u64).saturating_add(FIELD_OVERHEAD);
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(StartError::HeadersTooLarge(self.limit)),
        }
    }
}

/// Fields that belong to one connection and thus to the server (RFC 9110,
/// section 7.6.1; PEP 3333, "Other HTTP Features").
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

fn trim_ows(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |last| last + 1);
    &value[start..end]
}

/// 1*DIGIT (RFC 9110, section 8.6); no sign, no blank, nothing past u64.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(name: &str, value: &[u8]) -> Result<ResponseHead, StartError> {
        let mut head = ResponseHead::new(200, 1)?;
        head.push(0, name, value)?;
        Ok(head)
    }

    fn fault(result: Result<ResponseHead, StartError>) -> FieldFault {
        match result {
            Err(StartError::InvalidHeader(InvalidField { fault, .. })) => fault,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn statuses_from_200_to_599() {
        for status in [0, 99, 100, 101, 199, 600, 999, u16::MAX] {
            assert_eq!(
                ResponseHead::new(status, 0).unwrap_err(),
                StartError::InvalidStatus(status)
            );
        }
        assert!(ResponseHead::new(200, 0).is_ok() && ResponseHead::new(599, 0).is_ok());
    }

    #[test]
    fn nothing_splits_a_response() {
        for value in [
            &b"a\r\nset-cookie: x"[..],
            b"a\nb",
            b"a\rb",
            b"a\0b",
            b"a\x7fb",
        ] {
            assert_eq!(fault(push("x-a", value)), FieldFault::InvalidValue);
        }
        for name in ["", "a b", "a:", "a\r\n", "é"] {
            assert_eq!(fault(push(name, b"x")), FieldFault::InvalidName);
        }
    }

    #[test]
    fn the_connection_belongs_to_the_server() {
        for name in [
            "Connection",
            "keep-alive",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Proxy-Connection",
        ] {
            assert_eq!(fault(push(name, b"x")), FieldFault::HopByHop);
        }
    }

    #[test]
    fn one_content_length() {
        assert_eq!(push("Content-Length", b" 12 ").unwrap().length, Some(12));
        for value in [
            &b""[..],
            b"+1",
            b"-1",
            b"1 2",
            b"0x10",
            b"1,1",
            b"99999999999999999999",
        ] {
            assert_eq!(
                fault(push("content-length", value)),
                FieldFault::ContentLength
            );
        }
        let mut head = push("content-length", b"5").unwrap();
        assert!(head.push(1, "Content-Length", b"5").is_ok());
        assert!(head.push(2, "Content-Length", b"6").is_err());
    }

    #[test]
    fn repeats_stay_apart_and_blanks_go() {
        let mut head = ResponseHead::new(200, 2).unwrap();
        head.push(0, "Set-Cookie", b" a=1").unwrap();
        head.push(1, "set-cookie", b"b=2\t").unwrap();
        let cookies: Vec<_> = head.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }

    #[test]
    fn a_million_fields_are_too_many() {
        let mut budget = FieldBudget::new(64 << 10);
        let refused = (0..1_000_000)
            .position(|_| budget.take(0).is_err())
            .unwrap();
        assert_eq!(refused, 2048);
    }
}
