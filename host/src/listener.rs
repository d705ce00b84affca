//! The listening socket: connections come in here.

use crate::settings::Timeouts;
use crate::tenant::Site;
use crate::worker::{Drained, Workers};
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

impl Listener {
    /// Binds `addr`. Port 0 asks for any free one.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        // Else a restart would fail for as long as the kernel remembers the
        // connections of the last run.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        Ok(Listener {
            socket: socket.listen(BACKLOG)?,
        })
    }

    /// The address it is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves `site` on so many `threads` until `shutdown` is ready; then accepts
    /// no more, lets the requests in flight finish within the grace period, and
    /// cuts the rest.
    pub async fn serve(
        self,
        site: Arc<Site>,
        timeouts: Timeouts,
        threads: usize,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<Drained> {
        let workers = Workers::start(threads, &site, &timeouts)?;
        let mut shutdown = pin!(shutdown);
        loop {
            let stream = tokio::select! {
                biased;
                () = &mut shutdown => break,
                stream = self.accept() => stream,
            };
            // Small answers are not to wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            if let Ok(stream) = stream.into_std() {
                workers.serve(stream);
            }
        }
        // New clients are refused from here on, rather than left waiting.
        drop(self);
        Ok(workers.drain().await)
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
                    tracing::warn!(
                        "cannot accept a connection, trying again in {pause:?}: {error}"
                    );
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
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
