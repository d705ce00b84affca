//! One connection: HTTP/1.1 or HTTP/2 by hyper, and its requests in order.

use crate::body::Body;
use crate::conversation::{Conversation, Http, Interrupted};
use crate::drain::Member;
use crate::environ::Peer;
use crate::gate::{Gate, Refusal, SpokeTls, http2, target};
use crate::http2_stream::{Stream, Streams};
use crate::metrics::{self, Event};
use crate::rarely::Rarely;
use crate::requests::{Answering, Requests};
use crate::settings::{ConnectionLimits, HeadLimits, Timeouts};
use crate::stall::Impatient;
use crate::streamed::Cut;
use crate::tenant::Site;
use crate::tls::Transport;
use crate::turn;
use bytes::Bytes;
use h2::Reason;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2 as http2_server};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What hyper takes of a head over HTTP/1 unless it is told, in fields and octets.
/// To be told of fields costs it an allocation for each request.
const HYPER_FIELDS: usize = 100;
const HYPER_OCTETS: usize = 400 << 10;

/// How the connections of a listener speak HTTP.
pub struct Protocol {
    http: Arc<Http>,
    head_limits: HeadLimits,
    limits: ConnectionLimits,
    timeouts: Arc<Timeouts>,
}

impl Protocol {
    /// HTTP/1.1 and HTTP/2 over cleartext, whichever the client begins with.
    pub fn new(timeouts: &Timeouts, limits: ConnectionLimits, head_limits: HeadLimits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // A connection is read while it is answered, which is how a guest that nobody
            // waits for is noticed and stopped. The gate keeps it from hyper that a
            // client sends no more, which is no sign of that.
            .half_close(false);
        // The gate has the limits of heads; hyper's own only must not be lower.
        if head_limits.fields > HYPER_FIELDS {
            http1.max_headers(head_limits.fields);
        }
        let head_octets = head_limits.request_line + head_limits.octets;
        if head_octets > HYPER_OCTETS {
            http1.max_buf_size(head_octets);
        }
        let octets = u32::try_from(head_limits.octets).unwrap_or(u32::MAX);
        let mut http2 = http2_server::Builder::new(Streams::new(timeouts.write));
        http2
            .timer(TokioTimer::new())
            .max_header_list_size(octets)
            .max_concurrent_streams(limits.http2.streams)
            .initial_stream_window_size(limits.http2.window)
            .initial_connection_window_size(limits.http2.connection_window)
            .max_pending_accept_reset_streams(limits.http2.resets)
            .max_local_error_reset_streams(limits.http2.stream_errors);
        Protocol {
            http: Arc::new(Http { http1, http2 }),
            head_limits,
            limits,
            timeouts: Arc::new(timeouts.clone()),
        }
    }

