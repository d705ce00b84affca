//! The last lines that the log had of each app, for whoever asks for them, and the
//! next ones for whoever follows.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// Lines of an app that are kept, and their octets.
const LINES: usize = 500;
const OCTETS: usize = 64 << 10;
/// Octets that are kept of all apps. Beyond them those go that were silent longest.
const ALL_OCTETS: usize = 16 << 20;
/// What a line costs beyond its text, about.
const LINE_OVERHEAD: usize = 96;
/// Lines that wait for one who follows and is too slow. Beyond them some are missed,
/// and how many is said. Their bytes are bounded too.
const WAITING: usize = 1024;
const WAITING_OCTETS: usize = 256 << 10;

/// The ends of all apps' logs. Clones are of the same ones.
#[derive(Clone, Default)]
pub struct Tails(Arc<Mutex<All>>);

#[derive(Default)]
struct All {
    apps: HashMap<Box<str>, Tail>,
    octets: usize,
    /// Counts lines, so that it is known which app was silent longest.
    clock: u64,
}

#[derive(Default)]
struct Tail {
    lines: VecDeque<Arc<str>>,
    octets: usize,
    /// When the last one came.
    last: u64,
    followers: Vec<Follower>,
}

struct Follower {
    lines: Sender<Arc<str>>,
    /// Octets of those that wait.
    waiting: Arc<AtomicUsize>,
    missed: u64,
}

/// The next lines of an app.
pub struct Next {
    lines: Receiver<Arc<str>>,
    waiting: Arc<AtomicUsize>,
}

impl Next {
    /// The next one; none when the app is gone.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<str>>> {
        let line = ready!(self.lines.poll_recv(cx));
        let octets = line.as_ref().map_or(0, |line| line.len());
        self.waiting.fetch_sub(octets, Ordering::Relaxed);
        Poll::Ready(line)
    }
}

impl Tails {
    /// Keeps `line` of the app called `app`: an object of JSON, without a line feed.
    pub fn push(&self, app: &str, line: String) {
        let line: Arc<str> = line.into();
        let mut all = self.lock();
        all.clock += 1;
        let clock = all.clock;
        if !all.apps.contains_key(app) {
            all.apps.insert(app.into(), Tail::default());
        }
        let Some(tail) = all.apps.get_mut(app) else {
            return;
        };
        let before = tail.octets;
        tail.last = clock;
        tail.followers.retain_mut(|follower| follower.tell(&line));
        tail.octets += line.len() + LINE_OVERHEAD;
        tail.lines.push_back(line);
        while tail.lines.len() > LINES || tail.octets > OCTETS {
            let Some(gone) = tail.lines.pop_front() else {
                break;
            };
            tail.octets -= gone.len() + LINE_OVERHEAD;
        }
        let after = tail.octets;
        all.octets = all.octets + after - before;
        if all.octets > ALL_OCTETS {
            all.forget_the_silent();
        }
    }

    /// The last `most` lines of the app called `app`.
    pub fn last(&self, app: &str, most: usize) -> Vec<Arc<str>> {
        let all = self.lock();
        let lines = all.apps.get(app).map(|tail| tail.last(most));
        lines.unwrap_or_default()
    }

    /// The same, and what is to come, with none between that is in neither.
    pub fn follow(&self, app: &str, most: usize) -> (Vec<Arc<str>>, Next) {
        let (lines, receiver) = channel(WAITING);
        let mut all = self.lock();
        let tail = all.apps.entry(app.into()).or_default();
        tail.followers
            .retain(|follower| !follower.lines.is_closed());
        let waiting = Arc::new(AtomicUsize::new(0));
        tail.followers.push(Follower {
            lines,
            waiting: waiting.clone(),
            missed: 0,
        });
        let next = Next {
            lines: receiver,
            waiting,
        };
        (tail.last(most), next)
    }

