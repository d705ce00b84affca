//! The body of a request on its way to the server.

use super::ask::Payload;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Notify;

/// Octets of a block of a streamed body.
const BLOCK: usize = 64 << 10;

/// A body.
pub struct Outgoing {
    content: Content,
    /// Waits for `100 Continue`, where the body does.
    released: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

enum Content {
    /// These octets, announced.
    Known(Bytes),
    /// So many more, announced by nothing.
    Streamed(usize),
}

impl Outgoing {
    /// A body, and what releases it if it waits.
    pub fn new(payload: &Payload) -> (Self, Option<Arc<Notify>>) {
        let known = |octets: &Bytes| Content::Known(octets.clone());
        let content = match payload {
            Payload::Known(octets) | Payload::Expected(octets) => known(octets),
            Payload::Streamed(octets) => Content::Streamed(*octets),
            Payload::Nothing | Payload::Broken | Payload::CutShort => Content::Known(Bytes::new()),
        };
        let release = matches!(payload, Payload::Expected(_)).then(Arc::<Notify>::default);
        let released = release.clone().map(|release| {
            let released = async move { release.notified().await };
            Box::pin(released) as Pin<Box<dyn Future<Output = ()> + Send>>
        });
        (Outgoing { content, released }, release)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(released) = &mut self.released {
            std::task::ready!(released.as_mut().poll(cx));
            self.released = None;
        }
        let block = match &mut self.content {
            Content::Known(octets) => std::mem::take(octets),
            Content::Streamed(left) => {
                let length = BLOCK.min(*left);
                *left -= length;
                Bytes::from(vec![b'x'; length])
            }
        };
        Poll::Ready((!block.is_empty()).then(|| Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Known(octets) => octets.is_empty(),
            Content::Streamed(left) => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Known(octets) => SizeHint::with_exact(octets.len() as u64),
            Content::Streamed(_) => SizeHint::default(),
        }
    }
}
