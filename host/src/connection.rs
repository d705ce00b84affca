//! One connection: HTTP/1.1 or HTTP/2 by hyper, and its requests in order.

use crate::environ::Peer;
use crate::settings::Timeouts;
use crate::stall::Impatient;
use crate::tenant::Site;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How the connections of a listener speak HTTP.
pub struct Protocol {
    http: auto::Builder<TokioExecutor>,
    write_timeout: Duration,
}

impl Protocol {
    /// HTTP/1.1 and HTTP/2 over cleartext, whichever the client begins with.
    pub fn new(timeouts: &Timeouts) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.header)
            // A client that ends its side while it is being answered has left:
            // that is how a guest nobody waits for is noticed and stopped.
            .half_close(false);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128);
        Protocol {
            http,
            write_timeout: timeouts.write,
        }
    }

    /// Serves one connection on `lane` until it ends, or until `watcher` asks for
    /// its end and the request in flight is answered.
    pub async fn serve(&self, stream: TcpStream, site: Arc<Site>, lane: usize, watcher: Watcher) {
        let Ok(peer) = ends(&stream) else { return };
        let peer = Arc::new(peer);
        let service = service_fn(move |request| {
            let (site, peer) = (site.clone(), peer.clone());
            async move { Ok::<_, Infallible>(site.answer(lane, peer, request).await) }
        });
        let stream = TokioIo::new(Impatient::new(stream, self.write_timeout));
        let connection = self.http.serve_connection(stream, service);
        if let Err(error) = watcher.watch(connection).await {
            // A client that leaves or speaks badly is its own affair.
            tracing::debug!("connection ended: {error}");
        }
    }
}

/// Both addresses; they are gone when the client left before it was accepted.
fn ends(stream: &TcpStream) -> std::io::Result<Peer> {
    Ok(Peer::new(stream.peer_addr()?, stream.local_addr()?))
}
