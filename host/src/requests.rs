//! The requests of one connection, as far as its time-outs and limits have to know
//! of them.

use crate::metrics::{self, Event};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

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
    /// How often the connection was polled over HTTP/2.
    polls: AtomicU64,
    /// Whether octets wait for the client to take others before them.
    is_writing: AtomicBool,
    /// Whether the client let answers wait for so long that it was given up, and has asked
    /// for nothing since.
    are_given_up: AtomicBool,
    /// Whether none came for a while.
    are_resting: AtomicBool,
    /// Whether no head can come any more.
    are_last: AtomicBool,
    /// Whether no more of them are wanted.
    is_ending: AtomicBool,
    /// Whether the client has closed its sending side, and may wait for answers.
    is_half_closed: AtomicBool,
    /// Wakes the task that waits for the last answer to such a client.
    answered: Mutex<Option<Waker>>,
    /// Whether there are any of the following.
    has_targets: AtomicBool,
    /// Targets as they were sent, of heads that hyper was handed others of; each with the
    /// number of its request.
    targets: Mutex<Vec<(u64, Box<[u8]>)>>,
}

/// One that is being answered, until it is dropped.
pub struct Answering {
    requests: Requests,
    number: u64,
}

impl Requests {
    /// None yet, and at most so many; 0 for any number.
    pub fn at_most(most: u64) -> Self {
        Requests(Arc::new(Counts {
            most: if most == 0 { u64::MAX } else { most },
            answering: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            polls: AtomicU64::new(0),
            is_writing: AtomicBool::new(false),
            are_given_up: AtomicBool::new(false),
            are_resting: AtomicBool::new(false),
            are_last: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            is_half_closed: AtomicBool::new(false),
            answered: Mutex::default(),
            has_targets: AtomicBool::new(false),
            targets: Mutex::default(),
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
        counts.are_given_up.store(false, Relaxed);
        if begun == counts.most {
            self.end();
            metrics::count(Event::RequestsSpent);
        }
        Answering {
            requests: self.clone(),
            number: begun,
        }
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

    /// The client let an answer wait, and took nothing of any other: when those that there are
    /// have ended it is hardly waited for, unless it asks for something else.
    pub fn give_up(&self) {
        self.0.are_given_up.store(true, Relaxed);
    }

    /// Whether the client was given up, and has asked for nothing since.
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

    /// The connection is being polled, over HTTP/2. Each time it is, those of which the heads
    /// were read have begun, or never will.
    pub fn note_poll(&self) {
        self.0.polls.fetch_add(1, Relaxed);
    }

    /// How often the connection was polled.
    pub fn polls(&self) -> u64 {
        self.0.polls.load(Relaxed)
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

    /// Keeps these targets, each with the number of its request, for when that begins.
    pub fn keep_targets(&self, sent: Vec<(u64, Box<[u8]>)>) {
        if !sent.is_empty() {
            let targets = self.0.targets.lock();
            targets.unwrap_or_else(PoisonError::into_inner).extend(sent);
            self.0.has_targets.store(true, Relaxed);
        }
    }

    /// None of those whose targets are kept begins.
    pub fn forget_targets(&self) {
        let targets = self.0.targets.lock();
        targets.unwrap_or_else(PoisonError::into_inner).clear();
        self.0.has_targets.store(false, Relaxed);
    }

    /// The client has closed its sending side, and may wait for answers.
    pub fn note_half_closed(&self) {
        self.0.is_half_closed.store(true, Relaxed);
    }

    /// Whether the client has closed its sending side, and may wait for answers.
    pub fn is_half_closed(&self) -> bool {
        self.0.is_half_closed.load(Relaxed)
    }

    /// Ready when all are answered, to the last byte. Until then the task of `cx` is
    /// woken by [`Requests::wake`], and when the last one has been answered.
    pub fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.are_answered() {
            return Poll::Ready(());
        }
        self.wait(cx);
        Poll::Pending
    }

    /// Has the task of `cx` woken by [`Requests::wake`].
    pub fn wait(&self, cx: &Context<'_>) {
        *self.waiting() = Some(cx.waker().clone());
    }

    /// Wakes the task that waits for the last answer, to look again.
    pub fn wake(&self) {
        if let Some(waker) = self.waiting().take() {
            waker.wake();
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        let waiting = self.0.answered.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering {
    /// Those that it is one of.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Its target as it was sent, if that was kept.
    pub fn take_target(&self) -> Option<Box<[u8]>> {
        let Requests(counts) = &self.requests;
        if !counts.has_targets.load(Relaxed) {
            return None;
        }
        let mut targets = counts
            .targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = targets
            .iter()
            .position(|(number, _)| *number == self.number)?;
        let (_, target) = targets.swap_remove(at);
        counts.has_targets.store(!targets.is_empty(), Relaxed);
        Some(target)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Answering { requests, .. } = self;
        let left = requests.0.answering.fetch_sub(1, Relaxed) - 1;
        if left == 0 && requests.is_half_closed() {
            requests.wake();
        }
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
