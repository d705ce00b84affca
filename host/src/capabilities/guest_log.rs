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
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A line longer than this, in octets, is broken.
const MAX_LINE: usize = 8 << 10;
/// What a stream takes in one call, in octets.
const MAX_WRITE: usize = 64 << 10;

/// Which of a guest's streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error, PEP 3333's `wsgi.errors`.
    Stderr,
}

/// The log of one request.
#[derive(Clone)]
pub struct GuestLog(Arc<RequestLog>);

struct RequestLog {
    app: Arc<AppLog>,
    request: RequestId,
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
}

impl GuestLog {
    /// The log of `request`, within the share of `app`.
    pub fn new(app: Arc<AppLog>, request: RequestId) -> Self {
        GuestLog(Arc::new(RequestLog {
            app,
            request,
            stdout: Mutex::default(),
            stderr: Mutex::default(),
        }))
    }

    /// One of the guest's streams.
    pub fn stream(&self, stream: Stream) -> LogStream {
        LogStream {
            log: self.clone(),
            stream,
        }
    }
}

impl RequestLog {
    fn partial(&self, stream: Stream) -> (MutexGuard<'_, Vec<u8>>, &'static str) {
        let (partial, name) = match stream {
            Stream::Stdout => (&self.stdout, "stdout"),
            Stream::Stderr => (&self.stderr, "stderr"),
        };
        (partial.lock().unwrap_or_else(PoisonError::into_inner), name)
    }

    fn write(&self, stream: Stream, mut text: &[u8]) {
        let (mut partial, name) = self.partial(stream);
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
                self.app.guest_line(self.request, name, &partial);
                partial.clear();
            }
        }
    }
}

/// A last line without an end is a line all the same.
impl Drop for RequestLog {
    fn drop(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let (partial, name) = self.partial(stream);
            if !partial.is_empty() {
                self.app.guest_line(self.request, name, &partial);
            }
        }
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

    fn logged(rate: u64, write: impl FnOnce(&RequestLog)) -> String {
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
