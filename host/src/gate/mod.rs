//! The gate before an app is chosen: a request passes it only if everybody on its
//! way reads it alike (RFC 9112, section 11.2).
//!
//! hyper is lenient where RFC 9112 lets it be, and tells nobody what it mended;
//! the octets do. Over HTTP/1, [`Gate`] follows them on their way to hyper: heads
//! and the framing of bodies, the rest is skipped. A head is handed on when it is
//! whole and right. One that is refused is replaced by a message of the gate's
//! own, which is answered in its turn, after the requests before it, and is the
//! last of its connection. Over HTTP/2 it follows frames, and [`http2`] looks at
//! what was decoded.

mod chunked;
mod follow;
mod frames;
mod head;
mod hpack;
pub mod http2;
pub(crate) mod octets;
mod parting;
mod refusal;
mod request_line;
pub mod target;

pub use parting::{ALERT, SpokeTls, is_tls};
pub use refusal::Refusal;

use crate::metrics::{self, Event};
use crate::requests::Requests;
use crate::settings::HeadLimits;
use bytes::{Buf, BytesMut};
use chunked::Broken;
use follow::{Followed, Follower, Then};
use frames::{OddHead, Outgoing};
use h2::Reason;
use parting::Fault;
use std::future::Future;
use std::io;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What is read at a time of a head that did not come in one piece.
const PIECE: usize = 4 << 10;

/// How long, and how many octets, what a client still sends is read and forgotten
/// after the last answer. A connection that is closed with octets unread is
/// reset, and a reset takes back answers that the client has not read (RFC 9112,
/// section 9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: u64 = 16 << 20;

/// A connection whose octets pass the gate.
pub struct Gate<T> {
    stream: T,
    requests: Requests,
    follower: Follower,
    /// What is written over HTTP/2.
    outgoing: Outgoing,
    /// Octets that came and have not been handed on.
    held: BytesMut,
    /// How many of them may be.
    passed: usize,
    /// What begins those that are held, if that is to be handed on alone.
    alone: Option<Alone>,
    after: After,
    linger: Linger,
}

/// The end of a head over HTTP/2 of which the path was changed. hyper does not say which
/// stream a request came on: this one is known by that no other can begin when it does.
struct Alone {
    head: OddHead,
    /// Whether it has been handed on.
    is_handed_on: bool,
    /// How often the connection had been polled when hyper had taken all that was handed on.
    since: Option<u64>,
}

/// What follows the octets that may be handed on.
enum After {
    More,
    /// A refused head. The connection is answered, and closed.
    Silence,
    /// A body that is broken.
    Break,
    /// Something that ends the connection. So much is to be written about it.
    Parting(Vec<u8>, Fault),
    /// Nothing more is sent, and answers may be waited for.
    HalfClosed,
    End,
}

/// The time after the last answer.
struct Linger {
    until: Option<Pin<Box<Sleep>>>,
    octets: u64,
}

impl<T> Gate<T> {
    /// A gate on `stream`, for heads within `limits`, and over HTTP/2 for so many
    /// `control_frames` in a second. `requests` are told of what is sent.
    pub fn new(stream: T, limits: HeadLimits, control_frames: u32, requests: Requests) -> Self {
        Gate {
            stream,
            requests,
            follower: Follower::new(limits, control_frames),
            outgoing: Outgoing::default(),
            held: BytesMut::new(),
            passed: 0,
            alone: None,
            after: After::More,
            linger: Linger {
                until: None,
                octets: LINGER_OCTETS,
            },
        }
    }

    /// Whether frames are exchanged.
    pub fn is_http2(&self) -> bool {
        self.follower.is_http2()
    }

