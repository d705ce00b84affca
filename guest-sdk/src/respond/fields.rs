//! The fields of a response.

use std::borrow::Cow;

/// The value of a field: octets (RFC 9110, section 5.5).
///
/// It is checked where it is sent: a value with CR, LF, NUL or another control
/// character makes the answer a 500.
///
/// ```
/// use rhost_sdk::respond::HeaderValue;
///
/// assert_eq!(HeaderValue::from("no-store").as_bytes(), b"no-store");
/// assert_eq!(HeaderValue::from(format!("W/{:?}", "a")).as_bytes(), b"W/\"a\"");
/// assert_eq!(HeaderValue::from(7000).as_bytes(), b"7000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderValue(Cow<'static, [u8]>);

impl HeaderValue {
    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&'static str> for HeaderValue {
    fn from(value: &'static str) -> HeaderValue {
        HeaderValue(value.as_bytes().into())
    }
}

impl From<String> for HeaderValue {
    fn from(value: String) -> HeaderValue {
        HeaderValue(value.into_bytes().into())
    }
}

impl From<Cow<'static, str>> for HeaderValue {
    fn from(value: Cow<'static, str>) -> HeaderValue {
        match value {
            Cow::Borrowed(value) => value.into(),
            Cow::Owned(value) => value.into(),
        }
    }
}

impl From<&'static [u8]> for HeaderValue {
    fn from(value: &'static [u8]) -> HeaderValue {
        HeaderValue(value.into())
    }
}

impl From<Vec<u8>> for HeaderValue {
    fn from(value: Vec<u8>) -> HeaderValue {
        HeaderValue(value.into())
    }
}

impl From<u64> for HeaderValue {
    fn from(value: u64) -> HeaderValue {
        value.to_string().into()
    }
}

/// A name and a value.
pub(crate) type Field = (Cow<'static, str>, HeaderValue);

/// Fields to answer with, as `[("cache-control", "no-store")]`.
///
/// Beside a responder they replace its fields of the same names, and are sent
/// in their own order, repeats and all.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/{year}")]
/// fn report(year: u16) -> ([(&'static str, &'static str); 2], String) {
///     let fields = [("content-type", "text/csv"), ("cache-control", "no-store")];
///     (fields, format!("year,{year}\n"))
/// }
///
/// app!(report);
///
/// let answer = rhost_sdk::testing::get(&APP, "/1999").send();
/// assert_eq!(answer.header("content-type"), Some("text/csv"));
/// assert_eq!(answer.header("cache-control"), Some("no-store"));
/// ```
pub trait Fields {
    /// The fields, in order.
    fn into_fields(self) -> impl Iterator<Item = (Cow<'static, str>, HeaderValue)>;
}

impl<N, V, const COUNT: usize> Fields for [(N, V); COUNT]
where
    N: Into<Cow<'static, str>>,
    V: Into<HeaderValue>,
{
    fn into_fields(self) -> impl Iterator<Item = (Cow<'static, str>, HeaderValue)> {
        self.into_iter()
            .map(|(name, value)| (name.into(), value.into()))
    }
}

impl<N, V> Fields for Vec<(N, V)>
where
    N: Into<Cow<'static, str>>,
    V: Into<HeaderValue>,
{
    fn into_fields(self) -> impl Iterator<Item = (Cow<'static, str>, HeaderValue)> {
        self.into_iter()
            .map(|(name, value)| (name.into(), value.into()))
    }
}
