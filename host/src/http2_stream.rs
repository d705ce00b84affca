//! A stream of HTTP/2 whose client takes nothing of its answer.
//!
//! A client decides how much of each answer may be sent (RFC 9113, section 5.2). As
//! long as it lets nothing through, nobody asks the answer's body for more, and the
//! guest that makes it would be held for as long as the client likes. So the task
//! that hyper has for each stream is watched from outside; one that is given up is
//! dropped, which resets its stream, and ends its guest. Its connection is given up as well if
//! nothing at all went over it meanwhile.

use crate::metrics::{self, Event};
use crate::patience::Wait;
use crate::requests::Requests;
use hyper::rt::Executor;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How often a block is waited for anew because something was sent over its
/// connection, which may have been a part of it. A client that takes a block of
/// 64 KiB at 250 octets in a second is not given up with a patience of 30 s.
const EXTENSIONS: u32 = 10;

tokio::task_local! {
    /// The stream whose task is polled for the first time, which is when its
    /// request is looked at.
    static STREAM: Arc<Stream>;
}

/// What is known of a stream's answer. The task, and the body in it, share it.
#[derive(Default)]
pub struct Stream {
    answer: OnceLock<AnswerFacts>,
    /// Blocks that the body gave.
    blocks: AtomicUsize,
    /// Whether the last of them is still on its way: it is the client that is
    /// waited for.
    is_given: AtomicBool,
    /// Whether the guest still runs.
    is_running: AtomicBool,
    is_late: AtomicBool,
}

struct AnswerFacts {
    requests: Requests,
    /// When its guest has to have finished, if it still ran as the answer began.
    deadline: Option<Instant>,
}

impl Stream {
    /// The stream whose request is being looked at.
    pub fn current() -> Option<Arc<Stream>> {
        STREAM.try_with(Arc::clone).ok()
    }

    /// Its answer begins, on the connection of `requests`. `deadline` is that of
    /// the guest, if it still runs.
    pub fn begin(&self, requests: Requests, deadline: Option<std::time::Instant>) {
        self.is_running.store(deadline.is_some(), Relaxed);
        let deadline = deadline.map(Instant::from);
        // A stream has one answer.
        let _ = self.answer.set(AnswerFacts { requests, deadline });
    }

    /// The body is asked for more: what it gave has been taken.
    pub fn taken(&self) {
        self.is_given.store(false, Relaxed);
    }

    /// The body gave something; whether its guest still `runs`.
    pub fn given(&self, runs: bool) {
        self.blocks.fetch_add(1, Relaxed);
        self.is_given.store(true, Relaxed);
        self.is_running.store(runs, Relaxed);
    }

    /// Whether the guest's deadline has passed while the client took nothing.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Relaxed)
    }

    fn deadline(&self) -> Option<Instant> {
        match self.is_running.load(Relaxed) {
            true => self.answer.get()?.deadline,
            false => None,
        }
    }

    fn frames(&self) -> u64 {
        self.answer.get().map_or(0, |facts| facts.requests.frames())
    }
}

/// Runs the streams of connections, each within these times.
#[derive(Clone)]
pub struct Streams {
    write: Duration,
}

impl Streams {
    /// A stream is given up when its client takes nothing for as long as `write`.
    /// What it takes of other streams of its connection cannot be told from this
    /// one's, and makes that longer, within a bound.
    pub fn new(write: Duration) -> Self {
        Streams { write }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        tokio::spawn(Watched {
            task,
            stream: Arc::default(),
            is_new: true,
            write: self.write,
            stall: Wait::default(),
            block: 0,
            frames: 0,
            extensions: 0,
        });
    }
}

pin_project! {
    /// The task of a stream, until it ends or is given up.
    struct Watched<F> {
        #[pin]
        task: F,
        stream: Arc<Stream>,
        is_new: bool,
        write: Duration,
        // For the client to take something.
        stall: Wait,
        // The block that it is to take.
        block: usize,
        // What had been sent over the connection when that wait began.
        frames: u64,
        extensions: u32,
    }
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let polled = match std::mem::take(this.is_new) {
            true => STREAM.sync_scope(this.stream.clone(), || this.task.poll(cx)),
            false => this.task.poll(cx),
        };
        let stream = &**this.stream;
        if polled.is_ready() || !stream.is_given.load(Relaxed) {
            this.stall.over();
            return polled;
        }
        let block = stream.blocks.load(Relaxed);
        if std::mem::replace(this.block, block) != block {
            this.stall.over();
            (*this.frames, *this.extensions) = (stream.frames(), 0);
        }
        loop {
            let deadline = stream.deadline();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let patience = left.map_or(*this.write, |left| left.min(*this.write));
            ready!(this.stall.poll(cx, patience));
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                stream.is_late.store(true, Relaxed);
                metrics::count(Event::StreamTimeout);
                return Poll::Ready(());
            }
            let frames = stream.frames();
            let is_alive = std::mem::replace(this.frames, frames) != frames;
            if !is_alive || *this.extensions == EXTENSIONS {
                metrics::count(Event::StreamStalled);
                if !is_alive && let Some(facts) = stream.answer.get() {
                    facts.requests.give_up();
                }
                return Poll::Ready(());
            }
            *this.extensions += 1;
            this.stall.over();
        }
    }
}
