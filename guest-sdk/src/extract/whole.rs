//! The whole body, up to a bound.

use crate::extract::from_request::FromRequest;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// The most octets that a body taken whole may have, unless [`Limited`] says
/// otherwise: 2 MiB.
pub const DEFAULT_LIMIT: usize = 2 * 1024 * 1024;

/// What is made of a whole body.
pub trait FromBody: Sized {
    /// Reads the body, of at most `limit` octets.
    ///
    /// # Errors
    ///
    /// 413 for a longer one; 400 or 408 for one that did not arrive; and what
    /// the type asks of a body.
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection>;
}

/// An argument that is made of the whole body, with a bound of its own, in
/// octets: `upload: Limited<{ 64 << 20 }, Vec<u8>>`.
///
/// The bounds of the server and of the sandbox's memory hold besides.
///
/// ```
/// use rhost_sdk::prelude::*;
/// use rhost_sdk::Limited;
///
/// #[put("/note")]
/// fn note(Limited(text): Limited<10, String>) -> String {
///     text.to_uppercase()
/// }
///
/// app!(note);
///
/// let put = |text| rhost_sdk::testing::put(&APP, "/note").body(text).send();
/// assert_eq!(put("milk").text(), "MILK");
/// assert_eq!(put("milk and bread").status(), 413);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited<const LIMIT: usize, T>(pub T);

impl<const LIMIT: usize, T: FromBody> FromRequest<'_> for Limited<LIMIT, T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        T::from_body(request, LIMIT).map(Limited)
    }
}

impl FromBody for Vec<u8> {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        Ok(request.body()?.read_to_vec(limit)?)
    }
}

impl FromRequest<'_> for Vec<u8> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Self::from_body(request, DEFAULT_LIMIT)
    }
}

/// 400 for a body that is not UTF-8, whatever its charset parameter says.
impl FromBody for String {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        String::from_utf8(Vec::from_body(request, limit)?).map_err(|error| {
            Rejection::new(Status::BAD_REQUEST, "The request's body is not UTF-8").because(error)
        })
    }
}

impl FromRequest<'_> for String {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Self::from_body(request, DEFAULT_LIMIT)
    }
}
