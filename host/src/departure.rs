//! How far a client has left, learnt without reading what it sent before.
//!
//! A client that has sent all it has may close its sending side (a FIN) and wait for the
//! answer: it is still there. A client that is gone shows by a reset (RST), or on a Unix
//! socket at once. A connection that is read hears of both by itself. One whose guest
//! does not read its request's body, and one whose client has closed its sending side,
//! wait for no bytes, and would let the guest of a client that is gone run to its limit.

use crate::socket::Socket;
use rustix::net::sockopt::set_socket_linger;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// A connection that can be asked for news of its client's leaving.
pub trait Watched {
    /// Begins to watch.
    fn departure(&self) -> io::Result<Departure>;

    /// Has what the client did not take thrown away when the connection is closed (RST).
    fn reset_when_closed(&self);

    /// Returns how many bytes the kernel has taken so far out of a buffer that stands before
    /// it; none where there is no such buffer, and a write ends when the kernel has taken it.
    fn buffered_sent(&self) -> Option<u64> {
        None
    }
}

impl Watched for Socket {
    fn departure(&self) -> io::Result<Departure> {
        // A descriptor of its own: what is learnt of one is, to the runtime, news
        // of that one only, and nothing that the connection waits for is taken.
        match self {
            Socket::Tcp(stream) => {
                let same = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned()?);
                TcpStream::from_std(same).map(Socket::Tcp)
            }
            Socket::Unix(stream) => {
                let same =
                    std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
                UnixStream::from_std(same).map(Socket::Unix)
            }
        }
        .map(|socket| Departure {
            socket,
            is_half_closed: false,
        })
    }

    fn reset_when_closed(&self) {
        if let Socket::Tcp(stream) = self {
            // If that cannot be had, it is closed all the same.
            let _ = set_socket_linger(stream, Some(Duration::ZERO));
        }
    }
}

/// What became of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It has closed its sending side, and may still read.
    HalfClosed,
    /// It is gone: nothing that is sent reaches it.
    Gone,
}

/// The end of what a client sends and of what it takes, whenever they come. With more
/// unread than the kernel holds for a socket, the former is not heard of: TCP delivers
/// it in its turn.
pub struct Departure {
    socket: Socket,
    is_half_closed: bool,
}

/// Whether a side of a stream has closed. Otherwise the task is woken when there is
/// news of it.
macro_rules! is_closed {
    ($stream:ident, $cx:ident, $wait:ident, $interest:expr, $is_closed:ident) => {
        loop {
            // This one remembers whom to wake; the other says what there is.
            let Poll::Ready(Ok(())) = $stream.$wait($cx) else {
                break false;
            };
            let Poll::Ready(Ok(news)) = pin!($stream.ready($interest)).poll($cx) else {
                // The runtime ends.
                break false;
            };
            if news.$is_closed() {
                break true;
            }
            // Bytes, and room for some, are no news. To the runtime this is a call that
            // found none, after which it tells of what comes next.
            let _ = $stream.try_io($interest, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    };
}

impl Departure {
    /// Ready when the client has left, once as far as [`News::HalfClosed`] and then
    /// [`News::Gone`], or at once with the latter.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<News> {
        let is_half_closed = self.is_half_closed;
        // Both kinds have these by the same names, and no trait in common.
        macro_rules! news {
            ($stream:ident) => {
                if is_closed!(
                    $stream,
                    cx,
                    poll_write_ready,
                    Interest::WRITABLE,
                    is_write_closed
                ) {
                    Some(News::Gone)
                } else if !is_half_closed
                    && is_closed!(
                        $stream,
                        cx,
                        poll_read_ready,
                        Interest::READABLE,
                        is_read_closed
                    )
                {
                    Some(News::HalfClosed)
                } else {
                    None
                }
            };
        }
        let news = match &self.socket {
            Socket::Tcp(stream) => news!(stream),
            Socket::Unix(stream) => news!(stream),
        };
        match news {
            Some(news) => {
                self.is_half_closed = true;
                Poll::Ready(news)
            }
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
impl Watched for tokio::io::DuplexStream {
    fn departure(&self) -> io::Result<Departure> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn reset_when_closed(&self) {}
}
