//! Whether a client has left, learnt without reading what it sent before.
//!
//! A connection that waits for octets hears of the end by itself. One whose guest
//! does not read its request's body waits for nothing, and would let the guest of
//! a client that is gone run to its limit.

use crate::socket::Socket;
use rustix::net::sockopt::set_socket_linger;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// A connection that can be asked for news of its client's leaving.
pub trait Watched {
    /// Begins to watch.
    fn departure(&self) -> io::Result<Departure>;

    /// Has what the client did not take thrown away when the connection is closed (RST).
    fn reset_when_closed(&self);
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
        .map(Departure)
    }

    fn reset_when_closed(&self) {
        if let Socket::Tcp(stream) = self {
            // If that cannot be had, it is closed all the same.
            let _ = set_socket_linger(stream, Some(Duration::ZERO));
        }
    }
}

/// The end of what a client sends, whenever it comes. With more unread than the
/// kernel holds for a socket, it is not heard of: TCP delivers it in its turn.
pub struct Departure(Socket);

impl Departure {
    /// Ready when the client has left.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Both kinds have these by the same names, and no trait in common.
        macro_rules! poll {
            ($stream:ident) => {
                loop {
                    // This one remembers whom to wake; the other says what there is.
                    let waited = ready!($stream.poll_read_ready(cx));
                    let news = ready!(pin!($stream.ready(Interest::READABLE)).poll(cx));
                    let (Ok(()), Ok(news)) = (waited, news) else {
                        // The runtime ends.
                        return Poll::Pending;
                    };
                    if news.is_read_closed() {
                        return Poll::Ready(());
                    }
                    // Octets are no news. To the runtime this is a read that found
                    // none, after which it tells of what comes next.
                    let _ = $stream.try_io(Interest::READABLE, || {
                        Err::<(), _>(io::ErrorKind::WouldBlock.into())
                    });
                }
            };
        }
        match &self.0 {
            Socket::Tcp(stream) => poll!(stream),
            Socket::Unix(stream) => poll!(stream),
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
