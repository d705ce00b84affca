//! The response as the guest makes it: what `start-response` set and `write`
//! gave, shared between the sandbox, which fills it, and the response's body,
//! which empties it.
//!
//! The sandbox and the body run on one thread, but for a guest that is on another one for its
//! turns, so the lock is hardly ever waited for. No waker is kept here: a guest that waits for
//! its blocks to be taken is polled again when the body asks for more (see
//! [`streamed`](crate::streamed)).

use crate::gateway::{OutputError, StartError};
use crate::start_response::ResponseHead;
use bytes::Bytes;
use smallvec::SmallVec;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// One side's handle on the response in the making.
#[derive(Clone)]
pub struct Outlet(Arc<Mutex<State>>);

struct State {
    head: Option<ResponseHead>,
    /// Which call of `start-response` is in force, counted from 1. The `output`
    /// of an earlier one has been superseded.
    generation: u32,
    blocks: Blocks,
    /// Octets that were accepted, over all blocks since the head in force.
    written: u64,
    /// Octets that were cut off because they lay beyond Content-Length.
    beyond: u64,
    /// The announced Content-Length of the head in force.
    length: Option<u64>,
    /// Whether the head has left for the client.
    sent: bool,
    /// The most that a body may have, in octets.
    limit: u64,
    fault: Option<Fault>,
}

/// What a guest did to its response that ends the request, whatever it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It called `start-response` twice, the second time without `exc-info`.
    StartedTwice,
    /// It called `start-response` with `exc-info` after the headers had left.
    StartedAfterHeaders,
    /// It wrote more than the limit, in octets.
    TooLarge(u64),
}

/// Blocks on their way, in order. There are two at most: the one held back, and
/// one behind it whose writer waits.
pub type Blocks = SmallVec<[Bytes; 2]>;

/// What the guest has made so far, when the body takes it.
#[derive(Debug)]
pub struct Taken {
    /// The head, the first time that it is taken.
    pub head: Option<ResponseHead>,
    /// The blocks.
    pub blocks: Blocks,
    /// How it all stands.
    pub standing: Standing,
}

/// How a response stands against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the guest began it.
    pub has_begun: bool,
    /// What the guest did that ends its request.
    pub fault: Option<Fault>,
    /// How many octets are missing from an announced Content-Length, should the
    /// guest write no more.
    pub missing: u64,
    /// How many octets were cut off behind an announced Content-Length.
    pub beyond: u64,
}

/// What is taken of a block before it is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Bytes of it.
    pub taken: usize,
    /// Whether it is the first of its response, which is held until it is known that it is
    /// the only one.
    pub is_first: bool,
}

