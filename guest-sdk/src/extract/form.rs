//! [`Query`] and [`Form`]: `name=value&name=value`.

use serde::de::DeserializeOwned;

use crate::extract::field;
use crate::extract::from_request::{FromRequest, Optional};
use crate::extract::media_type;
use crate::extract::valid::{Problems, Validate};
use crate::extract::whole::{DEFAULT_LIMIT, FromBody};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// The query, deserialized (application/x-www-form-urlencoded, as the WHATWG
/// URL standard defines it). 400 where it does not fit, with the field that does
/// not.
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
        read(request.query().as_bytes(), "The query is malformed").map(Query)
    }
}

fn read<T: DeserializeOwned>(text: &[u8], problem: &'static str) -> Result<T, Rejection> {
    serde_urlencoded::from_bytes(text).map_err(|error| {
        let rejection = Rejection::new(Status::BAD_REQUEST, problem).because(error);
        let again = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text));
        field::blame::<T, _>(rejection, again)
    })
}

impl<T: Validate> Validate for Query<T> {
    fn validate(&self, problems: &mut Problems) {
        self.0.validate(problems);
    }
}

impl<T: Validate> Validate for Form<T> {
    fn validate(&self, problems: &mut Problems) {
        self.0.validate(problems);
    }
}

/// Absent: the query is empty.
impl<T: DeserializeOwned> Optional<'_> for Query<T> {
    fn is_absent(request: &Request) -> bool {
        request.query().is_empty()
    }
}

/// A form that was posted, deserialized. 415 for another type than
/// application/x-www-form-urlencoded, 400 where it does not fit, with the field
/// that does not, 413 beyond [`DEFAULT_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromBody for Form<T> {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        media_type::require(
            request,
            |essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"),
            "The request's body must be application/x-www-form-urlencoded",
        )?;
        read(&Vec::from_body(request, limit)?, "The form is malformed").map(Form)
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
