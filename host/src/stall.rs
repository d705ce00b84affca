//! A client that keeps a connection and does nothing with it: neither asks, nor
//! takes what is being sent to it.

#[cfg(test)]
mod tests;

use crate::departure::{Departure, News, Watched};
use crate::metrics::{self, Event};
use crate::patience::Wait;
use crate::requests::Requests;
use crate::settings::Timeouts;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4). While it has
/// streams they are timed one by one.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// How long a request's body may lie unread before its client is watched, which
/// most are never worth.
const UNREAD: Duration = Duration::from_millis(20);

/// How long a connection is kept and not used before it is said to rest. Long
/// against what a client takes between requests that belong together.
const REST: Duration = Duration::from_millis(100);

/// How long a connection is kept over which an answer was not taken, for its client to ask for
/// something else.
const SECOND_THOUGHT: Duration = Duration::from_secs(1);

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
/// request, or for room to write; and when its client is gone, or has closed its sending
/// side and gets no answer within a grace. One that is kept and not used is asked to end
/// first, so that over HTTP/2 its client is told.
pub struct Impatient<T> {
    stream: T,
    requests: Requests,
    times: Arc<Timeouts>,
    /// For a head, or for its first octet.
    head: Wait,
    awaited: Awaited,
    /// Whether some of the next head has come.
    is_partial: bool,
    /// For the client to take something.
    write: Wait,
    /// What it had taken when that was looked at last; see [`Watched::buffered_sent`].
    taken: Option<u64>,
    /// For someone to read what the client sends during its request.
    unread: Wait,
    departure: Option<Departure>,
    /// For more of an answer to a client that has closed its sending side.
    half_closed: Wait,
    /// How much of HTTP/2's preface has come; none once it cannot be that.
    preface: Option<usize>,
    /// Whether someone waits for octets, and with them for the end.
    is_reading: bool,
}

/// What the wait for a head is about. When that changes, a new wait begins.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Awaited {
    /// Requests that have begun, and frames of their answers that left: what a
    /// client keeps its connection for.
    life: (u64, u64),
    /// Whether some of the head has come.
    is_partial: bool,
    /// Whether the connection is only to end.
    is_ending: bool,
    /// Whether its client was given up, and has asked for nothing since.
    is_given_up: bool,
    /// Whether it rests.
    is_resting: bool,
}

impl<T> Impatient<T> {
    /// Waits for `stream` as long as `times` say, for heads of requests that are
    /// not among `requests` yet.
    pub fn new(stream: T, requests: Requests, times: Arc<Timeouts>) -> Self {
        Impatient {
            stream,
            requests,
            times,
            head: Wait::default(),
            awaited: Awaited {
                life: (0, 0),
                is_partial: true,
                is_ending: false,
                is_given_up: false,
                is_resting: false,
            },
            // The first head is waited for from the start.
            is_partial: true,
            write: Wait::default(),
            taken: None,
            unread: Wait::default(),
            departure: None,
            half_closed: Wait::default(),
            preface: Some(0),
            is_reading: false,
        }
    }

    /// Ready when no head came in time, and the connection did not end either.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let requests = &self.requests;
            let life = (requests.begun(), requests.frames());
            // What came until then belonged to a request.
            self.is_partial &= self.awaited.life == life;
            let awaited = Awaited {
                life,
                is_partial: self.is_partial,
                is_ending: requests.is_ending(),
                is_given_up: requests.are_given_up(),
                is_resting: self.awaited.is_resting && self.awaited.life == life,
            };
            if self.awaited != awaited {
                self.awaited = awaited;
                self.head.over();
            }
            let is_kept = !awaited.is_partial && !awaited.is_ending;
            let keep_alive = self.times.keep_alive;
            let patience = match (is_kept, awaited.is_resting) {
                (true, _) if awaited.is_given_up => SECOND_THOUGHT.min(keep_alive),
                (true, false) => REST.min(keep_alive),
                (true, true) => keep_alive.saturating_sub(REST),
                // It has had the time for writing.
                (false, _) if awaited.is_given_up => Duration::ZERO,
                (false, _) => self.times.header,
            };
            let error = ready!(self.head.poll(cx, patience));
            if is_kept && !awaited.is_resting && !awaited.is_given_up {
                self.awaited.is_resting = true;
                self.head.over();
                requests.note_resting(true);
                continue;
            }
            if !awaited.is_ending && !awaited.is_given_up {
                metrics::count(match is_kept {
                    true => Event::KeepAliveOver,
                    false => Event::HeaderTimeout,
                });
            }
            if awaited.is_ending || !(is_kept || self.is_http2()) {
                return Poll::Ready(error);
            }
            // Whoever polls this sees it, and ends the connection in order.
            self.requests.end();
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
            self.requests.are_http2();
        }
    }

    /// Takes note of the end of what the client sends, if this read found it. Under TLS
    /// it may come without a word, since messages say themselves where they end (RFC 9112,
    /// section 9.8).
    fn heard(&self, read: Poll<io::Result<()>>, is_empty: bool) -> Poll<io::Result<()>> {
        let is_end = match &read {
            Poll::Ready(Ok(())) => is_empty,
            Poll::Ready(Err(error)) => error.kind() == io::ErrorKind::UnexpectedEof,
            Poll::Pending => false,
        };
        if !is_end || self.times.half_close.is_zero() {
            return read;
        }
        self.requests.note_half_closed();
        Poll::Ready(Ok(()))
    }
}

