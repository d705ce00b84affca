//! A connection from its first octet to its last: with hyper while something is
//! asked on it, and without while it idles.
//!
//! hyper keeps two buffers and the room of a request's future for a connection
//! over HTTP/1, idle or not: 23 KB of them. Between two messages nothing is in them
//! that anyone would miss, so a connection on which nothing was asked for a while
//! gives them back, and is made anew when a head has come. HTTP/2 has a memory of
//! its own on both sides (RFC 7541, section 2.3.2), and keeps it.

use crate::drain::Ending;
use crate::gate::Gate;
use crate::http2_stream::Streams;
use crate::requests::Requests;
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};

/// How both protocols are spoken.
pub struct Http {
    /// HTTP/1.0 and 1.1.
    pub http1: http1::Builder,
    /// HTTP/2, which a client begins by its preface.
    pub http2: http2::Builder<Streams>,
}

/// What `service` answers over one connection. Ready when that has ended.
pub struct Conversation<T, S: HttpService<Incoming>> {
    stage: Stage<T, S>,
    http: Arc<Http>,
    requests: Requests,
}

/// What hyper reads from and writes to.
type Stream<T> = TokioIo<Gate<T>>;

enum Stage<T, S: HttpService<Incoming>> {
    /// Nothing is asked.
    Idle(Box<(Gate<T>, S)>),
    Http1(Box<http1::Connection<Stream<T>, S>>),
    Http2(Pin<Box<http2::Connection<Stream<T>, S, Streams>>>),
    /// It idled, and is to end.
    Closing(Box<(Gate<T>, S)>),
    Over,
}

/// Why a connection ended early.
pub type Interrupted = Box<dyn Error + Send + Sync>;

impl<T, S, B> Conversation<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Error: Into<Interrupted>,
    B: Body + 'static,
    B::Error: Into<Interrupted>,
    Streams: Http2ServerConnExec<S::Future, B>,
{
    /// A conversation over `gate`, whose `requests` these are.
    pub fn new(gate: Gate<T>, service: S, http: Arc<Http>, requests: Requests) -> Self {
        Conversation {
            stage: Stage::Idle(Box::new((gate, service))),
            http,
            requests,
        }
    }

    /// Leaves it to hyper.
    fn hand_over(&mut self, gate: Gate<T>, service: S) {
        let is_http2 = gate.is_http2();
        let stream = TokioIo::new(gate);
        self.stage = if is_http2 {
            let connection = self.http.http2.serve_connection(stream, service);
            Stage::Http2(Box::pin(connection))
        } else {
            let connection = self.http.http1.serve_connection(stream, service);
            Stage::Http1(Box::new(connection))
        };
    }

    /// Takes it back from hyper, if nothing is asked.
    fn take_back(&mut self) {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Http1(connection) => {
                let parts = connection.into_parts();
                let mut gate = parts.io.into_inner();
                gate.put_back(&parts.read_buf);
                self.stage = Stage::Idle(Box::new((gate, parts.service)));
            }
            other => self.stage = other,
        }
    }
}

