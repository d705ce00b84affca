//! A client that keeps a connection and does nothing with it: neither asks, nor
//! takes what is being sent to it.

use crate::departure::{Departure, Watched};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4). It speaks of
/// its streams all the time and is not timed here.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// How long a request's body may lie unread before its client is watched, which
/// most are never worth.
const UNREAD: Duration = Duration::from_millis(20);

/// Octets that cost less to copy than to name to the kernel piece by piece.
const SMALL: usize = 512;

/// The pieces in one, if they fit.
fn join<'a>(pieces: &[io::IoSlice<'_>], space: &'a mut [u8; SMALL]) -> Option<&'a [u8]> {
    let mut used = 0;
    for piece in pieces {
        let end = used + piece.len();
        space.get_mut(used..end)?.copy_from_slice(piece);
        used = end;
    }
    Some(&space[..used])
}

/// A connection that fails when its client lets it wait: for the head of a
/// request, or for room to write.
pub struct Impatient<T> {
    stream: T,
    requests: Requests,
    /// For a head, from the first octet that is waited for to its end.
    head: Wait,
    /// For a write to go on.
    write: Wait,
    /// For someone to read what the client sends during its request.
    unread: Wait,
    departure: Option<Departure>,
    /// How much of HTTP/2's preface has come; none once it cannot be that.
    preface: Option<usize>,
    /// Whether someone waits for octets, and with them for the end.
    is_reading: bool,
    /// As [`Requests`] have it.
    is_writing: bool,
}

/// The requests of a connection that are being answered. Meanwhile nobody waits
/// for a head.
#[derive(Clone, Default)]
pub struct Requests(Arc<Standing>);

#[derive(Default)]
struct Standing {
    under_way: AtomicUsize,
    is_http2: AtomicBool,
    /// Whether octets wait for the client to take others before them.
    is_writing: AtomicBool,
    /// Whether the connection is to end.
    is_ending: AtomicBool,
}

/// One that is being answered, until it is dropped.
pub struct Answering(Requests);

impl Requests {
    /// A head has come.
    pub fn begin(&self) -> Answering {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// From here on each is the last of its connection.
    pub fn end(&self) {
        self.0.is_ending.store(true, Ordering::Relaxed);
    }

    /// Whether the connection is known to speak HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.0.is_http2.load(Ordering::Relaxed)
    }

    /// Whether all are answered, to the last octet.
    pub fn are_answered(&self) -> bool {
        self.none() && !self.0.is_writing.load(Ordering::Relaxed)
    }

    fn none(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) == 0
    }
}