impl<T: Watched> Impatient<T> {
    /// Passes on what came of writing, flushing or closing. Fails when that has to wait, and
    /// the client took nothing for as long as writing may take.
    fn bound_write<R>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let taken = self.stream.buffered_sent();
        // What left a buffer is progress, whether all did or not.
        if std::mem::replace(&mut self.taken, taken) != taken {
            self.write.over();
        }
        if polled.is_ready() {
            return polled;
        }
        // Over HTTP/1 this is an answer, which is waited for in its own way.
        if !self.is_http2() {
            self.head.over();
        }
        self.requests.note_writing(true);
        let error = ready!(self.write.poll(cx, self.times.write));
        metrics::count(Event::WriteTimeout);
        // The kernel would keep what lies there until the client takes it.
        self.stream.reset_when_closed();
        Poll::Ready(Err(error))
    }

    /// The same of a part of an answer.
    fn bound_answer<R>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.half_closed.over();
            if !self.is_http2() {
                self.head.over();
            }
            // A buffer may take it while the client takes nothing.
            if self.stream.buffered_sent().is_none() {
                self.write.over();
            }
        }
        self.bound_write(cx, polled)
    }

    /// Ready when the client is gone of a request whose body nobody reads, or whose
    /// client sends no more; or when the latter has had its grace.
    fn poll_departure(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let is_half_closed = self.requests.is_half_closed();
            let is_heard = !is_half_closed && (self.is_reading || self.is_http2());
            // Over HTTP/2 an answer that its guest has finished may wait for its client.
            let is_done = self.requests.none() && !(is_half_closed && self.is_http2());
            if is_heard || is_done {
                self.unread.over();
                self.departure = None;
                return Poll::Pending;
            }
            if is_half_closed && let Poll::Ready(error) = self.poll_grace(cx) {
                return Poll::Ready(error);
            }
            let departure = match &mut self.departure {
                Some(departure) => departure,
                None => {
                    ready!(self.unread.poll(cx, UNREAD));
                    match self.stream.departure() {
                        Ok(departure) => self.departure.insert(departure),
                        // For want of a descriptor: the guest's limits remain.
                        Err(_) => return Poll::Pending,
                    }
                }
            };
            match ready!(departure.poll(cx)) {
                News::HalfClosed if !self.times.half_close.is_zero() => {
                    self.requests.note_half_closed();
                }
                News::HalfClosed | News::Gone => {
                    return Poll::Ready(io::ErrorKind::ConnectionReset.into());
                }
            }
        }
    }

    /// Ready when a client that has closed its sending side was sent nothing for as long
    /// as its grace. While bytes wait for the client to take them, the time for that
    /// counts alone.
    fn poll_grace(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.requests.is_writing() {
            self.half_closed.over();
            return Poll::Pending;
        }
        let error = ready!(self.half_closed.poll(cx, self.times.half_close));
        metrics::count(Event::HalfClosed);
        Poll::Ready(error)
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
            self.is_partial |= !self.is_http2();
            let has_room = buf.remaining() > 0;
            return self.heard(polled, buf.filled().len() == filled && has_room);
        }
        // Over HTTP/1 the time for a head begins when the answer before it has left.
        let is_answering = match self.is_http2() {
            true => !self.requests.none(),
            false => !self.requests.are_answered(),
        };
        if is_answering {
            self.head.over();
            return Poll::Pending;
        }
        self.poll_head(cx).map(Err)
    }
}

impl<T: AsyncWrite + Watched + Unpin> AsyncWrite for Impatient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bound_answer(cx, polled)
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
        self.bound_answer(cx, polled)
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
        // Under TLS, octets that were taken may still wait here. A body that is to be
        // cut may wait for them.
        if self.requests.note_writing(polled.is_pending()) {
            cx.waker().wake_by_ref();
        }
        let polled = self.bound_write(cx, polled);
        // hyper waits for octets while it answers, and after that asks for none until
        // some have come: the wait for the next head begins here.
        if matches!(polled, Poll::Ready(Ok(())))
            && self.is_reading
            && self.requests.none()
            && !self.is_http2()
        {
            return match self.poll_head(cx) {
                Poll::Ready(error) => Poll::Ready(Err(error)),
                Poll::Pending => polled,
            };
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Under TLS there is a last word, which may have to wait as well.
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.bound_write(cx, polled)
    }
}
