//! A wait that may begin and end with every request, and costs a timer only once.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Waits for something at most so long. Its alarm is set when it first begins and
/// stays: when it goes off, it is set anew for what is left of the wait that is
/// under way.
#[derive(Default)]
pub struct Wait {
    /// When the wait that is under way ends.
    until: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// What was waited for has come.
    pub fn over(&mut self) {
        self.until = None;
    }

    /// Begins, or goes on; ready when `patience`, as it was when the wait began, is
    /// at its end.
    pub fn poll(&mut self, cx: &mut Context<'_>, patience: Duration) -> Poll<io::Error> {
        let until = *self.until.get_or_insert_with(|| Instant::now() + patience);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() > until {
            // It was set for a longer wait.
            alarm.as_mut().reset(until);
        }
        ready!(alarm.as_mut().poll(cx));
        while alarm.deadline() < until {
            alarm.as_mut().reset(until);
            ready!(alarm.as_mut().poll(cx));
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_in_its_own_time() {
        let mut wait = Wait::default();
        let start = Instant::now();
        for seconds in [30, 75, 10, 30] {
            let before = start.elapsed();
            wait.over();
            // Some time goes by before anyone asks; a wait begins when it is asked.
            let patience = Duration::from_secs(seconds);
            poll_fn(|cx| wait.poll(cx, patience)).await;
            assert_eq!((start.elapsed() - before).as_secs(), seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_end_is_not_missed_for_a_later_alarm() {
        let mut wait = Wait::default();
        let long = Duration::from_secs(75);
        let unfinished = poll_fn(|cx| wait.poll(cx, long));
        let timed_out = tokio::time::timeout(Duration::from_secs(1), unfinished).await;
        assert!(timed_out.is_err());
        wait.over();
        let start = Instant::now();
        poll_fn(|cx| wait.poll(cx, Duration::from_secs(5))).await;
        assert_eq!(start.elapsed().as_secs(), 5);
    }
}
