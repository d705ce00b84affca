//! One connection: HTTP/1.1 or HTTP/2 by hyper, and its requests in order.

use crate::body::Body;
use crate::drain::Member;
use crate::environ::Peer;
use crate::gate::{Gate, Refusal, http2};
use crate::settings::{HeadLimits, Timeouts};
use crate::stall::{Answering, Impatient, Requests};
use crate::streamed::Cut;
use crate::tenant::Site;
use crate::tls::Transport;
use crate::turn;
use bytes::Bytes;
use h2::Reason;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What hyper takes of a head over HTTP/1 unless it is told, in fields and octets.
/// To be told of fields costs it an allocation for each request.
const HYPER_FIELDS: usize = 100;
const HYPER_OCTETS: usize = 400 << 10;

/// How the connections of a listener speak HTTP.
pub struct Protocol {
    http: auto::Builder<TokioExecutor>,
    head_limits: HeadLimits,
    header_timeout: Duration,
    write_timeout: Duration,
    grace: Duration,
}

impl Protocol {
    /// HTTP/1.1 and HTTP/2 over cleartext, whichever the client begins with.
    pub fn new(timeouts: &Timeouts, head_limits: HeadLimits) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            // A client that ends its side while it is being answered has left:
            // that is how a guest nobody waits for is noticed and stopped.
            .half_close(false);
        // The gate has the limits of heads; hyper's own only must not be lower.
        if head_limits.fields > HYPER_FIELDS {
            http.http1().max_headers(head_limits.fields);
        }
        let head_octets = head_limits.request_line + head_limits.octets;
        if head_octets > HYPER_OCTETS {
            http.http1().max_buf_size(head_octets);
        }
        let octets = u32::try_from(head_limits.octets).unwrap_or(u32::MAX);
        http.http2()
            .timer(TokioTimer::new())
            .max_header_list_size(octets)
            .max_concurrent_streams(128);
        Protocol {
            http,
            head_limits,
            header_timeout: timeouts.header,
            write_timeout: timeouts.write,
            grace: timeouts.grace,
        }
    }

    /// Serves one connection on `lane` until it ends, by itself or as `member` is
    /// asked to.
    pub async fn serve(
        &self,
        stream: Transport,
        peer: Peer,
        site: Arc<Site>,
        lane: usize,
        member: Member,
    ) {
        let requests = Requests::default();
        let stream = Impatient::new(
            stream,
            requests.clone(),
            self.header_timeout,
            self.write_timeout,
        );
        let stream = Gate::new(stream, self.head_limits);
        let (head_limits, here) = (self.head_limits, Arc::new((site, Arc::new(peer))));
        let begin = requests.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (here, answering) = (here.clone(), begin.begin());
            async move {
                let (site, peer) = &*here;
                let (head, incoming) = request.into_parts();
                if let Some(refusal) = refusal(&head, &head_limits) {
                    let response = site.refuse(peer, &head, refusal);
                    return refused(head.version, refusal, response)
                        .map(|response| answering.with(response));
                }
                let version = head.version;
                let request = Request::from_parts(head, incoming);
                let mut response = site.answer(lane, peer, request).await;
                // Answers that are ready leave together, once each request that
                // has come by now had its sandbox: sandboxes and system calls are
                // each cheaper when they do not alternate.
                if response.body().is_whole() {
                    turn::let_others_pass().await;
                }
                if answering.is_last() && version != Version::HTTP_2 {
                    let headers = response.headers_mut();
                    headers.insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok(answering.with(response))
            }
        });
        let stream = TokioIo::new(stream);
        let connection = self.http.serve_connection(stream, service);
        let driven = member.drive(connection, &requests, self.grace);
        if let Err(error) = driven.await {
            // A client that leaves or speaks badly is its own affair.
            tracing::debug!("connection ended: {error}");
        }
    }
}

/// Why a request is refused before an app is chosen, if it is.
fn refusal(head: &Parts, limits: &HeadLimits) -> Option<Refusal> {
    match head.version {
        Version::HTTP_2 => http2::check(head, limits).err(),
        _ => Refusal::of(head),
    }
}

/// The answer to a refused request; over HTTP/2 its stream may be reset instead
/// (RFC 9113, section 8.1.1), and its connection goes on.
fn refused(
    version: Version,
    refusal: Refusal,
    mut response: Response<Body>,
) -> Result<Response<Body>, h2::Error> {
    if version != Version::HTTP_2 {
        return Ok(response);
    }
    if http2::is_malformed(refusal) {
        return Err(Reason::PROTOCOL_ERROR.into());
    }
    response.headers_mut().remove(CONNECTION);
    Ok(response)
}

/// A response's body: until the connection lets go of it, its request is being
/// answered.
struct Answer {
    body: Body,
    _answering: Answering,
}

impl Answering {
    fn with(self, response: Response<Body>) -> Response<Answer> {
        response.map(|body| Answer {
            body,
            _answering: self,
        })
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
