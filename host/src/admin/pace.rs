//! A connection whose other end takes what is sent to it, or is given up.

use crate::gate::{ALERT, SpokeTls, is_tls};
use crate::patience::Wait;
use crate::rarely::Rarely;
use crate::socket::Socket;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket to which a write may wait so long. It fails for a client that begins TLS, once
/// it has been told by an alert.
pub(super) struct Paced {
    pub(super) socket: Socket,
    pub(super) patience: Duration,
    wait: Wait,
    /// Whether nothing has come yet.
    is_new: bool,
}

impl Paced {
    pub(super) fn new(socket: Socket, patience: Duration) -> Self {
        Paced {
            socket,
            patience,
            wait: Wait::default(),
            is_new: true,
        }
    }

    /// `polled`, or the end of patience.
    fn within<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(done) => {
                self.wait.over();
                Poll::Ready(done)
            }
            Poll::Pending => self.wait.poll(cx, self.patience).map(Err),
        }
    }
}

/// Logs that a client is at the wrong door.
fn note_tls() {
    static MISTAKEN: Rarely = Rarely::new();
    if let Some(untold) = MISTAKEN.next() {
        tracing::warn!(
            "a client spoke TLS to the admin listener, which does not, and was turned away; ask \
             by http://, or through a proxy that has TLS{untold}"
        );
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let paced = self.get_mut();
        let had = buf.filled().len();
        ready!(Pin::new(&mut paced.socket).poll_read(cx, buf))?;
        if std::mem::take(&mut paced.is_new) && is_tls(&buf.filled()[had..]) {
            note_tls();
            // There is room for what is sent first.
            let _ = Pin::new(&mut paced.socket).poll_write(cx, &ALERT);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, SpokeTls)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let paced = self.get_mut();
        let polled = Pin::new(&mut paced.socket).poll_write(cx, buf);
        paced.within(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let paced = self.get_mut();
        let polled = Pin::new(&mut paced.socket).poll_write_vectored(cx, bufs);
        paced.within(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
