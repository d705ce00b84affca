//! The end of connections: told to stop, the host lets each finish what it has
//! begun, and loses no request that is on its way.
//!
//! Over HTTP/2 the client is told which requests still count (GOAWAY; RFC 9113,
//! section 6.8). HTTP/1 has no word for a connection on which nothing is asked:
//! closing it races with a request that was just sent (RFC 9112, section 9.5). So
//! such a connection is kept for a last call, and what is asked on it by then is
//! answered with `Connection: close`.

use crate::requests::Requests;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How long a connection on which nothing is asked is kept. A request that was
/// sent before its client could know has come by then.
const LAST_CALL: Duration = Duration::from_secs(1);

/// The connections of a thread, which end together.
pub struct Drain(watch::Sender<()>);

/// One of them. It is waited for until this is dropped.
pub struct Member(watch::Receiver<()>);

/// A connection that can be asked for its end.
pub trait Ending: Future + Unpin {
    /// Nothing more is to begin on it. What has begun is answered; it is polled on
    /// until that is done.
    fn end(&mut self);
}

impl Default for Drain {
    fn default() -> Self {
        Drain(watch::Sender::new(()))
    }
}

impl Drain {
    /// One more connection.
    pub fn member(&self) -> Member {
        Member(self.0.subscribe())
    }

    /// Asks all for their end, and waits for it.
    pub async fn begin(self) {
        let Drain(begun) = self;
        let _ = begun.send(());
        begun.closed().await;
    }
}

impl Member {
    /// Drives `connection`, whose `requests` these are, until it ends: by itself;
    /// when no more of them are wanted; or after it was asked to, when they are
    /// answered. Then nothing is asked on it for the last call, or for half of
    /// `grace` if that is shorter.
    pub async fn drive<C: Ending>(
        mut self,
        mut connection: C,
        requests: Requests,
        grace: Duration,
    ) -> Option<C::Output> {
        let mut is_told = false;
        let ended = {
            let mut begun = pin!(self.0.changed());
            poll_fn(|cx| {
                loop {
                    if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                        return Poll::Ready(Some(ended));
                    }
                    if is_told || !requests.is_ending() {
                        return begun.as_mut().poll(cx).map(|_| None);
                    }
                    is_told = true;
                    connection.end();
                }
            })
            .await
        };
        if let Some(ended) = ended {
            return Some(ended);
        }
        requests.end();
        let patience = LAST_CALL.min(grace / 2);
        let mut last_call = pin!(sleep(patience));
        let mut is_idle = true;
        poll_fn(|cx| {
            loop {
                if requests.is_http2() && !is_told {
                    is_told = true;
                    connection.end();
                }
                if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                    return Poll::Ready(Some(ended));
                }
                if requests.is_http2() && !is_told {
                    // It was just found out.
                    continue;
                }
                if !requests.are_answered() {
                    is_idle = false;
                    return Poll::Pending;
                }
                if !is_idle {
                    is_idle = true;
                    last_call.as_mut().reset(Instant::now() + patience);
                }
                ready!(last_call.as_mut().poll(cx));
                if is_told {
                    // A client over HTTP/2 that does not say it has heard.
                    return Poll::Ready(None);
                }
                // Over HTTP/1 this closes what is idle.
                is_told = true;
                connection.end();
            }
        })
        .await
    }
}
