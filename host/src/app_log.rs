//! What concerns one app in the host's log: what its guests print, and what the
//! host has to say about its requests. Each line says which app and request it is
//! of, and an app has no more than its share.

use crate::failure::Cause;
use crate::log::{Format, Sink, escape_into};
use crate::log_share::LogShare;
use crate::observer::{Event, Observer};
use crate::printable::json;
use crate::request_id::RequestId;
use serde::Serialize;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What a line costs beyond its text: the tag before it, in octets.
const LINE_OVERHEAD: u64 = 64;

/// One failure in this time is told whatever the share is: it is the operator's news.
const NEWS: Duration = Duration::from_secs(1);

/// The most lines that are written of what a guest tells of one exception.
const MOST_TOLD: usize = 512;

/// One app's share of the log: so many octets a second, and as many again in a
/// burst. What lies beyond is dropped and counted. Clones have the same share.
#[derive(Clone)]
pub struct AppLog {
    app: Arc<str>,
    sink: Sink,
    rate: u64,
    bucket: Arc<Mutex<Bucket>>,
    /// What its tenant's apps have together, if it is one's.
    tenant: Option<Arc<LogShare>>,
    recent: Option<Recent>,
    observer: Option<Arc<dyn Observer>>,
}

/// The last lines that an app's guests printed, of all its requests.
#[derive(Clone, Default)]
pub struct Recent(Arc<Mutex<VecDeque<(RequestId, String)>>>);

impl Recent {
    /// How many lines are kept.
    const LINES: usize = 500;

    fn push(&self, request: RequestId, text: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == Self::LINES {
            lines.pop_front();
        }
        lines.push_back((request, text));
    }

    /// Those of `request`, one after the other.
    pub fn of(&self, request: RequestId) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .filter(|(of, _)| *of == request)
            .flat_map(|(_, text)| [text.as_str(), "\n"])
            .collect()
    }
}

struct Bucket {
    octets: u64,
    filled: Instant,
    dropped: u64,
    /// When it was last told of a failure.
    failed: Option<Instant>,
}

/// A line as JSON. `from` is the guest's stream, or `rhost`.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    app: &'a str,
    request: &'a str,
    from: &'a str,
    text: &'a str,
}

impl AppLog {
    /// The share of the app called `app`, of `rate` octets a second.
    pub fn new(app: &str, sink: Sink, rate: u64) -> Self {
        let mut name = Vec::new();
        escape_into(&mut name, app);
        AppLog {
            app: String::from_utf8_lossy(&name).into(),
            sink,
            rate,
            bucket: Arc::new(Mutex::new(Bucket {
                octets: rate,
                filled: Instant::now(),
                dropped: 0,
                failed: None,
            })),
            tenant: None,
            recent: None,
            observer: None,
        }
    }

    /// The same within `share`, which others have too.
    pub fn within(self, share: Arc<LogShare>) -> Self {
        AppLog {
            tenant: Some(share),
            ..self
        }
    }

    /// The same, and it keeps the last lines.
    pub fn with_recent(self) -> Self {
        AppLog {
            recent: Some(Recent::default()),
            ..self
        }
    }

    /// The same, and `observer` is told what the app does against the rules.
    pub fn observed(self, observer: Arc<dyn Observer>) -> Self {
        AppLog {
            observer: Some(observer),
            ..self
        }
    }

    /// Tells the observer, if there is one.
    pub fn observe(&self, event: Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }

    /// Says why a request failed.
    pub fn failed(&self, request: RequestId, cause: &Cause) {
        self.observe(Event::Failed(cause));
        let text = cause.to_string();
        if cause.is_told() {
            return self.told_lines(request, &text);
        }
        // A guest that fails a thousand times a second has no more lines than others. The first
        // line is the host's, and one of them in a second is there whatever others there are.
        let (what, whereabouts) = text.split_once('\n').unwrap_or((&text, ""));
        let dropped = self.admit_failure(what.len() as u64 + LINE_OVERHEAD);
        self.tell_dropped(request, dropped);
        if dropped.is_some() {
            self.line(request, "rhost", what);
            self.told_lines(request, whereabouts);
        }
    }