impl<T, S, B> Future for Conversation<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Error: Into<Interrupted>,
    B: Body + 'static,
    B::Error: Into<Interrupted>,
    Streams: Http2ServerConnExec<S::Future, B>,
{
    type Output = Result<(), Interrupted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.stage {
                Stage::Idle(idle) => {
                    ready!(idle.0.poll_head(cx))?;
                    if let Stage::Idle(idle) = mem::replace(&mut this.stage, Stage::Over) {
                        let (gate, service) = *idle;
                        this.hand_over(gate, service);
                    }
                }
                Stage::Http1(connection) => {
                    if let Poll::Ready(ended) = Pin::new(&mut **connection).poll(cx) {
                        return Poll::Ready(ended.map_err(Into::into));
                    }
                    if !(this.requests.are_resting() && this.requests.are_answered()) {
                        return Poll::Pending;
                    }
                    this.take_back();
                }
                Stage::Http2(connection) => {
                    this.requests.note_poll();
                    return connection.as_mut().poll(cx).map_err(Into::into);
                }
                Stage::Closing(idle) => {
                    return Pin::new(&mut idle.0).poll_shutdown(cx).map_err(Into::into);
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<T, S, B> Ending for Conversation<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Error: Into<Interrupted>,
    B: Body + 'static,
    B::Error: Into<Interrupted>,
    Streams: Http2ServerConnExec<S::Future, B>,
{
    fn end(&mut self) {
        match &mut self.stage {
            Stage::Http1(connection) => Pin::new(&mut **connection).graceful_shutdown(),
            Stage::Http2(connection) => connection.as_mut().graceful_shutdown(),
            Stage::Idle(_) => {
                if let Stage::Idle(idle) = mem::replace(&mut self.stage, Stage::Over) {
                    self.stage = Stage::Closing(idle);
                }
            }
            Stage::Closing(_) | Stage::Over => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{HeadLimits, Timeouts};
    use crate::stall::Impatient;
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Full};
    use hyper::service::service_fn;
    use std::convert::Infallible;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n";
    /// Longer than any client that still asks lets a connection rest.
    const WHILE: Duration = Duration::from_secs(5);

    /// A conversation that answers each body with itself, and its client's end.
    macro_rules! conversation {
        ($far:ident, $conversation:ident) => {
            let (near, mut $far) = tokio::io::duplex(4096);
            let requests = Requests::at_most(0);
            let begin = requests.clone();
            let echo = service_fn(move |request: Request<Incoming>| {
                // A client may still send what nobody waits for.
                drop(begin.begin());
                async move {
                    let body = request.into_body().collect().await;
                    let body = body.map(http_body_util::Collected::to_bytes);
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::new(body.unwrap_or_default())))
                }
            });
            let times = Arc::new(Timeouts::default());
            let stream = Impatient::new(near, requests.clone(), times);
            let gate = Gate::new(stream, HeadLimits::default(), 1000, requests.clone());
            let http = Arc::new(Http {
                http1: http1::Builder::new(),
                http2: http2::Builder::new(Streams::new(WHILE)),
            });
            let mut $conversation = Conversation::new(gate, echo, http, requests.clone());
        };
    }

    /// What the client does, while the conversation goes on.
    macro_rules! meanwhile {
        ($conversation:ident, $client:expr) => {
            tokio::select! {
                biased;
                _ = &mut $conversation => panic!("the connection ended"),
                done = async { $client } => done,
            }
        };
    }

    async fn answer(far: &mut DuplexStream, end: &[u8]) {
        let mut come = Vec::new();
        while !come.ends_with(end) {
            come.push(far.read_u8().await.unwrap());
        }
        assert!(come.starts_with(b"HTTP/1.1 200 OK\r\n"), "{come:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_rests_is_taken_back_and_goes_on() {
        conversation!(far, conversation);
        for _ in 0..3 {
            meanwhile!(conversation, {
                far.write_all(GET).await.unwrap();
                answer(&mut far, b"\r\n\r\n").await;
            });
            assert!(matches!(conversation.stage, Stage::Http1(_)));
            meanwhile!(conversation, tokio::time::sleep(WHILE).await);
            assert!(matches!(conversation.stage, Stage::Idle(..)));
        }
        // A head that comes in pieces is gathered without hyper.
        let (first, rest) = GET.split_at(9);
        meanwhile!(conversation, {
            far.write_all(first).await.unwrap();
            tokio::time::sleep(WHILE).await;
        });
        assert!(matches!(conversation.stage, Stage::Idle(..)));
        meanwhile!(conversation, {
            far.write_all(rest).await.unwrap();
            answer(&mut far, b"\r\n\r\n").await;
        });
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_amid_a_body_does_not_rest() {
        conversation!(far, conversation);
        meanwhile!(conversation, {
            far.write_all(POST).await.unwrap();
            far.write_all(b"ab").await.unwrap();
            tokio::time::sleep(WHILE).await;
        });
        assert!(matches!(conversation.stage, Stage::Http1(_)));
        meanwhile!(conversation, {
            far.write_all(b"cd").await.unwrap();
            answer(&mut far, b"abcd").await;
            far.write_all(GET).await.unwrap();
            answer(&mut far, b"\r\n\r\n").await;
            tokio::time::sleep(WHILE).await;
        });
        assert!(matches!(conversation.stage, Stage::Idle(..)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_rests_is_closed_when_it_is_to_end() {
        conversation!(far, conversation);
        meanwhile!(conversation, {
            far.write_all(GET).await.unwrap();
            answer(&mut far, b"\r\n\r\n").await;
            tokio::time::sleep(WHILE).await;
        });
        conversation.end();
        (&mut conversation).await.unwrap();
        let mut rest = Vec::new();
        assert_eq!(far.read_to_end(&mut rest).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn over_http2_hyper_keeps_it() {
        conversation!(far, conversation);
        meanwhile!(conversation, {
            far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
        assert!(matches!(conversation.stage, Stage::Http2(_)));
    }
}
