//! The listening socket: connections come in here.

use crate::connection::Protocol;
use crate::settings::Timeouts;
use crate::tenant::Site;
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;
/// How long to wait after an accept that failed for want of something, such as
/// file descriptors; doubled up to the second while it goes on.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A bound socket that has not begun to serve.
pub struct Listener {
    socket: TcpListener,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request that was in flight was answered.
    Whole,
    /// Some were cut when the grace period was over.
    Cut,
}

impl Listener {
    /// Binds `addr`. Port 0 asks for any free one.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Else a restart would fail for as long as the kernel remembers the
        // connections of the last run.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        Ok(Listener { socket: socket.listen(BACKLOG)? })
    }

    /// The address it is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves `site` until `shutdown` is ready; then accepts no more, lets the
    /// requests in flight finish within the grace period, and cuts the rest.
    pub async fn serve(self, site: Arc<Site>, timeouts: Timeouts, shutdown: impl Future<Output = ()>) -> Drained {
        let protocol = Arc::new(Protocol::new(&timeouts));
        let connections = GracefulShutdown::new();
        let mut tasks = tokio::task::JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let stream = tokio::select! {
                biased;
                () = &mut shutdown => break,
                stream = self.accept() => stream,
                Some(_) = tasks.join_next() => continue,
            };
            // Small answers are not to wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let (protocol, site, watcher) = (protocol.clone(), site.clone(), connections.watcher());
            tasks.spawn(async move { protocol.serve(stream, site, watcher).await });
        }
        // New clients are refused from here on, rather than left waiting.
        drop(self);
        let drained = tokio::time::timeout(timeouts.grace, connections.shutdown()).await;
        // What is still running is dropped with its task, guests included.
        tasks.shutdown().await;
        if drained.is_ok() { Drained::Whole } else { Drained::Cut }
    }

    /// The next connection. A failure is never final: one client's early leave,
    /// or a moment without file descriptors, must not end the server.
    async fn accept(&self) -> TcpStream {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!("cannot accept a connection, trying again in {pause:?}: {error}");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// The client was gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