    /// Forgets the app called `app`, whose name another may have next. Whoever follows
    /// it is at the end.
    pub fn forget(&self, app: &str) {
        let mut all = self.lock();
        if let Some(tail) = all.apps.remove(app) {
            all.octets -= tail.octets;
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Half of the room is made free at once, so that it is seldom done.
    fn forget_the_silent(&mut self) {
        let mut by_last: Vec<(u64, Box<str>)> = self
            .apps
            .iter()
            .map(|(app, tail)| (tail.last, app.clone()))
            .collect();
        by_last.sort_unstable();
        for (_, app) in by_last {
            if self.octets <= ALL_OCTETS / 2 {
                break;
            }
            let Some(tail) = self.apps.get_mut(&app) else {
                continue;
            };
            self.octets -= tail.octets;
            match tail.followers.is_empty() {
                true => drop(self.apps.remove(&app)),
                false => {
                    tail.lines.clear();
                    tail.octets = 0;
                }
            }
        }
    }
}

impl Tail {
    fn last(&self, most: usize) -> Vec<Arc<str>> {
        let skipped = self.lines.len().saturating_sub(most);
        self.lines.iter().skip(skipped).cloned().collect()
    }
}

impl Follower {
    /// False if it is gone.
    fn tell(&mut self, line: &Arc<str>) -> bool {
        if self.missed > 0 {
            let text = format!(
                "{} lines were missed: whoever follows is too slow",
                self.missed
            );
            let notice = serde_json::json!({ "from": "rhost", "text": text }).to_string();
            match self.send(&notice.into()) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => {}
                Err(TrySendError::Closed(_)) => return false,
            }
        }
        match self.send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    fn send(&self, line: &Arc<str>) -> Result<(), TrySendError<()>> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > 0 && waiting + line.len() > WAITING_OCTETS {
            return Err(match self.lines.is_closed() {
                true => TrySendError::Closed(()),
                false => TrySendError::Full(()),
            });
        }
        self.waiting.fetch_add(line.len(), Ordering::Relaxed);
        self.lines.try_send(line.clone()).map_err(|error| {
            self.waiting.fetch_sub(line.len(), Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => TrySendError::Full(()),
                TrySendError::Closed(_) => TrySendError::Closed(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn an_app_has_its_last_lines_and_no_others() {
        let tails = Tails::default();
        for line in 0..LINES + 5 {
            tails.push("a", line.to_string());
        }
        tails.push("b", "other".into());
        let lines = tails.last("a", 1000);
        assert_eq!((lines.len(), &*lines[0]), (LINES, "5"));
        assert_eq!(&*tails.last("a", 1)[0], "504");
        tails.push("a", "x".repeat(OCTETS / 2));
        tails.push("a", "y".repeat(OCTETS / 2));
        assert_eq!(tails.last("a", 1000).len(), 1);
        tails.forget("a");
        assert!(tails.last("a", 1000).is_empty());
        assert_eq!(tails.last("b", 1000).len(), 1);
    }

    #[test]
    fn those_that_were_silent_longest_make_room() {
        let tails = Tails::default();
        let apps = 2 * ALL_OCTETS / OCTETS;
        for app in 0..apps {
            tails.push(&app.to_string(), "x".repeat(OCTETS - LINE_OVERHEAD));
            assert!(tails.lock().octets <= ALL_OCTETS);
        }
        assert!(tails.last("0", 1).is_empty());
        assert_eq!(tails.last(&(apps - 1).to_string(), 1).len(), 1);
        let all = tails.lock();
        let octets: usize = all.apps.values().map(|tail| tail.octets).sum();
        assert_eq!(octets, all.octets);
    }

    #[test]
    fn who_follows_learns_of_each_line_or_how_many_were_missed() {
        let tails = Tails::default();
        tails.push("a", "first".into());
        let (before, mut lines) = tails.follow("a", 10);
        assert_eq!(before.len(), 1);
        for line in 0..WAITING + 3 {
            tails.push("a", line.to_string());
        }
        let mut next = || match lines.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(line) => line,
            Poll::Pending => None,
        };
        assert_eq!(&*next().unwrap(), "0");
        assert_eq!(&*next().unwrap(), "1");
        tails.push("a", "last".into());
        let rest: Vec<_> = std::iter::from_fn(&mut next).collect();
        let [.., notice, last] = &rest[..] else {
            panic!("{rest:?}")
        };
        assert!(notice.contains("3 lines were missed"), "{notice}");
        assert_eq!(&**last, "last");
        // Long lines are as bounded as many.
        let long: String = "x".repeat(WAITING_OCTETS / 2);
        (0..5).for_each(|_| tails.push("a", long.clone()));
        assert_eq!(std::iter::from_fn(&mut next).count(), 2);
        tails.push("a", "short".into());
        assert!(next().unwrap().contains("3 lines were missed"));
        drop(lines);
        tails.push("a", "more".into());
        assert!(tails.lock().apps["a"].followers.is_empty());
    }
}
