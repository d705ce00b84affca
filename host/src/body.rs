//! The response on its way out: its head, and a body that is there or that the
//! guest is still making.

use crate::app_log::AppLog;
use crate::failure::Cause;
use crate::guest::{Guest, verdict};
use crate::observer::Event;
use crate::output::Taken;
use crate::start_response::ResponseHead;
use crate::streamed::{Cut, Streamed};
use crate::trail::Trail;
use bytes::Bytes;
use http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
};
use http::{Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// A response's body.
pub struct Body {
    content: Content,
    /// What follows the content. Boxed, since hardly any body has it.
    tail: Option<Box<Bytes>>,
    trail: Trail,
}

enum Content {
    /// All of it is there.
    Whole(Bytes),
    /// The guest goes on making it, or has left it unfinished. Boxed, so that a
    /// body that is whole stays small.
    Streamed(Box<Streamed>),
}

impl Body {
    /// Whether all of it is there, and no guest is still making it.
    pub fn is_whole(&self) -> bool {
        matches!(self.content, Content::Whole(_))
    }

    /// When the guest that is still making it has to be finished.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.content {
            Content::Whole(_) => None,
            Content::Streamed(streamed) => streamed.deadline(),
        }
    }

    /// Stops the guest that is still making it, since that time has come.
    pub fn cut_late(&mut self) {
        if let Content::Streamed(streamed) = &mut self.content {
            streamed.cut_late();
        }
    }

    /// The same body, and `tail` after its end, if it has one that is seen.
    pub fn followed_by(mut self, tail: Bytes) -> Self {
        if !http_body::Body::is_end_stream(&self) {
            self.tail = Some(Box::new(tail));
        }
        self
    }
}

/// Runs a guest until its response can begin. A first block is held until the
/// guest returns, so that the response goes out whole, or gives up the thread,
/// which it does when it writes again.
pub async fn answer(
    mut guest: Guest,
    method: Method,
    log: Arc<AppLog>,
    trail: Trail,
) -> Response<Body> {
    let ended = poll_fn(|cx| match guest.poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if guest.outlet().has_blocks() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await;
    let has_ended = ended.is_some();
    let Taken {
        head,
        mut blocks,
        standing,
    } = guest.outlet().take();
    let verdict = verdict(ended.unwrap_or(Ok(())), standing, has_ended);
    match verdict {
        // What was announced is sent as far as it is there, and then cut.
        Ok(()) | Err(Cause::Missing(_)) => {}
        Err(cause) => return refuse(cause, &log, trail),
    }
    let Some(head) = head else {
        return refuse(Cause::NoAnswer, &log, trail);
    };
    if method == Method::HEAD || !head.has_body() {
        if !head.has_body() && !blocks.is_empty() {
            let octets = blocks.iter().map(|block| block.len() as u64).sum();
            log.observe(Event::NoBody(head.status, octets));
        }
        // Nobody will read what the guest goes on to write, so it ends here.
        let written = has_ended.then(|| blocks.iter().map(|block| block.len() as u64).sum());
        return respond(
            without_body(head, &method, written),
            Content::Whole(Bytes::new()),
            trail,
        );
    }
    log.beyond(trail.request(), standing.beyond);
    let content = match verdict {
        Ok(()) if has_ended => Content::Whole(blocks.pop().unwrap_or_default()),
        Ok(()) => Content::Streamed(Box::new(Streamed::begin(
            guest,
            blocks,
            head.length,
            trail.records(log),
        ))),
        Err(cause) => {
            cause.count();
            trail.failed(&log, &cause);
            Content::Streamed(Box::new(Streamed::unfinished(
                guest.outlet().clone(),
                blocks,
                head.length,
            )))
        }
    };
    respond(head, content, trail)
}

/// The page for a request that failed before its headers left.
pub fn refuse(cause: Cause, log: &AppLog, trail: Trail) -> Response<Body> {
    cause.count();
    trail.failed(log, &cause);
    let status = cause.status();
    let mut head = ResponseHead {
        status,
        headers: Default::default(),
        length: None,
    };
    head.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    // Nothing in a page of the host's runs or is fetched, whatever it quotes.
    head.headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    let is_shed = [
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if is_shed.contains(&status) {
        head.headers
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let page = trail.page(status, &cause);
    respond(head, Content::Whole(page.into()), trail)
}

/// A page that the host made itself.
pub fn page(mut page: Response<String>, mut trail: Trail) -> Response<Body> {
    trail.answers(page.status(), page.headers_mut());
    page.map(|text| Body {
        content: Content::Whole(text.into()),
        tail: None,
        trail,
    })
}

fn respond(mut head: ResponseHead, content: Content, mut trail: Trail) -> Response<Body> {
    trail.answers(head.status, &mut head.headers);
    let mut response = Response::new(Body {
        content,
        tail: None,
        trail,
    });
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

/// The head of the answer to HEAD, or with a status that has no body (RFC 9110,
/// sections 9.3.2 and 6.4.1). `written` is what the body of a GET would have had,
/// where that is known.
fn without_body(mut head: ResponseHead, method: &Method, written: Option<u64>) -> ResponseHead {
    let length = match head.status {
        // RFC 9110, section 8.6: never with 204. 304 speaks of what a GET would
        // have sent, which only the app can know.
        StatusCode::NO_CONTENT => None,
        StatusCode::NOT_MODIFIED => head.length,
        _ if method == Method::HEAD => head.length.or(written),
        _ => None,
    };
    if let Some(length) = length {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    head
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Body {
            content,
            tail,
            trail,
        } = self.get_mut();
        let block = match content {
            Content::Whole(block) if block.is_empty() => None,
            Content::Whole(block) => Some(Ok(std::mem::take(block))),
            Content::Streamed(streamed) => std::task::ready!(streamed.poll_block(cx)),
        };
        let block = block.or_else(|| tail.take().map(|tail| Ok(*tail)));
        if let Some(Ok(block)) = &block {
            trail.sent(block.len());
        }
        Poll::Ready(block.map(|block| block.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.tail.is_none() && matches!(&self.content, Content::Whole(block) if block.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let left = match &self.content {
            Content::Whole(block) => Some(block.len() as u64),
            Content::Streamed(streamed) => streamed.left(),
        };
        let tail = self.tail.as_ref().map_or(0, |tail| tail.len() as u64);
        left.map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + tail))
    }
}
