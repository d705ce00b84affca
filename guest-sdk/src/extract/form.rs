//! [`Query`] and [`Form`]: `name=value&name=value`.

use serde::de::DeserializeOwned;

use crate::extract::from_request::{FromRequest, Optional};
use crate::extract::media_type;
use crate::extract::whole::{DEFAULT_LIMIT, FromBody};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// The query, deserialized (application/x-www-form-urlencoded, as the WHATWG
/// URL standard defines it). 400 where it does not fit.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Page {
///     #[serde(default)]
///     page: u32,
/// }
///
/// #[get("/notes")]
/// fn list(Query(page): Query<Page>) -> String {
///     format!("page {}\n", page.page)
/// }
///
/// app!(list);
/// # assert_eq!(rhost_sdk::testing::get(&APP, "/notes?page=7").send().text(), "page 7\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest<'_> for Query<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        serde_urlencoded::from_str(request.query())
            .map(Query)
            .map_err(|error| {
                Rejection::new(Status::BAD_REQUEST, "The query is malformed").because(error)
            })
    }
}

/// Absent: the query is empty.
impl<T: DeserializeOwned> Optional<'_> for Query<T> {
    fn is_absent(request: &Request) -> bool {
        request.query().is_empty()
    }
}

/// A form that was posted, deserialized. 415 for another type than
/// application/x-www-form-urlencoded, 400 where it does not fit, 413 beyond
/// [`DEFAULT_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromBody for Form<T> {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        media_type::require(
            request,
            |essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"),
            "The request's body must be application/x-www-form-urlencoded",
        )?;
        serde_urlencoded::from_bytes(&Vec::from_body(request, limit)?)
            .map(Form)
            .map_err(|error| {
                Rejection::new(Status::BAD_REQUEST, "The form is malformed").because(error)
            })
    }
}

impl<T: DeserializeOwned> FromRequest<'_> for Form<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Self::from_body(request, DEFAULT_LIMIT)
    }
}

/// Absent: the request has no Content-Type.
impl<T: DeserializeOwned> Optional<'_> for Form<T> {
    fn is_absent(request: &Request) -> bool {
        request.environ().content_type.is_none()
    }
}
