//! `POST /v1/apps/{app}/versions`: a component on its way in.

use super::{Api, Caller, blocking};
use crate::failure::Octets;
use crate::roster::{Refused, Steward, Why, refused_by_disk};
use crate::store::Upload;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// The field that has the app's settings: a JSON object whose keys are those of
/// `[apps.NAME]`, as a merge patch (RFC 7396) of those of the version before.
const SETTINGS: &str = "rhost-settings";

/// Bytes of a component that have to come in each span of time that its sender is waited
/// for: 6.5 KiB/s.
const LEAST: u64 = 64 << 10;
const SPAN: Duration = Duration::from_secs(10);
/// Bytes that are written at a time.
const BLOCK: usize = 256 << 10;

impl Api {
    /// Takes a component, tries it, and serves it as the app called `name`. What can be
    /// refused without it is refused before it is sent.
    pub(super) async fn deploy(
        &self,
        steward: Steward,
        caller: &Caller,
        name: String,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<Value, Refused> {
        let (patch, scope) = (settings(&head.headers)?, caller.scope.clone());
        if announced(&head.headers).is_some_and(|length| length > self.most) {
            return Err(self.too_large());
        }
        let (changing, upload, steward, scope, name, patch) = blocking(move || {
            let changing = steward.begin(&scope)?;
            steward.check(&scope, &name, &patch)?;
            Ok((changing, steward.upload()?, steward, scope, name, patch))
        })
        .await?;
        let received = caller.while_good(self.receive(upload, body)).await?;
        let component = received.finish();
        if component.octets == 0 {
            let text = "there is no component; send it as the request's body";
            return Err(Refused::new(Why::Malformed, text));
        }
        caller.check()?;
        blocking(move || {
            // It is done when it is done, even if nobody waits for the answer any more.
            let _changing = changing;
            steward.deploy(&scope, &name, &patch, component)
        })
        .await
    }

    async fn receive(&self, mut upload: Upload, body: &mut Incoming) -> Result<Upload, Refused> {
        let mut progress = Progress::default();
        let mut block = Vec::new();
        loop {
            let began = Instant::now();
            let frame = tokio::time::timeout(progress.rest(), body.frame()).await;
            let frame = match frame {
                Err(_) => None,
                Ok(None) => return written(upload, block).await,
                Ok(Some(Err(error))) => {
                    let text = format!("the component did not come whole: {error}; send it again");
                    return Err(Refused::new(Why::Malformed, text));
                }
                Ok(Some(Ok(frame))) => Some(frame),
            };
            let octets = frame.as_ref().and_then(Frame::data_ref);
            let length = octets.map_or(0, Bytes::len);
            progress.came(length as u64, began.elapsed())?;
            let so_far = upload.octets() + block.len() as u64;
            if so_far + length as u64 > self.most {
                return Err(self.too_large());
            }
            if let Some(octets) = octets {
                block.extend_from_slice(octets);
            }
            if block.len() >= BLOCK {
                upload = written(upload, std::mem::take(&mut block)).await?;
            }
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

/// How a component comes. Only the time counts in which its sender is waited for.
#[derive(Default)]
struct Progress {
    octets: u64,
    waited: Duration,
}

impl Progress {
    /// How long to wait for more before it is looked at again.
    fn rest(&self) -> Duration {
        SPAN.saturating_sub(self.waited)
    }

    /// So many bytes came after that time. Fails if they come too slowly.
    fn came(&mut self, octets: u64, after: Duration) -> Result<(), Refused> {
        self.octets += octets;
        self.waited += after;
        if self.waited < SPAN {
            return Ok(());
        }
        let Progress { octets, .. } = std::mem::take(self);
        match octets >= LEAST {
            true => Ok(()),
            false => {
                let text = format!(
                    "the component comes too slowly: {} of {} in {} s; send it again, from nearer by",
                    Octets(octets),
                    Octets(LEAST),
                    SPAN.as_secs()
                );
                Err(Refused::new(Why::Late, text))
            }
        }
    }
}

/// `upload` with another block: a disk may take its time.
async fn written(mut upload: Upload, block: Vec<u8>) -> Result<Upload, Refused> {
    blocking(move || match upload.write(&block) {
        Ok(()) => Ok(upload),
        Err(error) => Err(refused_by_disk(&error)),
    })
    .await
}

/// What the field Rhost-Settings says; nothing if it is not there.
pub fn settings(headers: &HeaderMap) -> Result<Map<String, Value>, Refused> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_has_to_come_in_each_span() {
        let second = Duration::from_secs(1);
        let mut progress = Progress::default();
        // Whatever its own disk takes is not the sender's.
        for _ in 0..100 {
            assert!(progress.came(LEAST.div_ceil(10), second).is_ok());
        }
        // A byte at a time is no progress.
        let refused = (0..20).find_map(|_| progress.came(1, second).err());
        assert_eq!(refused.unwrap().why, Why::Late);
        let mut silent = Progress::default();
        assert!(silent.came(LEAST - 1, SPAN).is_err());
        assert!(silent.came(LEAST, SPAN).is_ok());
    }
}
