//! [`Cookies`]: what a client sent back.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::extract::from_request::FromRequest;
use crate::headers::Headers;
use crate::rejection::Rejection;
use crate::request::Request;

/// The most cookies of a request that are looked at: more than a client keeps
/// for one site (RFC 6265, section 6.1, asks for 50). Further ones are as if
/// they had not been sent.
const MOST: usize = 256;

/// The cookies of a request, from all of its Cookie fields, in the order in
/// which they came (RFC 6265, section 5.4).
///
/// Names are compared with regard to case. Values are percent-decoded, as
/// [`Cookie`](crate::Cookie) has encoded them. A pair without a name or without
/// a `=`, and one that is not UTF-8, is passed over: a request is not refused
/// because another site of the same domain set something odd.
///
/// Two cookies can have one name, where their paths or domains differ. A client
/// sends the one of the longest path first; which one is whose it does not say.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index(cookies: Cookies<'_>) -> String {
///     format!("The theme is {}\n", cookies.get("theme").unwrap_or("plain".into()))
/// }
///
/// app!(index);
/// # let answer = rhost_sdk::testing::get(&APP, "/").header("cookie", "a=1; theme=dark").send();
/// # assert_eq!(answer.text(), "The theme is dark\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cookies<'r>(&'r Headers);

impl<'r> Cookies<'r> {
    /// The value of the first cookie of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'r, str>> {
        self.get_all(name).next()
    }

    /// The value of each cookie of this name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = Cow<'r, str>> {
        self.iter()
            .filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// Every cookie, as name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, Cow<'r, str>)> + use<'r> {
        self.0
            .get_all("cookie")
            .flat_map(|field| field.split(|&octet| octet == b';'))
            .take(MOST)
            .filter_map(pair)
    }
}

/// A name and its value. Both are without the spaces around them, and the value
/// without its quotes (RFC 6265, section 4.1.1).
// The name is not decoded: what a client keeps as `%5F_Host-id` must not pass
// for the `__Host-id` that it keeps from other sites.
fn pair(pair: &[u8]) -> Option<(&str, Cow<'_, str>)> {
    let mut halves = pair.splitn(2, |&octet| octet == b'=');
    let name = halves.next()?.trim_ascii();
    let value = halves.next()?.trim_ascii();
    if name.is_empty() {
        return None;
    }
    let value = match value {
        [b'"', value @ .., b'"'] => value,
        value => value,
    };
    let name = std::str::from_utf8(name).ok()?;
    Some((name, percent_decode(value).decode_utf8().ok()?))
}

impl<'r> FromRequest<'r> for Cookies<'r> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(Cookies(request.headers()))
    }
}