    /// What the app is called.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The last lines, if they are kept.
    pub fn recent(&self) -> Option<&Recent> {
        self.recent.as_ref()
    }

    /// Writes a line that a guest printed to `stream`, without its end, if the
    /// app's share allows.
    pub fn guest_line(&self, request: RequestId, stream: &str, text: &[u8]) {
        self.observe(Event::Printed(text));
        if !self.has_room(request, text.len()) {
            return self.observe(Event::LineDropped);
        }
        let text = String::from_utf8_lossy(text);
        if let Some(recent) = &self.recent {
            recent.push(request, text.clone().into_owned());
        }
        self.line(request, stream, &text);
    }

    /// Writes what a guest told the host of an exception, or its component of the functions
    /// that were called, a line for each of `text`, up to the first that the app's share does
    /// not allow, and to so many.
    pub fn told_lines(&self, request: RequestId, text: &str) {
        let mut lines = text.lines();
        for told in 0.. {
            let Some(line) = lines.next() else { return };
            if told == MOST_TOLD {
                let rest = 1 + lines.count();
                return self.host_lines(request, &format!("({rest} more lines)"));
            }
            if !self.has_room(request, line.len()) {
                self.bucket().dropped += lines.count() as u64;
                return self.observe(Event::LineDropped);
            }
            self.line(request, "rhost", line);
        }
    }

    /// Whether the app's share allows a line of so many octets, which is taken from it.
    /// Says before it how many were dropped, if any were.
    fn has_room(&self, request: RequestId, octets: usize) -> bool {
        let dropped = self.admit(octets as u64 + LINE_OVERHEAD);
        self.tell_dropped(request, dropped);
        dropped.is_some()
    }

    /// Says how many lines were dropped, if any were.
    fn tell_dropped(&self, request: RequestId, dropped: Option<u64>) {
        if let Some(dropped @ 1..) = dropped {
            let limits = self.limits();
            let text = format!("{dropped} lines of this app were dropped ({limits})");
            self.host_lines(request, &text);
        }
    }

    /// Writes what the host has to say about a request, a line for each of
    /// `text`. There are few for a request, so they are not counted: a guest that
    /// floods the log does not hide why it was stopped.
    pub fn host_lines(&self, request: RequestId, text: &str) {
        text.lines()
            .for_each(|line| self.line(request, "rhost", line));
    }

    /// Says that `octets` were cut off behind an announced Content-Length, if any.
    pub fn beyond(&self, request: RequestId, octets: u64) {
        if octets > 0 {
            self.observe(Event::Beyond(octets));
            self.line(
                request,
                "rhost",
                &format!("{octets} bytes beyond the response's Content-Length were cut off"),
            );
        }
    }

    fn line(&self, request: RequestId, from: &str, text: &str) {
        let time = humantime::format_rfc3339_millis(SystemTime::now());
        if let Some(tails) = self.sink.tails() {
            let line = Line {
                time: time.to_string(),
                app: &self.app,
                request: request.as_str(),
                from,
                text,
            };
            // It fails only for maps whose keys are no strings; this has none.
            if let Ok(line) = serde_json::to_string(&line) {
                tails.push(&self.app, json(line));
            }
        }
        match self.sink.format() {
            Format::Text => self.sink.append(|line| {
                let _ = write!(line, "{time} {} {request} {from}: ", self.app);
                escape_into(line, text);
                line.push(b'\n');
            }),
            Format::Json => self.sink.append_json(&Line {
                time: time.to_string(),
                app: &self.app,
                request: request.as_str(),
                from,
                text,
            }),
        }
    }