impl Answering {
    /// Whether its connection ends after it.
    pub fn is_last(&self) -> bool {
        let Answering(Requests(standing)) = self;
        standing.is_ending.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Requests(standing) = &self.0;
        standing.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A wait that may begin and end with every request. Its alarm is set when it
/// first begins and stays: when it goes off, it is set anew for what is left of
/// the wait that is under way.
struct Wait {
    patience: Duration,
    /// When the wait that is under way ends.
    until: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    fn new(patience: Duration) -> Self {
        Wait {
            patience,
            until: None,
            alarm: None,
        }
    }

    fn over(&mut self) {
        self.until = None;
    }

    /// Begins, or goes on; ready when patience is at its end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let until = *self
            .until
            .get_or_insert_with(|| Instant::now() + self.patience);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(alarm.as_mut().poll(cx));
        while alarm.deadline() < until {
            alarm.as_mut().reset(until);
            ready!(alarm.as_mut().poll(cx));
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<T> Impatient<T> {
    /// Waits at most `head` for the whole head of each request that is not among
    /// `requests` yet, and at most `write` for `stream` to take something.
    pub fn new(stream: T, requests: Requests, head: Duration, write: Duration) -> Self {
        Impatient {
            stream,
            requests,
            head: Wait::new(head),
            write: Wait::new(write),
            unread: Wait::new(UNREAD),
            departure: None,
            preface: Some(0),
            is_reading: false,
            is_writing: false,
        }
    }

    fn is_http2(&self) -> bool {
        self.preface == Some(HTTP2_PREFACE.len())
    }

    /// Compares what comes first, in however many pieces, with the preface.
    fn recognise(&mut self, octets: &[u8]) {
        let Some(had) = self.preface.filter(|had| *had < HTTP2_PREFACE.len()) else {
            return;
        };
        let awaited = &HTTP2_PREFACE[had..];
        let come = octets.len().min(awaited.len());
        self.preface = (octets[..come] == awaited[..come]).then_some(had + come);
        if self.is_http2() {
            self.requests.0.is_http2.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a write, or a flush, did not go through.
    fn note_writing(&mut self, is_writing: bool) {
        if self.is_writing != is_writing {
            self.is_writing = is_writing;
            let Requests(standing) = &self.requests;
            standing.is_writing.store(is_writing, Ordering::Relaxed);
        }
    }

    fn bound_write<R>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        // Either way it is the answer that is being waited for.
        self.head.over();
        self.note_writing(polled.is_pending());
        if polled.is_ready() {
            self.write.over();
            return polled;
        }
        self.write.poll(cx).map(Err)
    }
}

impl<T: Watched> Impatient<T> {
    /// Ready when the client of a request left whose body nobody reads.
    fn poll_departure(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.is_reading || self.is_http2() || self.requests.none() {
            self.unread.over();
            self.departure = None;
            return Poll::Pending;
        }
        let departure = match &self.departure {
            Some(departure) => departure,
            None => {
                ready!(self.unread.poll(cx));
                match self.stream.departure() {
                    Ok(departure) => self.departure.insert(departure),
                    // For want of a descriptor: the guest's limits remain.
                    Err(_) => return Poll::Pending,
                }
            }
        };
        ready!(departure.poll(cx));
        Poll::Ready(io::ErrorKind::ConnectionReset.into())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Impatient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.is_reading = polled.is_pending();
        if polled.is_ready() {
            self.recognise(&buf.filled()[filled..]);
            return polled;
        }
        if self.is_http2() || !self.requests.none() {
            self.head.over();
            return Poll::Pending;
        }
        self.head.poll(cx).map(Err)
    }
}

impl<T: AsyncWrite + Watched + Unpin> AsyncWrite for Impatient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bound_write(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = match join(bufs, &mut [0; SMALL]) {
            Some(small) => Pin::new(&mut self.stream).poll_write(cx, small),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.bound_write(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Also where a connection comes by whenever it does anything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_departure(cx) {
            return Poll::Ready(Err(error));
        }
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        // Under TLS, octets that were taken may still wait here.
        self.note_writing(polled.is_pending());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const WAIT: Duration = Duration::from_secs(30);

    impl Watched for tokio::io::DuplexStream {
        fn departure(&self) -> io::Result<Departure> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn impatient<T>(stream: T) -> (Impatient<T>, Requests) {
        let requests = Requests::default();
        let stream = Impatient::new(stream, requests.clone(), WAIT, WAIT);
        (stream, requests)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_speaks_is_given_up() {
        let (near, _far) = tokio::io::duplex(4);
        let (mut near, _) = impatient(near);
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_trickles_is_given_up() {
        let (near, mut far) = tokio::io::duplex(4);
        let (mut near, _) = impatient(near);
        let start = tokio::time::Instant::now();
        tokio::spawn(async move {
            while far.write_u8(b'x').await.is_ok() {
                tokio::time::sleep(WAIT / 3).await;
            }
        });
        let error = loop {
            match near.read_u8().await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_being_answered_may_be_silent() {
        let (near, mut far) = tokio::io::duplex(4);
        let (mut near, requests) = impatient(near);
        far.write_u8(b'x').await.unwrap();
        near.read_u8().await.unwrap();
        let answering = requests.begin();
        let silence = tokio::time::timeout(10 * WAIT, near.read_u8()).await;
        assert!(silence.is_err(), "it was not cut");
        drop(answering);
        let start = tokio::time::Instant::now();
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_not_timed() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut near, _) = impatient(near);
        for piece in [&b"PR"[..], b"I", b" * HTTP/2.0"] {
            far.write_all(piece).await.unwrap();
            near.read_exact(&mut vec![0; piece.len()]).await.unwrap();
        }
        let silence = tokio::time::timeout(10 * WAIT, near.read_u8()).await;
        assert!(silence.is_err(), "it was not cut");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_given_up() {
        let (near, _far) = tokio::io::duplex(4);
        let (mut near, _) = impatient(near);
        let error = near.write_all(b"more than four").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not() {
        let (near, mut far) = tokio::io::duplex(1);
        let (mut near, _) = impatient(near);
        let reader = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                far.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(near.write_all(b"0123456789"), reader);
        written.unwrap();
    }
}
