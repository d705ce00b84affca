//! `POST /v1/apps/{app}/versions`: a component on its way in.

use super::{Api, blocking};
use crate::failure::Octets;
use crate::roster::{Refused, Steward, Why, refused_by_disk};
use crate::store::{Scope, Upload};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Map, Value};
use std::time::Duration;

/// The field that has the app's settings: a JSON object whose keys are those of
/// `[apps.NAME]`, as a merge patch (RFC 7396) of those of the version before.
const SETTINGS: &str = "rhost-settings";

/// How long to wait for the next octets of a component.
const BETWEEN: Duration = Duration::from_secs(30);

impl Api {
    /// Takes a component, tries it, and serves it as the app called `name`. What can be
    /// refused without it is refused before it is sent.
    pub(super) async fn deploy(
        &self,
        steward: Steward,
        scope: Scope,
        name: String,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<Value, Refused> {
        let _place = self.long()?;
        let patch = settings(&head.headers)?;
        if announced(&head.headers).is_some_and(|length| length > self.most) {
            return Err(self.too_large());
        }
        let (upload, steward, scope, name, patch) = blocking(move || {
            steward.check(&scope, &name, &patch)?;
            Ok((steward.upload()?, steward, scope, name, patch))
        })
        .await?;
        let component = self.receive(upload, body).await?.finish();
        if component.octets == 0 {
            let text = "there is no component; send it as the request's body";
            return Err(Refused::new(Why::Malformed, text));
        }
        let _trial = self.trial().await?;
        blocking(move || steward.deploy(&scope, &name, &patch, component)).await
    }

    async fn receive(&self, mut upload: Upload, body: &mut Incoming) -> Result<Upload, Refused> {
        loop {
            let frame = match tokio::time::timeout(BETWEEN, body.frame()).await {
                Err(_) => {
                    let text = "no more of the component came; send it again";
                    return Err(Refused::new(Why::Late, text));
                }
                Ok(None) => return Ok(upload),
                Ok(Some(Err(error))) => {
                    let text = format!("the component did not come whole: {error}; send it again");
                    return Err(Refused::new(Why::Malformed, text));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Some(octets) = frame.data_ref() else {
                continue;
            };
            if upload.octets() + octets.len() as u64 > self.most {
                return Err(self.too_large());
            }
            upload
                .write(octets)
                .map_err(|error| refused_by_disk(&error))?;
        }
    }

    fn too_large(&self) -> Refused {
        let text = format!(
            "the component is larger than {}; make it smaller (`rhost build`), or start the server with a higher --max-component",
            Octets(self.most)
        );
        Refused::new(Why::TooLarge, text)
    }
}

/// What the field says; nothing if it is not there.
fn settings(headers: &HeaderMap) -> Result<Map<String, Value>, Refused> {
    let mut given = headers.get_all(SETTINGS).iter();
    let field = match (given.next(), given.next()) {
        (None, _) => return Ok(Map::new()),
        (Some(field), None) => field,
        (Some(_), Some(_)) => {
            let text = format!("the field {SETTINGS} is there twice; send one");
            return Err(Refused::new(Why::Malformed, text));
        }
    };
    serde_json::from_slice(field.as_bytes()).map_err(|error| {
        let text = format!(
            "the field {SETTINGS} is no JSON object: {error}; send one as {{\"hosts\": [\"shop.example\"]}}"
        );
        Refused::new(Why::Malformed, text)
    })
}

/// Content-Length, which hyper has checked.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
