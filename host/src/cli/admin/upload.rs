//! A body on its way to the server, and a line that shows how far it is.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use indicatif::{ProgressBar, ProgressStyle};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;

/// Octets that are sent at once.
const BLOCK: usize = 64 << 10;

/// A body.
pub(super) struct Upload {
    octets: Bytes,
    /// Until the server wants it.
    wanted: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    shown: Option<Shown>,
}

/// How far an upload is. On a terminal only.
#[derive(Clone)]
pub(super) struct Shown(ProgressBar);

impl Upload {
    pub(super) fn nothing() -> Self {
        Upload::of(Bytes::new())
    }

    pub(super) fn of(octets: Bytes) -> Self {
        Upload {
            octets,
            wanted: None,
            shown: None,
        }
    }

    /// The same, which is shown.
    pub(super) fn showing(self, shown: Shown) -> Self {
        Upload {
            shown: Some(shown),
            ..self
        }
    }

    /// If it is large enough for that, it waits until it is told that the server wants
    /// it.
    pub(super) fn waits(&mut self) -> Option<Arc<Notify>> {
        self.shown.as_ref()?;
        let notify = Arc::new(Notify::new());
        let wanted = notify.clone();
        self.wanted = Some(Box::pin(async move { wanted.notified().await }));
        Some(notify)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(wanted) = &mut self.wanted {
            ready!(wanted.as_mut().poll(cx));
            self.wanted = None;
        }
        if self.octets.is_empty() {
            return Poll::Ready(None);
        }
        let length = BLOCK.min(self.octets.len());
        let block = self.octets.split_to(length);
        if let Some(shown) = &self.shown {
            shown.sent(length as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.octets.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.octets.len() as u64)
    }
}

impl Shown {
    /// Of so many octets.
    pub(super) fn new(octets: u64) -> Self {
        let bar = ProgressBar::new(octets);
        bar.set_style(style(
            "{spinner} uploading {bar:30} {bytes} of {total_bytes}",
        ));
        bar.enable_steady_tick(Duration::from_millis(100));
        Shown(bar)
    }

    fn sent(&self, octets: u64) {
        let Shown(bar) = self;
        bar.inc(octets);
        if Some(bar.position()) >= bar.length() {
            bar.set_style(style(
                "{spinner} the server compiles and tries it {elapsed}",
            ));
            bar.reset_elapsed();
        }
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right")
}
