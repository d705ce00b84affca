//! A socket under TLS.

use super::plain::HANDSHAKE;
use super::session::{INCOMPLETE, RECORD, Session};
use crate::socket::Socket;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::UnbufferedServerConnection;

/// The most that waits to be sent before a writer waits too.
const OUTGOING: usize = 64 << 10;

/// A connection under TLS. What is written leaves when it is flushed, or is much.
pub struct Stream {
    socket: Socket,
    session: Session,
    /// Whether nothing has come yet.
    is_new: bool,
    /// Bytes of records that the kernel has taken.
    sent: u64,
}

/// Why there is no connection under TLS.
pub enum Unmet {
    /// The client began with this, which is no TLS.
    Plain(Socket, Vec<u8>),
    /// The handshake failed.
    Failed(io::Error),
}

impl Stream {
    /// Does the handshake with a client that has just connected.
    pub async fn accept(socket: Socket, config: Arc<ServerConfig>) -> Result<Self, Unmet> {
        let mut stream = Stream {
            socket,
            session: Session::new(config).map_err(Unmet::Failed)?,
            is_new: true,
            sent: 0,
        };
        let mut said = Vec::new();
        match poll_fn(|cx| stream.poll_handshake(cx, &mut said)).await {
            Ok(()) => Ok(stream),
            Err(_) if !said.is_empty() => Err(Unmet::Plain(stream.socket, said)),
            Err(error) => Err(Unmet::Failed(error)),
        }
    }

    /// What it is under TLS.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Returns how many bytes of records the kernel has taken.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// What the handshake has come to.
    pub fn connection(&self) -> &UnbufferedServerConnection {
        self.session.connection()
    }

    /// `said` is what the client began with, if that is no TLS.
    fn poll_handshake(&mut self, cx: &mut Context<'_>, said: &mut Vec<u8>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_send(cx))?;
            if !self.session.connection().is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, &mut ReadBuf::new(&mut []), said))?;
        }
    }

    /// Reads from the socket once. What a client began with that is no TLS is `said`, and
    /// not answered.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
        said: &mut Vec<u8>,
    ) -> Poll<io::Result<()>> {
        let mut room = [const { MaybeUninit::uninit() }; INCOMPLETE + RECORD];
        let had = self.session.incomplete();
        let mut records = ReadBuf::uninit(&mut room[..had.len() + RECORD]);
        records.put_slice(had);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut records))?;
        if records.filled().len() == had.len() {
            // Anyone on the way could have cut it here.
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        if std::mem::take(&mut self.is_new) && records.filled()[0] != HANDSHAKE {
            said.extend_from_slice(records.filled());
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let received = self.session.receive(records.filled_mut(), to);
        // An answer to it: an alert, or new keys. If it cannot leave now it does so
        // with what is written next.
        let _ = self.poll_send(cx);
        Poll::Ready(received)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.session.outgoing().is_empty() {
            let socket = Pin::new(&mut self.socket);
            match ready!(socket.poll_write(cx, self.session.outgoing()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => {
                    self.session.sent(sent);
                    self.sent += sent as u64;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        while buf.filled().len() == before
            && buf.remaining() > 0
            && !this.session.take(buf)
            && !this.session.has_ended()
        {
            ready!(this.poll_receive(cx, buf, &mut Vec::new()))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.session.outgoing().len() >= OUTGOING {
            ready!(this.poll_send(cx))?;
        }
        Poll::Ready(this.session.write(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Of one that went wrong, the end is all there is to say.
        let _ = this.session.close();
        ready!(this.poll_send(cx))?;
        match ready!(Pin::new(&mut this.socket).poll_shutdown(cx)) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            // The client was the first to leave.
            _ => Poll::Ready(Ok(())),
        }
    }
}