    /// Takes back octets that were handed on last, to hand them on first.
    pub fn put_back(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            let held = mem::take(&mut self.held);
            self.held.extend_from_slice(octets);
            self.held.extend_from_slice(&held);
            self.passed += octets.len();
        }
    }

    /// Hands on what is held and may pass.
    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let length = self.passed.min(buf.remaining());
        buf.put_slice(&self.held[..length]);
        self.passed -= length;
        self.held.advance(length);
        if self.held.is_empty() {
            // An idle connection keeps no memory for the next head.
            self.held = BytesMut::new();
        }
    }

    /// Nothing after this counts.
    fn refuse(&mut self, refusal: Refusal) {
        self.requests.expect_no_more();
        self.held.truncate(self.passed);
        self.held.extend_from_slice(&refusal.stand_in());
        self.passed = self.held.len();
        self.after = After::Silence;
    }

    /// Follows what was written over HTTP/2.
    fn wrote(&mut self, octets: &[u8]) {
        let follower = &mut self.follower;
        if self.outgoing.wrote(octets, |stream| follower.close(stream)) {
            self.requests.sent();
            self.follower.answered();
        }
        if matches!(self.after, After::HalfClosed) {
            self.requests.wake();
        }
    }

    /// The client sends nothing more. hyper takes that for the end of the connection, so
    /// it is told when all that was asked has been answered; at once if a message is
    /// not whole, which hyper tells the guest that reads it.
    fn end(&mut self) {
        let rest = match self.requests.is_half_closed() {
            true => self.follower.half_closed(),
            false => None,
        };
        self.after = match rest {
            Some(frames) => {
                self.held.truncate(self.passed);
                self.held.extend_from_slice(&frames);
                self.passed = self.held.len();
                After::HalfClosed
            }
            None => After::End,
        };
    }

    /// Follows what is held.
    fn follow_held(&mut self) {
        let Followed { passed, then } = self.follower.follow(&mut self.held);
        self.requests.keep_targets(self.follower.odd_targets());
        self.passed = passed;
        self.stop(then);
    }

    /// Ready when an odd head may be handed on, or what follows it: when all requests that
    /// were handed on before have begun, or never will.
    fn poll_alone(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(alone) = &mut self.alone else {
            return Poll::Ready(());
        };
        let polls = self.requests.polls();
        if *alone.since.get_or_insert(polls) == polls {
            // hyper asks for octets until there are none, and then for requests.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        alone.since = None;
        if std::mem::replace(&mut alone.is_handed_on, true) {
            // It was refused if it has not begun by now.
            self.requests.forget_targets();
            self.alone = None;
            self.follow_held();
        } else {
            let sent = Box::from(&*alone.head.path);
            let next = self.requests.begun() + 1;
            self.passed = alone.head.length;
            self.requests.keep_targets(vec![(next, sent)]);
        }
        Poll::Ready(())
    }

    /// Ready when all that was asked has been answered, to the last byte.
    fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.requests.poll_answered(cx));
        if self.follower.is_answered() && self.outgoing.is_between_frames() {
            return Poll::Ready(());
        }
        self.requests.wait(cx);
        Poll::Pending
    }

    /// Does what is to be done about octets that may not pass, which are at the
    /// end of those held.
    fn stop(&mut self, then: Then) {
        match then {
            Then::Nothing | Then::Keep => {}
            Then::Odd(head) => {
                self.alone = Some(Alone {
                    head,
                    is_handed_on: false,
                    since: None,
                });
            }
            Then::Refuse(refusal) => self.refuse(refusal),
            Then::Break => {
                self.requests.expect_no_more();
                self.held.truncate(self.passed);
                self.after = After::Break;
            }
            Then::GoAway(fault) => {
                if fault == Reason::ENHANCE_YOUR_CALM {
                    metrics::count(Event::Http2Flood);
                }
                self.held.truncate(self.passed);
                let frame = self.follower.go_away(fault);
                self.after = After::Parting(frame, Fault::Frame(fault));
            }
            Then::Tls => {
                self.held.truncate(self.passed);
                self.after = After::Parting(ALERT.to_vec(), Fault::Tls);
            }
        }
    }
}

impl<T: AsyncRead + Unpin> Gate<T> {
    /// Reads to where hyper wants it, if nothing is in the way. True if something
    /// came that may pass.
    fn poll_straight(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let start = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let octets = &mut buf.filled_mut()[start..];
        if octets.is_empty() {
            self.end();
            return Poll::Ready(Ok(false));
        }
        let Followed { passed, then } = self.follower.follow(octets);
        self.requests.keep_targets(self.follower.odd_targets());
        if then != Then::Nothing {
            self.held.extend_from_slice(&octets[passed..]);
            buf.set_filled(start + passed);
            self.stop(then);
        }
        Poll::Ready(Ok(passed > 0))
    }