    /// Serves one connection on `lane` until it ends, by itself or as `member` is
    /// asked to. What comes back is all that an idle connection needs in its task; of how
    /// it ended [`note`] takes note.
    pub fn serve(
        &self,
        stream: Transport,
        peer: Peer,
        site: Arc<Site>,
        lane: usize,
        member: Member,
    ) -> impl Future<Output = Ended> + use<> {
        let requests = Requests::at_most(self.limits.requests);
        let stream = Impatient::new(stream, requests.clone(), self.timeouts.clone());
        let control_frames = self.limits.http2.control_frames;
        let stream = Gate::new(stream, self.head_limits, control_frames, requests.clone());
        let most_beyond = u64::from(self.limits.http2.streams);
        let (head_limits, here) = (self.head_limits, Arc::new((site, Arc::new(peer))));
        let begin = requests.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (here, answering) = (here.clone(), begin.begin());
            // Over HTTP/2 it is known now only which one this is.
            let sent = answering.take_target();
            async move {
                let (site, peer) = &*here;
                let requests = answering.requests();
                let (mut head, incoming) = request.into_parts();
                let version = head.version;
                // A client that goes on when it was told not to.
                if requests.beyond() > most_beyond {
                    metrics::count(Event::StreamRefused);
                    return Err(Reason::REFUSED_STREAM.into());
                }
                // What was blanked is as long as it was.
                let refused_as = refusal(&head, &head_limits);
                let restored = match sent {
                    Some(sent) => target::restore(&mut head, &sent),
                    None => Ok(()),
                };
                if let Some(refusal) = restored.err().or(refused_as) {
                    metrics::count(refusal.event());
                    let response = site.refuse(peer, &head, refusal);
                    return refused(version, refusal, response)
                        .map(|response| response.map(|body| Answer::new(body, answering, None)));
                }
                // Only the first poll of a stream's task knows which it is.
                let stream = match version {
                    Version::HTTP_2 => Stream::current(),
                    _ => None,
                };
                let request = Request::from_parts(head, incoming);
                let mut response = site.answer(lane, peer, request).await;
                // Answers that are ready leave together, once each request that
                // has come by now had its sandbox: sandboxes and system calls are
                // each cheaper when they do not alternate. Who is to come again hears
                // of it at once.
                if response.body().is_whole() && !is_shed(response.status()) {
                    turn::let_others_pass().await;
                }
                if requests.is_ending() && version != Version::HTTP_2 {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                if let Some(stream) = &stream {
                    stream.begin(requests.clone(), response.body().deadline());
                }
                Ok(response.map(|body| Answer::new(body, answering, stream)))
            }
        });
        let conversation = Conversation::new(stream, service, self.http.clone(), requests.clone());
        member.drive(conversation, requests, self.timeouts.grace)
    }
}

/// How a connection ended; none if it was cut.
pub type Ended = Option<Result<(), Interrupted>>;

/// Takes note of how one ended.
pub fn note(ended: Ended) {
    let Some(Err(error)) = ended else { return };
    if is_flood(&*error) {
        metrics::count(Event::Http2Flood);
    }
    if spoke_tls(&*error) {
        static MISTAKEN: Rarely = Rarely::new();
        if let Some(untold) = MISTAKEN.next() {
            tracing::warn!(
                "a client spoke TLS to an address that does not, and was turned away; ask by \
                 http://, or give --tls-cert and --tls-key{untold}"
            );
        }
        return;
    }
    // A client that leaves or speaks badly is its own affair.
    tracing::debug!("connection ended: {error}");
}

/// Whether a client spoke TLS to who does not.
fn spoke_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(|error| error.get_ref());
    inner.is_some_and(|inner| inner.is::<SpokeTls>())
}

/// Whether h2 ended the connection because its client asked too much of it.
fn is_flood(error: &(dyn Error + 'static)) -> bool {
    let cause = error
        .source()
        .and_then(<dyn Error>::downcast_ref::<h2::Error>);
    cause.is_some_and(|cause| {
        cause.is_library() && cause.reason() == Some(Reason::ENHANCE_YOUR_CALM)
    })
}

/// Whether that is what one gets for whom there is no room.
fn is_shed(status: StatusCode) -> bool {
    status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS
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
    /// Over HTTP/2.
    stream: Option<Arc<Stream>>,
    answering: Answering,
}

impl Answer {
    fn new(body: Body, answering: Answering, stream: Option<Arc<Stream>>) -> Self {
        Answer {
            body,
            stream,
            answering,
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Answer {
            body,
            stream,
            answering,
        } = self.get_mut();
        if let Some(stream) = stream {
            stream.taken();
        }
        let polled = Pin::new(&mut *body).poll_frame(cx);
        // Over HTTP/1 a cut takes with it what was not sent. It is polled again when
        // that has been.
        let is_cut = matches!(polled, Poll::Ready(Some(Err(Cut))));
        if is_cut && stream.is_none() && answering.requests().is_writing() {
            return Poll::Pending;
        }
        if let (Some(stream), Poll::Ready(Some(Ok(_)))) = (stream, &polled) {
            stream.given(body.deadline().is_some());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.stream.as_ref().is_some_and(|stream| stream.is_late()) {
            self.body.cut_late();
        }
    }
}
