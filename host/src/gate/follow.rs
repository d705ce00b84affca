//! Follows the octets of a connection from message to message, so that each head
//! is seen before anyone acts on it.

use super::chunked::{Broken, Chunked};
use super::frames::{Incoming, OddHead, Stop};
use super::head::{Framing, Head};
use super::parting::is_tls;
use super::refusal::Refusal;
use super::target;
use crate::settings::HeadLimits;
use h2::Reason;

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Where on a connection its client is.
pub struct Follower {
    limits: HeadLimits,
    /// Control frames in a second.
    control_frames: u32,
    place: Place,
    /// Heads that have passed.
    heads: u64,
    /// Targets of heads that have passed, as they were sent, if hyper does not take them
    /// so; each with the number of its head, the first being 1.
    odd_targets: Vec<(u64, Box<[u8]>)>,
}

enum Place {
    /// Before the first octet that tells HTTP/2 from HTTP/1.
    Beginning,
    /// Frames. What they carry is looked at when it is decoded.
    Frames(Box<Incoming>),
    /// In the head of a message, or before it.
    Head(Head),
    /// In a body of which so many octets are to come.
    Body(u64),
    Chunks(Chunked),
}

/// What octets turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Followed {
    /// So many of them may pass.
    pub passed: usize,
    /// What about the rest.
    pub then: Then,
}

/// What is done with octets that may not pass.
#[derive(Debug, PartialEq, Eq)]
pub enum Then {
    /// There are none.
    Nothing,
    /// They begin a head, or a part of one. They are to be kept, and shown again with what
    /// comes after them.
    Keep,
    /// They begin with the end of a head of which the path was changed. That is to be
    /// handed on alone, and the rest shown again.
    Odd(OddHead),
    /// They begin a head that is refused, and nothing after it counts.
    Refuse(Refusal),
    /// They are in a body that is broken, and nothing after it counts.
    Break,
    /// They are in a frame with a fault, and nothing after it counts.
    GoAway(Reason),
    /// They begin a handshake of TLS, which is not spoken here.
    Tls,
}

impl Follower {
    /// At the beginning of a connection.
    pub fn new(limits: HeadLimits, control_frames: u32) -> Self {
        Follower {
            limits,
            control_frames,
            place: Place::Beginning,
            heads: 0,
            odd_targets: Vec::new(),
        }
    }

    /// Targets that passed since this was asked last; see [`target`].
    pub fn odd_targets(&mut self) -> Vec<(u64, Box<[u8]>)> {
        std::mem::take(&mut self.odd_targets)
    }

    /// Looks at the octets that come next. What hyper does not take of a target is blanked.
    #[inline]
    pub fn follow(&mut self, octets: &mut [u8]) -> Followed {
        let mut passed = 0;
        loop {
            let rest = &mut octets[passed..];
            let then = match &mut self.place {
                Place::Head(head) if !rest.is_empty() => match head.read(rest, &self.limits) {
                    Ok(Some((length, framing))) => {
                        passed += length;
                        self.heads += 1;
                        if let Some(odd) = head.odd_target() {
                            let sent = target::blank(&mut rest[odd]);
                            self.odd_targets.push((self.heads, sent));
                        }
                        self.place = match framing {
                            Framing::Length(0) => Place::Head(Head::default()),
                            Framing::Length(length) => Place::Body(length),
                            Framing::Chunked => Place::Chunks(Chunked::new()),
                        };
                        continue;
                    }
                    Ok(None) => Then::Keep,
                    Err(refusal) => Then::Refuse(refusal),
                },
                Place::Body(left) if !rest.is_empty() => {
                    let come = (*left).min(rest.len() as u64);
                    passed += come as usize;
                    *left -= come;
                    if *left == 0 {
                        self.place = Place::Head(Head::default());
                    }
                    continue;
                }
                Place::Chunks(chunked) if !rest.is_empty() => match chunked.read(rest) {
                    Ok(Some(length)) => {
                        passed += length;
                        self.place = Place::Head(Head::default());
                        continue;
                    }
                    Ok(None) => {
                        passed = octets.len();
                        Then::Nothing
                    }
                    Err(Broken) => Then::Break,
                },
                Place::Beginning if rest.starts_with(PREFACE) => {
                    passed = PREFACE.len();
                    self.place = Place::Frames(Box::new(Incoming::new(self.control_frames)));
                    continue;
                }
                Place::Beginning if is_tls(rest) => Then::Tls,
                Place::Beginning if PREFACE.starts_with(rest) => Then::Keep,
                Place::Beginning => {
                    self.place = Place::Head(Head::default());
                    continue;
                }
                Place::Frames(incoming) => match incoming.read(rest) {
                    Ok(()) => {
                        passed = octets.len();
                        Then::Nothing
                    }
                    Err((right, stop)) => {
                        passed += right;
                        match stop {
                            Stop::Fault(fault) => Then::GoAway(fault),
                            Stop::Part => Then::Keep,
                            Stop::Odd(head) => Then::Odd(head),
                        }
                    }
                },
                _ => Then::Nothing,
            };
            return Followed { passed, then };
        }
    }

    /// The last frame to a client that speaks HTTP/2 and made a `fault`.
    pub fn go_away(&self, fault: Reason) -> Vec<u8> {
        match &self.place {
            Place::Frames(incoming) => incoming.go_away(fault),
            _ => Vec::new(),
        }
    }

    /// A frame of an answer was sent to a client that speaks HTTP/2.
    pub fn answered(&mut self) {
        if let Place::Frames(incoming) = &mut self.place {
            incoming.answered();
        }
    }

    /// The answer on a stream of HTTP/2 has been sent.
    pub fn close(&mut self, stream: u32) {
        if let Place::Frames(incoming) = &mut self.place {
            incoming.close(stream);
        }
    }

    /// Whether no answer is to come over HTTP/2.
    pub fn is_answered(&self) -> bool {
        match &self.place {
            Place::Frames(incoming) => incoming.is_answered(),
            _ => true,
        }
    }

    /// The client has closed its sending side. If it did so between messages: the frames
    /// that end what it began over HTTP/2 and did not finish. None if it did so in the
    /// midst of a message or a frame.
    pub fn half_closed(&mut self) -> Option<Vec<u8>> {
        match &mut self.place {
            Place::Frames(incoming) => incoming.is_between_frames().then(|| incoming.end_of_all()),
            _ => self.is_between_messages().then(Vec::new),
        }
    }

    /// Whether frames are exchanged.
    pub fn is_http2(&self) -> bool {
        matches!(self.place, Place::Frames(_))
    }

    /// Whether it is not known yet which protocol is spoken.
    pub fn is_at_beginning(&self) -> bool {
        matches!(self.place, Place::Beginning)
    }

    /// Whether everything that came belongs to a message that is whole.
    pub fn is_between_messages(&self) -> bool {
        match &self.place {
            Place::Head(head) => !head.has_begun(),
            Place::Beginning => true,
            Place::Frames(_) | Place::Body(_) | Place::Chunks(_) => false,
        }
    }

    /// The refusal of a head that ends with the connection.
    pub fn end(&self) -> Option<Refusal> {
        match &self.place {
            Place::Head(head) if head.has_begun() => Some(Refusal::Incomplete),
            _ => None,
        }
    }
}