    /// The settings that say how much there may be.
    fn limits(&self) -> &'static str {
        match self.tenant {
            Some(_) => "--log-rate, or that of its tenant",
            None => "--log-rate",
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `octets` from the share, and says how many lines were dropped since
    /// the last that fitted; none when this one is dropped as well.
    fn admit(&self, octets: u64) -> Option<u64> {
        self.admit_in(&mut self.bucket(), octets)
    }

    /// The same for why a request failed, of which one in [`NEWS`] is never dropped.
    fn admit_failure(&self, octets: u64) -> Option<u64> {
        let mut bucket = self.bucket();
        let now = Instant::now();
        let is_news = bucket.failed.is_none_or(|last| now - last >= NEWS);
        let admitted = self.admit_in(&mut bucket, octets);
        let admitted = admitted.or_else(|| {
            // Without this line.
            is_news.then(|| std::mem::take(&mut bucket.dropped) - 1)
        });
        if admitted.is_some() {
            bucket.failed = Some(now);
        }
        admitted
    }

    fn admit_in(&self, bucket: &mut Bucket, octets: u64) -> Option<u64> {
        let now = Instant::now();
        let earned = now.duration_since(bucket.filled).as_secs_f64() * self.rate as f64;
        if earned >= 1.0 {
            bucket.octets = bucket.octets.saturating_add(earned as u64).min(self.rate);
            bucket.filled = now;
        }
        let tenant_has = |_: &u64| match &self.tenant {
            Some(share) => share.take(octets),
            None => true,
        };
        match bucket.octets.checked_sub(octets).filter(tenant_has) {
            Some(left) => {
                bucket.octets = left;
                Some(std::mem::take(&mut bucket.dropped))
            }
            None => {
                bucket.dropped += 1;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Memory;

    #[test]
    fn of_one_exception_there_are_so_many_lines() {
        let (sink, memory): (Sink, Memory) = Sink::to_memory("test log", Format::Text);
        let log = AppLog::new("shop", sink, 1 << 20);
        log.told_lines(RequestId::next(), &"\n".repeat(MOST_TOLD + 100));
        log.told_lines(RequestId::next(), &"\n".repeat(MOST_TOLD));
        let text = memory.text();
        assert_eq!(text.lines().count(), 2 * MOST_TOLD + 1);
        assert_eq!(text.matches("rhost: (100 more lines)").count(), 1);
    }

    #[test]
    fn of_failures_there_are_no_more_lines_than_of_others_but_for_one_in_a_second() {
        const FAILURES: usize = 1000;
        let (sink, memory): (Sink, Memory) = Sink::to_memory("test log", Format::Text);
        let log = AppLog::new("shop", sink, 2000);
        let cause = Cause::NotStarted("it is like that. ".repeat(20));
        for _ in 0..FAILURES {
            log.failed(RequestId::next(), &cause);
        }
        // Where there is no room at all the first is told, and how many were not.
        log.bucket().failed = None;
        log.bucket().octets = 0;
        log.failed(RequestId::next(), &cause);
        let text = memory.text();
        let told = text.matches("it is like that").count() / 20 - 1;
        // As many as there is room for, and more if this takes long.
        assert!((4..FAILURES / 2).contains(&told), "{told} of {FAILURES}");
        let last: Vec<_> = text.lines().rev().take(2).collect();
        assert!(last[0].contains("it is like that"), "{last:?}");
        let is_said = |line: &str| line.contains(" lines of this app were dropped (");
        assert!(is_said(last[1]), "{last:?}");
        let numbers = text
            .lines()
            .filter(|line| is_said(line))
            .filter_map(|line| {
                let words = line.split("rhost: ").nth(1)?;
                words.split(' ').next()?.parse::<usize>().ok()
            });
        assert_eq!(numbers.sum::<usize>(), FAILURES - told);
    }

    #[test]
    fn a_json_line_is_whole_whatever_a_guest_prints() {
        let (sink, memory): (Sink, Memory) = Sink::to_memory("test log", Format::Json);
        let log = AppLog::new("shop", sink, 1 << 20);
        log.guest_line(RequestId::next(), "stdout", b"a \"quote\"\x1b[2J\n{} \xff");
        let text = memory.text();
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(
            (&line["app"], &line["from"]),
            (&"shop".into(), &"stdout".into())
        );
        assert_eq!(line["text"], "a \"quote\"\u{1b}[2J\n{} \u{fffd}");
    }
}
