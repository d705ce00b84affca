//! [`Json`]: read from a request, and answered.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::extract::{
    DEFAULT_LIMIT, FromBody, FromRequest, Optional, Problems, Validate, field, media_type,
};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::respond::{Responder, Response};
use crate::status::Status;

/// A JSON document (RFC 8259).
///
/// As an argument: the body, deserialized. 415 unless its type is
/// application/json or ends in `+json` (RFC 6839, section 3.1), 400 where it
/// does not fit, with the field that does not, 413 beyond [`DEFAULT_LIMIT`].
///
/// As an answer: the value, serialized, as application/json.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Note {
///     text: String,
/// }
///
/// #[post("/notes")]
/// fn create(Json(note): Json<Note>) -> (Status, Json<Note>) {
///     (Status::CREATED, Json(note))
/// }
///
/// app!(create);
/// # let answer = rhost_sdk::testing::post(&APP, "/notes")
/// #     .header("content-type", "application/json")
/// #     .body(r#"{"text":"milk"}"#)
/// #     .send();
/// # assert_eq!(answer.status(), 201);
/// # assert_eq!(answer.text(), r#"{"text":"milk"}"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromBody for Json<T> {
    fn from_body(request: &Request, limit: usize) -> Result<Self, Rejection> {
        media_type::require(
            request,
            |essence| {
                let essence = essence.to_ascii_lowercase();
                essence == "application/json" || essence.ends_with("+json")
            },
            "The request's body must be application/json",
        )?;
        let document = Vec::from_body(request, limit)?;
        serde_json::from_slice(&document)
            .map(Json)
            .map_err(|error| {
                let is_data = error.is_data();
                let rejection =
                    Rejection::new(Status::BAD_REQUEST, "The JSON document is malformed")
                        .because(error);
                if is_data {
                    let mut document = serde_json::Deserializer::from_slice(&document);
                    field::blame::<T, _>(rejection, &mut document)
                } else {
                    rejection
                }
            })
    }
}

impl<T: DeserializeOwned> FromRequest<'_> for Json<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Self::from_body(request, DEFAULT_LIMIT)
    }
}

/// Absent: the request has no Content-Type.
impl<T: DeserializeOwned> Optional<'_> for Json<T> {
    fn is_absent(request: &Request) -> bool {
        request.environ().content_type.is_none()
    }
}

impl<T: Validate> Validate for Json<T> {
    fn validate(&self, problems: &mut Problems) {
        self.0.validate(problems);
    }
}

/// 500, with the error in the log, for a value that cannot be serialized.
impl<T: Serialize> Responder for Json<T> {
    fn respond(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(document) => Response::new(Status::OK)
                .header("content-type", "application/json")
                .body(document),
            Err(error) => Error::from(error).respond(),
        }
    }
}
