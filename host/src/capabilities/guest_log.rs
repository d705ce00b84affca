//! A guest's standard output and error, as lines of the host's log that say
//! which app and request they come from (`wsgi.errors`; PEP 3333, "Input and
//! Error Streams").

use crate::app_log::AppLog;
use crate::request_id::RequestId;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// A line longer than this, in octets, is broken.
const MAX_LINE: usize = 8 << 10;
/// What a stream takes in one call, in bytes. Each may be a line of its own.
const MAX_WRITE: usize = 4 << 10;

/// Which of a guest's streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error, PEP 3333's `wsgi.errors`.
    Stderr,
}

/// The log of one instance, which is that of the request it serves.
#[derive(Clone)]
pub struct GuestLog(Arc<InstanceLog>);

struct InstanceLog {
    app: Arc<AppLog>,
    lines: Mutex<Lines>,
}

/// What was written and is not yet a line.
struct Lines {
    request: RequestId,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl GuestLog {
    /// The log of an instance that serves `request`, within the share of `app`.
    pub fn new(app: Arc<AppLog>, request: RequestId) -> Self {
        let lines = Mutex::new(Lines {
            request,
            stdout: Vec::new(),
            stderr: Vec::new(),
        });
        GuestLog(Arc::new(InstanceLog { app, lines }))
    }

    /// One of the guest's streams.
    pub fn stream(&self, stream: Stream) -> LogStream {
        LogStream {
            log: self.clone(),
            stream,
        }
    }

    /// The instance serves `request` from here on.
    pub fn serve(&self, request: RequestId) {
        self.0.lines().request = request;
    }

    /// The request is over, and what it printed last is a line of its own.
    pub fn end_lines(&self) {
        self.0.end_lines();
    }
}

impl Lines {
    fn of(&mut self, stream: Stream) -> (&mut Vec<u8>, &'static str) {
        match stream {
            Stream::Stdout => (&mut self.stdout, "stdout"),
            Stream::Stderr => (&mut self.stderr, "stderr"),
        }
    }
}

impl InstanceLog {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, stream: Stream, mut text: &[u8]) {
        let mut lines = self.lines();
        let request = lines.request;
        let (partial, name) = lines.of(stream);
        while !text.is_empty() {
            let room = MAX_LINE - partial.len();
            let end = text.iter().take(room).position(|&octet| octet == b'\n');
            let (now, whole) = match end {
                Some(end) => (end, true),
                None => (room.min(text.len()), room <= text.len()),
            };
            partial.extend_from_slice(&text[..now]);
            text = &text[now + usize::from(end.is_some())..];
            if whole {
                self.app.guest_line(request, name, partial);
                partial.clear();
            }
        }
    }

    /// A last line without an end is a line all the same.
    fn end_lines(&self) {
        let mut lines = self.lines();
        let request = lines.request;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let (partial, name) = lines.of(stream);
            if !partial.is_empty() {
                self.app.guest_line(request, name, partial);
                partial.clear();
            }
        }
    }
}

impl Drop for InstanceLog {
    fn drop(&mut self) {
        self.end_lines();
    }
}

/// A standard stream of a guest.
#[derive(Clone)]
pub struct LogStream {
    log: GuestLog,
    stream: Stream,
}

impl StdoutStream for LogStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

/// A log is always ready: what does not fit is dropped, never waited for.
impl OutputStream for LogStream {
    fn write(&mut self, text: Bytes) -> StreamResult<()> {
        if text.len() > MAX_WRITE {
            return Err(StreamError::trap(
                "a standard stream was given more bytes than check-write allows",
            ));
        }
        self.log.0.write(self.stream, &text);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        text: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.log.0.write(self.stream, text);
        Poll::Ready(Ok(text.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Format, Sink};

    fn logged(rate: u64, write: impl FnOnce(&InstanceLog)) -> String {
        let (sink, memory) = Sink::to_memory("test log", Format::Text);
        let log = GuestLog::new(Arc::new(AppLog::new("shop", sink, rate)), RequestId::next());
        write(&log.0);
        drop(log);
        memory.text()
    }

    #[test]
    fn lines_are_tagged_whole_and_escaped() {
        let text = logged(1 << 20, |log| {
            log.write(Stream::Stderr, b"one\ntw");
            log.write(Stream::Stdout, b"other\n");
            log.write(Stream::Stderr, b"o\x1b[31m\rred\nlast");
        });
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.splitn(4, ' ').skip(3).collect::<String>())
            .collect();
        assert_eq!(
            lines,
            [
                "stderr: one",
                "stdout: other",
                "stderr: two\\u{1b}[31m\\rred",
                "stderr: last"
            ]
        );
        assert!(
            text.lines()
                .all(|line| line.split(' ').nth(1) == Some("shop"))
        );
    }

    #[test]
    fn what_a_request_printed_last_is_not_anothers() {
        let (sink, memory) = Sink::to_memory("test log", Format::Text);
        let app = Arc::new(AppLog::new("shop", sink, 1 << 20));
        let (first, second) = (RequestId::next(), RequestId::next());
        let log = GuestLog::new(app, first);
        log.0.write(Stream::Stderr, b"without an end");
        log.end_lines();
        log.serve(second);
        log.0.write(Stream::Stderr, b"of the second\n");
        log.end_lines();
        drop(log);
        let text = memory.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (line, request, printed) in [
            (lines[0], first, "stderr: without an end"),
            (lines[1], second, "stderr: of the second"),
        ] {
            assert!(
                line.contains(request.as_str()) && line.ends_with(printed),
                "{text}"
            );
        }
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let text = logged(1 << 20, |log| log.write(Stream::Stdout, &[b'x'; 20_000]));
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn a_flood_is_dropped() {
        let text = logged(1000, |log| {
            log.write(Stream::Stdout, &b"flood\n".repeat(10_000))
        });
        assert!(text.lines().count() < 100, "{} lines", text.lines().count());
    }
}
