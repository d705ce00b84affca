//! The response on its way out. Its body is the running guest: each time the
//! connection asks for more, the guest is let run on, in the request's own task.
//! The client's pace is therefore the guest's, and a client that leaves drops the
//! body and with it the guest.

use crate::app_log::AppLog;
use crate::failure::{self, Cause};
use crate::guest::Guest;
use crate::output::{Outlet, Taken};
use crate::start_response::ResponseHead;
use crate::trail::Trail;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A response's body.
pub struct Body {
    content: Content,
    trail: Trail,
}

enum Content {
    /// All of it is there.
    Whole(Bytes),
    /// It ends before it should, and the connection with it.
    Short(Bytes),
    /// The guest goes on making it.
    Streamed(Streamed),
}

struct Streamed {
    log: Arc<AppLog>,
    outlet: Outlet,
    /// None once the guest has ended.
    guest: Option<Guest>,
    /// What the guest wrote and the connection has not asked for.
    blocks: VecDeque<Bytes>,
    /// Octets still to come of an announced length.
    left: Option<u64>,
    /// Whether the connection had its chance to send the last block. Until then
    /// the guest rests: a block is never held for the next (PEP 3333, "Buffering
    /// and Streaming").
    flushed: bool,
    failed: bool,
}

/// The response was cut: a connection over which one goes cannot be used again
/// (HTTP/1.1), or its stream is reset (HTTP/2).
#[derive(Debug, thiserror::Error)]
#[error("the app did not finish its response")]
pub struct Cut;

/// Runs a guest until its response can begin. A first block is held until the
/// guest returns, so that the response goes out whole, or gives up the thread,
/// which it does when it writes again.
pub async fn answer(mut guest: Guest, method: Method, log: Arc<AppLog>, trail: Trail) -> Response<Body> {
    let ended = poll_fn(|cx| match guest.poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if guest.outlet().has_blocks() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await;
    let outlet = guest.outlet().clone();
    if let Some(Err(cause)) = ended {
        return refuse(cause, &log, trail);
    }
    if let Some(fault) = outlet.fault() {
        return refuse(Cause::Fault(fault), &log, trail);
    }
    let Taken { head: Some(head), mut blocks } = outlet.take() else {
        return refuse(Cause::NoAnswer, &log, trail);
    };
    let bodiless = method == Method::HEAD || !head.has_body();
    let content = match ended {
        _ if bodiless => {
            // Nobody will read what the guest goes on to write, so it ends here.
            let written = ended.is_some().then(|| blocks.iter().map(|block| block.len() as u64).sum());
            return without_body(head, method, written, trail);
        }
        Some(_) => {
            report_beyond(&outlet, &log, &trail);
            let block = blocks.pop_front().unwrap_or_default();
            match outlet.missing() {
                0 => Content::Whole(block),
                missing => {
                    trail.failed(&log, &Cause::Missing(missing));
                    return with_length(head, Content::Short(block), trail);
                }
            }
        }
        None => Content::Streamed(Streamed {
            log,
            outlet,
            guest: Some(guest),
            blocks,
            left: head.length,
            flushed: true,
            failed: false,
        }),
    };
    respond(head, content, trail)
}

/// The page for a request that failed before its headers left.
pub fn refuse(cause: Cause, log: &AppLog, trail: Trail) -> Response<Body> {
    trail.failed(log, &cause);
    let status = cause.status();
    let mut head = ResponseHead { status, headers: Default::default(), length: None };
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        head.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let page = failure::page(status, trail.request().as_str());
    respond(head, Content::Whole(page.into()), trail)
}

fn respond(head: ResponseHead, content: Content, mut trail: Trail) -> Response<Body> {
    trail.answered(head.status);
    let mut response = Response::new(Body { content, trail });
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

/// The answer to HEAD, and with a status that has no body (RFC 9110, sections
/// 9.3.2 and 6.4.1). `written` is what the body of a GET would have had, where
/// that is known.
fn without_body(head: ResponseHead, method: Method, written: Option<u64>, trail: Trail) -> Response<Body> {
    let length = match head.status {
        // RFC 9110, section 8.6: never with 204. 304 speaks of what a GET would
        // have sent, which only the app can know.
        StatusCode::NO_CONTENT => None,
        StatusCode::NOT_MODIFIED => head.length,
        _ if method == Method::HEAD => head.length.or(written),
        _ => None,
    };
    let mut head = head;
    if let Some(length) = length {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    respond(head, Content::Whole(Bytes::new()), trail)
}

fn with_length(mut head: ResponseHead, content: Content, trail: Trail) -> Response<Body> {
    if let Some(length) = head.length {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    respond(head, content, trail)
}

fn report_beyond(outlet: &Outlet, log: &AppLog, trail: &Trail) {
    let beyond = outlet.beyond();
    if beyond > 0 {
        trail.note(log, &format!("{beyond} bytes beyond the response's Content-Length were cut off"));
    }
}

impl Streamed {
    fn poll(&mut self, cx: &mut Context<'_>, trail: &Trail) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if let Some(block) = self.blocks.pop_front() {
                self.left = self.left.map(|left| left - block.len() as u64);
                self.flushed = false;
                return Poll::Ready(Some(Ok(block)));
            }
            let Some(guest) = &mut self.guest else {
                return Poll::Ready(self.failed.then_some(Err(Cut)));
            };
            if !self.flushed {
                // The connection sends what it has when there is nothing more,
                // and comes back at once.
                self.flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let polled = guest.poll(cx);
            self.blocks = self.outlet.take().blocks;
            match polled {
                Poll::Ready(result) => {
                    self.guest = None;
                    self.end(result, trail);
                }
                Poll::Pending if self.blocks.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// The guest has ended: is what it sent a response?
    fn end(&mut self, result: Result<(), Cause>, trail: &Trail) {
        report_beyond(&self.outlet, &self.log, trail);
        let missing = self.outlet.missing();
        let cause = match (result, self.outlet.fault()) {
            (_, Some(fault)) => Some(Cause::Fault(fault)),
            (Err(cause), None) => Some(cause),
            (Ok(()), None) if missing > 0 => Some(Cause::Missing(missing)),
            (Ok(()), None) => None,
        };
        if let Some(cause) = cause {
            self.failed = true;
            trail.failed(&self.log, &cause);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Body { content, trail } = self.get_mut();
        let block = match content {
            Content::Whole(block) if block.is_empty() => None,
            Content::Short(block) if block.is_empty() => Some(Err(Cut)),
            Content::Whole(block) | Content::Short(block) => Some(Ok(std::mem::take(block))),
            Content::Streamed(streamed) => std::task::ready!(streamed.poll(cx, trail)),
        };
        if let Some(Ok(block)) = &block {
            trail.sent(block.len());
        }
        Poll::Ready(block.map(|block| block.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(block) if block.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(block) => SizeHint::with_exact(block.len() as u64),
            Content::Streamed(Streamed { left: Some(left), .. }) => SizeHint::with_exact(*left),
            Content::Short(_) | Content::Streamed(_) => SizeHint::default(),
        }
    }
}