impl Outlet {
    /// A response of at most `limit` octets of body.
    pub fn new(limit: u64) -> Self {
        Outlet(Arc::new(Mutex::new(State {
            head: None,
            generation: 0,
            blocks: Blocks::new(),
            written: 0,
            beyond: 0,
            length: None,
            sent: false,
            limit,
            fault: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guest calls `start-response` with a head that has been checked, or
    /// with one that was refused. Returns the number of its `output`.
    ///
    /// The order in which faults count is PEP 3333's: that the call is not
    /// allowed at all comes before what is wrong with its arguments.
    pub fn start(
        &self,
        head: Result<ResponseHead, StartError>,
        with_exc_info: bool,
    ) -> Result<u32, StartError> {
        let mut state = self.lock();
        if state.generation > 0 && !with_exc_info {
            state.fault.get_or_insert(Fault::StartedTwice);
            return Err(StartError::AlreadyStarted);
        }
        if state.sent {
            state.fault.get_or_insert(Fault::StartedAfterHeaders);
            return Err(StartError::HeadersSent);
        }
        let head = head?;
        state.length = head.length;
        state.head = Some(head);
        state.generation += 1;
        // What was written under the replaced head goes with it.
        state.blocks.clear();
        state.written = 0;
        state.beyond = 0;
        Ok(state.generation)
    }

    /// What [`Outlet::write`] would take of a block of so many bytes, for a writer that has
    /// more than it had better copy at once. What lies beyond Content-Length is counted here.
    pub fn offer(&self, generation: u32, size: usize) -> Result<Offer, OutputError> {
        let mut state = self.lock();
        if generation != state.generation {
            return Err(OutputError::Superseded);
        }
        if state.fault.is_some() {
            return Err(OutputError::Closed);
        }
        let taken = state.cut(size);
        if taken as u64 > state.limit - state.written {
            return Err(state.too_large());
        }
        Ok(Offer {
            taken,
            is_first: !state.sent && state.blocks.is_empty(),
        })
    }

    /// The guest writes a block through the `output` of call `generation`.
    /// Returns whether it must wait for [`Outlet::drained`] before it goes on:
    /// only the first block of a response is held back for it.
    pub fn write(&self, generation: u32, mut block: Bytes) -> Result<bool, OutputError> {
        let mut state = self.lock();
        if generation != state.generation {
            return Err(OutputError::Superseded);
        }
        if state.fault.is_some() {
            return Err(OutputError::Closed);
        }
        block.truncate(state.cut(block.len()));
        if block.is_empty() {
            return Ok(false);
        }
        if block.len() as u64 > state.limit - state.written {
            return Err(state.too_large());
        }
        state.written += block.len() as u64;
        let first = !state.sent && state.blocks.is_empty();
        state.blocks.push(block);
        Ok(!first)
    }

    /// Whether all blocks have been taken; what a waiting writer polls.
    pub fn drained(&self) -> Poll<()> {
        if self.lock().blocks.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Whether a block waits to be taken.
    pub fn has_blocks(&self) -> bool {
        !self.lock().blocks.is_empty()
    }

    /// Takes what is there. The head has then left: from here on `start-response`
    /// fails.
    pub fn take(&self) -> Taken {
        let mut state = self.lock();
        state.sent = true;
        Taken {
            head: state.head.take(),
            blocks: std::mem::take(&mut state.blocks),
            standing: state.standing(),
        }
    }

    /// How the response stands.
    pub fn standing(&self) -> Standing {
        self.lock().standing()
    }
}

impl State {
    /// How much of a block of so many bytes is within Content-Length.
    fn cut(&mut self, size: usize) -> usize {
        let room = self
            .length
            .map_or(u64::MAX, |length| length - self.written.min(length));
        let taken = size.min(usize::try_from(room).unwrap_or(usize::MAX));
        self.beyond += (size - taken) as u64;
        taken
    }

    fn too_large(&mut self) -> OutputError {
        self.fault = Some(Fault::TooLarge(self.limit));
        OutputError::TooLarge(self.limit)
    }

    fn standing(&self) -> Standing {
        Standing {
            has_begun: self.generation > 0,
            fault: self.fault,
            missing: self.length.map_or(0, |length| length - self.written),
            beyond: self.beyond,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(length: Option<u64>) -> Result<ResponseHead, StartError> {
        ResponseHead::new(200, 0).map(|head| ResponseHead { length, ..head })
    }

    fn block(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn only_the_first_block_is_held() {
        let outlet = Outlet::new(100);
        let output = outlet.start(head(None), false).unwrap();
        assert_eq!(outlet.write(output, block("")), Ok(false));
        assert_eq!(outlet.write(output, block("one")), Ok(false));
        assert_eq!(outlet.write(output, block("two")), Ok(true));
        assert_eq!(outlet.drained(), Poll::Pending);
        assert_eq!(outlet.take().blocks[..], ["one", "two"]);
        assert_eq!(outlet.drained(), Poll::Ready(()));
        assert_eq!(
            outlet.write(output, block("three")),
            Ok(true),
            "no block is held once headers left"
        );
    }

    #[test]
    fn exc_info_replaces_until_the_headers_left() {
        let outlet = Outlet::new(100);
        let first = outlet.start(head(None), false).unwrap();
        outlet.write(first, block("lost")).unwrap();
        let second = outlet.start(head(None), true).unwrap();
        assert_eq!(
            outlet.write(first, block("late")),
            Err(OutputError::Superseded)
        );
        outlet.write(second, block("kept")).unwrap();
        assert_eq!(outlet.take().blocks[..], ["kept"]);
        assert_eq!(outlet.start(head(None), true), Err(StartError::HeadersSent));
        assert_eq!(outlet.standing().fault, Some(Fault::StartedAfterHeaders));
    }

    #[test]
    fn a_second_start_without_exc_info_is_a_fault() {
        let outlet = Outlet::new(100);
        let output = outlet.start(head(None), false).unwrap();
        assert_eq!(
            outlet.start(head(None), false),
            Err(StartError::AlreadyStarted)
        );
        assert_eq!(outlet.standing().fault, Some(Fault::StartedTwice));
        assert_eq!(outlet.write(output, block("x")), Err(OutputError::Closed));
    }

    #[test]
    fn a_refused_head_begins_nothing() {
        let outlet = Outlet::new(100);
        let refused = outlet.start(Err(StartError::InvalidStatus(99)), false);
        assert_eq!(refused, Err(StartError::InvalidStatus(99)));
        assert!(outlet.start(head(None), false).is_ok());
    }

    #[test]
    fn content_length_is_kept() {
        let outlet = Outlet::new(100);
        let output = outlet.start(head(Some(4)), false).unwrap();
        outlet.write(output, block("ab")).unwrap();
        assert_eq!(outlet.standing().missing, 2);
        outlet.write(output, block("cdef")).unwrap();
        outlet.write(output, block("g")).unwrap();
        assert_eq!(outlet.take().blocks[..], ["ab", "cd"]);
        let Standing {
            missing, beyond, ..
        } = outlet.standing();
        assert_eq!((missing, beyond), (0, 3));
    }

    #[test]
    fn what_is_taken_of_a_block_is_known_before() {
        let outlet = Outlet::new(100);
        let output = outlet.start(head(Some(4)), false).unwrap();
        let offer = |size| outlet.offer(output, size).unwrap();
        let first = |taken| Offer {
            taken,
            is_first: true,
        };
        assert_eq!((offer(3), offer(9)), (first(3), first(4)));
        assert_eq!(outlet.standing().beyond, 5);
        outlet.write(output, block("ab")).unwrap();
        assert_eq!((offer(2).taken, offer(2).is_first), (2, false));
        assert_eq!(outlet.offer(output + 1, 1), Err(OutputError::Superseded));
        let outlet = Outlet::new(4);
        let output = outlet.start(head(None), false).unwrap();
        assert_eq!(outlet.offer(output, 5), Err(OutputError::TooLarge(4)));
        assert_eq!(outlet.offer(output, 1), Err(OutputError::Closed));
    }

    #[test]
    fn a_response_has_a_largest_size() {
        let outlet = Outlet::new(4);
        let output = outlet.start(head(None), false).unwrap();
        outlet.write(output, block("abcd")).unwrap();
        assert_eq!(
            outlet.write(output, block("e")),
            Err(OutputError::TooLarge(4))
        );
        assert_eq!(outlet.standing().fault, Some(Fault::TooLarge(4)));
    }
}
