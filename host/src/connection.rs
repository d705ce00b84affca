//! One connection: HTTP/1.1 or HTTP/2 by hyper, and its requests in order.

use crate::body::Body;
use crate::environ::Peer;
use crate::settings::Timeouts;
use crate::stall::{Answering, Impatient, Requests};
use crate::streamed::Cut;
use crate::tenant::Site;
use crate::tls::Transport;
use crate::turn;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How the connections of a listener speak HTTP.
pub struct Protocol {
    http: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
    write_timeout: Duration,
}

impl Protocol {
    /// HTTP/1.1 and HTTP/2 over cleartext, whichever the client begins with.
    pub fn new(timeouts: &Timeouts) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            // A client that ends its side while it is being answered has left:
            // that is how a guest nobody waits for is noticed and stopped.
            .half_close(false);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128);
        Protocol {
            http,
            header_timeout: timeouts.header,
            write_timeout: timeouts.write,
        }
    }

    /// Serves one connection on `lane` until it ends, or until `watcher` asks for
    /// its end and the request in flight is answered.
    pub async fn serve(
        &self,
        stream: Transport,
        peer: Peer,
        site: Arc<Site>,
        lane: usize,
        watcher: Watcher,
    ) {
        let requests = Requests::default();
        let stream = Impatient::new(
            stream,
            requests.clone(),
            self.header_timeout,
            self.write_timeout,
        );
        let here = Arc::new((site, Arc::new(peer)));
        let service = service_fn(move |request| {
            let (here, _answering) = (here.clone(), requests.begin());
            async move {
                let (site, peer) = &*here;
                let response = site.answer(lane, peer, request).await;
                // Answers that are ready leave together, once each request that
                // has come by now had its sandbox: sandboxes and system calls are
                // each cheaper when they do not alternate.
                if response.body().is_whole() {
                    turn::let_others_pass().await;
                }
                Ok::<_, Infallible>(response.map(|body| Answer { body, _answering }))
            }
        });
        let stream = TokioIo::new(stream);
        let connection = self.http.serve_connection(stream, service);
        if let Err(error) = watcher.watch(connection).await {
            // A client that leaves or speaks badly is its own affair.
            tracing::debug!("connection ended: {error}");
        }
    }
}

/// A response's body: until the connection lets go of it, its request is being
/// answered.
struct Answer {
    body: Body,
    _answering: Answering,
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
