//! [`Headers`]: the fields of a request.

use std::fmt;

use crate::gateway::Header;

/// The fields of a request, in the order in which they came and with repeats
/// kept (RFC 9110, section 5.3).
///
/// Names are in lower case, and are compared without regard to case. Values
/// are octets, since HTTP promises no encoding (RFC 9110, section 5.5).
///
/// Content-Type and Content-Length stand at the end, whatever their place in
/// the request was: the gateway carries them apart. A field named Proxy, or
/// with an underscore in its name, never arrives.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index(headers: &Headers) -> String {
///     let languages = headers.get("Accept-Language").unwrap_or("none");
///     let proxies = headers.get_all("via").count();
///     format!("languages: {languages}; proxies: {proxies}\n")
/// }
///
/// app!(index);
///
/// let answer = rhost_sdk::testing::get(&APP, "/")
///     .header("Accept-Language", "fr, en")
///     .header("Via", "1.1 one")
///     .header("Via", "1.1 two")
///     .send();
/// assert_eq!(answer.text(), "languages: fr, en; proxies: 2\n");
/// ```
#[derive(Clone, Default)]
pub struct Headers(Vec<Header>);

impl Headers {
    pub(crate) fn new(fields: Vec<Header>) -> Headers {
        Headers(fields)
    }

    /// The first value of a field; `None` too if it is not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of a field, as it came.
    #[must_use]
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Every value of a field, in order, as it came.
    pub fn get_all<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Whether the field is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get_bytes(name).is_some()
    }

    /// Every field, as name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map()
            .entries(
                self.iter()
                    .map(|(name, value)| (name, String::from_utf8_lossy(value))),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn ignores_case_and_keeps_repeats() {
        let headers = Headers::new(vec![
            ("accept".into(), b"a/b".to_vec()),
            ("x".into(), vec![0xff]),
            ("accept".into(), b"c/d".to_vec()),
        ]);
        assert_eq!(headers.get("Accept"), Some("a/b"));
        assert_eq!(headers.get("X"), None);
        assert_eq!(headers.get_bytes("X"), Some(&[0xff][..]));
        assert_eq!(
            headers.get_all("ACCEPT").collect::<Vec<_>>(),
            [b"a/b", b"c/d"]
        );
        assert_eq!(
            headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["accept", "x", "accept"]
        );
    }
}