    /// Reads more of a head of which a part is held.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A connection that only waits holds no memory for what may come.
        let mut piece = [MaybeUninit::uninit(); PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
        self.held.extend_from_slice(piece.filled());
        if piece.filled().is_empty() {
            match self.follower.end() {
                Some(refusal) => self.refuse(refusal),
                None => self.end(),
            }
            return Poll::Ready(Ok(()));
        }
        self.follow_held();
        Poll::Ready(Ok(()))
    }

    /// Ready when the client has read what it was sent, as far as can be known.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.after, After::HalfClosed | After::End) {
            return Poll::Ready(());
        }
        let is_whole = matches!(self.after, After::More) && self.follower.is_between_messages();
        if is_whole && self.linger.until.is_none() {
            // Unless it asks on: that is answered no more, and reset no less.
            let mut first = [0; 1];
            let mut buf = ReadBuf::new(&mut first);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
        let until = self
            .linger
            .until
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut forgotten = [0; PIECE];
        loop {
            let mut buf = ReadBuf::new(&mut forgotten);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf));
            let length = buf.filled().len() as u64;
            self.linger.octets = self.linger.octets.saturating_sub(length);
            if read.is_err() || length == 0 || self.linger.octets == 0 {
                return Poll::Ready(());
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Gate<T> {
    /// Ready when something has come that may be handed on, or nothing more will. Fails
    /// for a client that speaks TLS, once it has been told.
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.passed == 0 && matches!(self.after, After::More) {
            ready!(self.poll_rest(cx))?;
        }
        match self.after {
            After::Parting(..) if self.passed == 0 => self.poll_parting(cx).map(Err),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Tells the client of its fault, once a frame may begin; then the connection
    /// fails.
    fn poll_parting(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let After::Parting(rest, fault) = &mut self.after else {
            return Poll::Ready(io::ErrorKind::InvalidData.into());
        };
        let error = io::Error::from(*fault);
        // In the midst of a frame h2 goes on to write, and then to read.
        if !rest.is_empty() && !self.outgoing.is_between_frames() {
            return Poll::Pending;
        }
        while !rest.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest)) {
                Ok(0) | Err(_) => return Poll::Ready(error),
                Ok(written) => drop(rest.drain(..written)),
            }
        }
        if ready!(Pin::new(&mut self.stream).poll_shutdown(cx)).is_ok() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(error)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        loop {
            if gate.passed > 0 {
                gate.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            match &gate.after {
                After::More if gate.alone.is_some() => ready!(gate.poll_alone(cx)),
                After::More if gate.held.is_empty() && !gate.follower.is_at_beginning() => {
                    let Poll::Ready(came) = gate.poll_straight(cx, buf) else {
                        // Whoever waits amid a body does not rest.
                        if gate.requests.are_resting() && !gate.follower.is_between_messages() {
                            gate.requests.note_resting(false);
                        }
                        return Poll::Pending;
                    };
                    if came? {
                        return Poll::Ready(Ok(()));
                    }
                }
                After::More => ready!(gate.poll_rest(cx))?,
                After::Parting(..) => return gate.poll_parting(cx).map(Err),
                // hyper answers, which needs nothing more to be read.
                After::Silence => return Poll::Pending,
                After::Break => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, Broken)));
                }
                After::HalfClosed => {
                    ready!(gate.poll_answered(cx));
                    gate.after = After::End;
                }
                After::End => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        if self.follower.is_http2() {
            self.wrote(&buf[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        if self.follower.is_http2() {
            let mut rest = written;
            for piece in bufs {
                let length = rest.min(piece.len());
                self.wrote(&piece[..length]);
                rest -= length;
            }
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.requests.expect_no_more();
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        ready!(self.poll_linger(cx));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
