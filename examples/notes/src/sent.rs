//! [`Sent`]: what a client sent, as a form or as a JSON document.

use rhost_sdk::FromRequest;
use rhost_sdk::prelude::*;
use serde::de::DeserializeOwned;

/// The body, deserialized, whichever of the two it is. 415 for another type.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<'_> for Sent<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let kind = request
            .environ()
            .content_type
            .as_deref()
            .unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" => Json::from_request(request).map(|Json(value)| Sent(value)),
            _ => Form::from_request(request).map(|Form(value)| Sent(value)),
        }
    }
}
