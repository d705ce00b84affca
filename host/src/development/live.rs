//! Which revision of an app is there, for whoever waits for the next.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// The revisions of an app that is being worked on. Clones are of the same app.
#[derive(Clone)]
pub struct Live(watch::Sender<Revision>);

#[derive(Clone)]
struct Revision {
    number: u64,
    /// Why it does not build, in a terminal's colours.
    broken: Option<Arc<str>>,
    /// Whether the server is stopping.
    last: bool,
}

/// How long somebody is left waiting for a revision before being told that there
/// is none. Below what proxies and browsers take for a dead connection.
const PATIENCE: Duration = Duration::from_secs(20);

impl Default for Live {
    /// The numbers of one run of the server are not those of the run before, so
    /// that a page notices a restart too.
    fn default() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let number = since.map_or(0, |since| since.as_millis() as u64);
        Live(watch::Sender::new(Revision {
            number,
            broken: None,
            last: false,
        }))
    }
}

impl Live {
    /// The app was built anew.
    pub fn built(&self) {
        self.next(None);
    }

    /// The app was changed and does not build.
    pub fn failed(&self, said: &str) {
        self.next(Some(said.into()));
    }

    /// No revision follows: the server stops, and nobody is to be left waiting.
    pub fn close(&self) {
        self.0.send_modify(|revision| revision.last = true);
    }

    fn next(&self, broken: Option<Arc<str>>) {
        self.0.send_modify(|revision| {
            revision.number += 1;
            revision.broken = broken;
        });
    }

    /// The number of the revision that is there.
    pub fn number(&self) -> u64 {
        self.0.borrow().number
    }

    /// Why it does not build, if it does not.
    pub fn broken(&self) -> Option<Arc<str>> {
        self.0.borrow().broken.clone()
    }

    /// The number of a revision that is not `seen`, as soon as there is one; none
    /// when that takes long, or never happens.
    pub async fn other_than(&self, seen: u64) -> Option<u64> {
        let mut revisions = self.0.subscribe();
        let other = revisions.wait_for(|revision| revision.number != seen || revision.last);
        let revision = tokio::time::timeout(PATIENCE, other).await.ok()?.ok()?;
        Some(revision.number).filter(|number| *number != seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told() {
        let live = Live::default();
        let first = live.number();
        assert_eq!(live.other_than(first - 1).await, Some(first));
        assert_eq!(live.other_than(first).await, None, "after its patience");

        let waiting = tokio::spawn({
            let live = live.clone();
            async move { live.other_than(first).await }
        });
        tokio::task::yield_now().await;
        live.failed("error: no");
        assert_eq!(waiting.await.unwrap(), Some(first + 1));
        assert_eq!(live.broken().as_deref(), Some("error: no"));
        live.built();
        assert_eq!((live.number(), live.broken()), (first + 2, None));

        let start = tokio::time::Instant::now();
        live.close();
        assert_eq!(live.other_than(first + 2).await, None);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
