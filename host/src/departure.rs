//! Whether a client has left, learnt without reading what it sent before.
//!
//! A connection that waits for octets hears of the end by itself. One whose guest
//! does not read its request's body waits for nothing, and would let the guest of
//! a client that is gone run to its limit.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A connection that can be asked for news of its client's leaving.
pub trait Watched {
    /// Begins to watch.
    fn departure(&self) -> io::Result<Departure>;
}

impl Watched for TcpStream {
    fn departure(&self) -> io::Result<Departure> {
        // A descriptor of its own: what is learnt of one is, to the runtime, news
        // of that one only, and nothing that the connection waits for is taken.
        let same = std::net::TcpStream::from(self.as_fd().try_clone_to_owned()?);
        TcpStream::from_std(same).map(Departure)
    }
}

/// The end of what a client sends, whenever it comes. With more unread than the
/// kernel holds for a socket, it is not heard of: TCP delivers it in its turn.
pub struct Departure(TcpStream);

impl Departure {
    /// Ready when the client has left.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // This one remembers whom to wake; the other says what there is.
            let waited = ready!(self.0.poll_read_ready(cx));
            let news = ready!(pin!(self.0.ready(Interest::READABLE)).poll(cx));
            let (Ok(()), Ok(news)) = (waited, news) else {
                // The runtime ends.
                return Poll::Pending;
            };
            if news.is_read_closed() {
                return Poll::Ready(());
            }
            // Octets are no news. To the runtime this is a read that found none,
            // after which it tells of what comes next.
            let _ = self.0.try_io(Interest::READABLE, || {
                Err::<(), _>(io::ErrorKind::WouldBlock.into())
            });
        }
    }
}
