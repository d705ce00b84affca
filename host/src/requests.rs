//! The requests of one connection, as far as its time-outs and limits have to know
//! of them.

use crate::metrics::{self, Event};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// What is known of a connection's requests. All who share it run on the thread of
/// the connection, so that nothing here has to be ordered.
#[derive(Clone)]
pub struct Requests(Arc<Counts>);

struct Counts {
    /// The most that there may be.
    most: u64,
    /// Those that are being answered. Meanwhile nobody waits for a head.
    answering: AtomicUsize,
    /// Those that have begun so far.
    begun: AtomicU64,
    /// Frames of answers that left over HTTP/2.
    frames: AtomicU64,
    is_http2: AtomicBool,
    /// Whether octets wait for the client to take others before them.
    is_writing: AtomicBool,
    /// Whether the client let answers wait for so long that it was given up.
    are_given_up: AtomicBool,
    /// Whether none came for a while.
    are_resting: AtomicBool,
    /// Whether no head can come any more.
    are_last: AtomicBool,
    /// Whether no more of them are wanted.
    is_ending: AtomicBool,
}

/// One that is being answered, until it is dropped.
pub struct Answering(Requests);

impl Requests {
    /// None yet, and at most so many; 0 for any number.
    pub fn at_most(most: u64) -> Self {
        Requests(Arc::new(Counts {
            most: if most == 0 { u64::MAX } else { most },
            answering: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            is_writing: AtomicBool::new(false),
            are_given_up: AtomicBool::new(false),
            are_resting: AtomicBool::new(false),
            are_last: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        }))
    }

    /// A head has come.
    pub fn begin(&self) -> Answering {
        let Requests(counts) = self;
        counts.answering.fetch_add(1, Relaxed);
        // Only the connection itself begins requests.
        let begun = counts.begun.load(Relaxed) + 1;
        counts.begun.store(begun, Relaxed);
        counts.are_resting.store(false, Relaxed);
        if begun == counts.most {
            self.end();
            metrics::count(Event::RequestsSpent);
        }
        Answering(self.clone())
    }

    /// Whether none is being answered.
    pub fn none(&self) -> bool {
        self.0.answering.load(Relaxed) == 0
    }

    /// Whether all are answered, to the last octet.
    pub fn are_answered(&self) -> bool {
        self.none() && !self.is_writing()
    }

    /// Octets have to wait, or all went through. Returns whether they had to wait
    /// until now.
    pub fn note_writing(&self, is_writing: bool) -> bool {
        let was_writing = self.0.is_writing.load(Relaxed);
        self.0.is_writing.store(is_writing, Relaxed);
        was_writing && !is_writing
    }

    /// Whether octets wait for the client to take others before them.
    pub fn is_writing(&self) -> bool {
        self.0.is_writing.load(Relaxed)
    }

    /// The client lets an answer wait, and took nothing of any other: no more are wanted, and
    /// when those that there are have ended it is waited for no longer.
    pub fn give_up(&self) {
        self.0.are_given_up.store(true, Relaxed);
        self.end();
    }

    /// Whether the client was given up.
    pub fn are_given_up(&self) -> bool {
        self.0.are_given_up.load(Relaxed)
    }

    /// None is asked for a while, or that is over.
    pub fn note_resting(&self, are_resting: bool) {
        self.0.are_resting.store(are_resting, Relaxed);
    }

    /// No head comes after those that have: the connection is being closed, or what
    /// comes does not count.
    pub fn expect_no_more(&self) {
        self.0.are_last.store(true, Relaxed);
    }

    /// Whether none was asked for a while, and one may come.
    pub fn are_resting(&self) -> bool {
        self.0.are_resting.load(Relaxed) && !self.0.are_last.load(Relaxed)
    }

    /// They come over HTTP/2.
    pub fn are_http2(&self) {
        self.0.is_http2.store(true, Relaxed);
    }

    /// Whether they are known to come over HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.0.is_http2.load(Relaxed)
    }

    /// How many have begun.
    pub fn begun(&self) -> u64 {
        self.0.begun.load(Relaxed)
    }

    /// How many have begun beyond the most that there may be.
    pub fn beyond(&self) -> u64 {
        self.begun().saturating_sub(self.0.most)
    }

    /// A frame of an answer left.
    pub fn sent(&self) {
        self.0.frames.fetch_add(1, Relaxed);
    }

    /// How many frames of answers have left.
    pub fn frames(&self) -> u64 {
        self.0.frames.load(Relaxed)
    }

    /// No more are wanted: the connection is to end when those that there are have
    /// been answered.
    pub fn end(&self) {
        self.0.is_ending.store(true, Relaxed);
    }

    /// Whether the connection is to end.
    pub fn is_ending(&self) -> bool {
        self.0.is_ending.load(Relaxed)
    }
}

impl Answering {
    /// Those that it is one of.
    pub fn requests(&self) -> &Requests {
        &self.0
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Answering(Requests(counts)) = self;
        counts.answering.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_ends_the_connection() {
        let requests = Requests::at_most(2);
        drop(requests.begin());
        assert!(requests.none() && !requests.is_ending());
        let last = requests.begin();
        assert!(requests.is_ending() && !requests.none());
        assert_eq!((requests.beyond(), requests.begun()), (0, 2));
        drop(last);
        drop(requests.begin());
        assert_eq!(requests.beyond(), 1);
    }

    #[test]
    fn nothing_is_any_number() {
        let requests = Requests::at_most(0);
        for _ in 0..3 {
            drop(requests.begin());
        }
        assert!(!requests.is_ending());
    }
}
