//! Lines that leave the process without making a request wait for them.
//!
//! A [`Sink`] is a bounded buffer in memory with a thread of its own behind it.
//! Appending is a short lock and a copy; the thread takes what has gathered
//! every few milliseconds and writes it in one call. When the reader of the log
//! is too slow and the buffer is full, lines are dropped, counted, and the count
//! is said.

pub use crate::printable::escape_into;

use crate::printable::json;
use crate::tails::Tails;
use serde::Serialize;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How much may wait to be written, in octets.
const CAPACITY: usize = 4 << 20;
/// How long lines gather before they are written together. Short enough that
/// whoever watches a terminal sees no delay.
const GATHER: Duration = Duration::from_millis(5);

/// Where lines go. Cloning it is cheap; all clones share one buffer.
#[derive(Clone)]
pub struct Sink(Arc<Shared>);

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

struct Shared {
    format: Format,
    /// What the log is called in the notice of dropped lines.
    name: &'static str,
    pending: Mutex<Pending>,
    /// Told when `pending` stops being empty, and at the end.
    arrived: Condvar,
    /// Where lines of apps are kept as well, if anybody may ask for them.
    tails: OnceLock<Tails>,
}

struct Pending {
    lines: Vec<u8>,
    dropped: u64,
    closing: bool,
}

/// Ends a sink's thread, with everything written, when dropped.
pub struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts a sink called `name` that writes to `writer`. Whoever appends lines
    /// writes them in `format`.
    pub fn start(
        name: &'static str,
        writer: impl Write + Send + 'static,
        format: Format,
    ) -> (Sink, Flusher) {
        let shared = Arc::new(Shared {
            format,
            name,
            pending: Mutex::new(Pending {
                lines: Vec::new(),
                dropped: 0,
                closing: false,
            }),
            arrived: Condvar::new(),
            tails: OnceLock::new(),
        });
        let thread = std::thread::Builder::new()
            .name(format!("rhost-{}", name.replace(' ', "-")))
            .spawn({
                let shared = shared.clone();
                move || shared.write_to(writer)
            })
            .expect("the system starts a thread");
        (
            Sink(shared.clone()),
            Flusher {
                shared,
                thread: Some(thread),
            },
        )
    }

    /// Starts a sink whose lines stay in memory, for tests to look at.
    pub fn to_memory(name: &'static str, format: Format) -> (Sink, Memory) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (sink, flusher) = Sink::start(name, MemoryWriter(lines.clone()), format);
        (sink, Memory { lines, flusher })
    }

    /// How lines are to be written.
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// Lines of apps are kept in `tails` as well from here on.
    pub fn keep_tails(&self, tails: Tails) {
        // There is one log in a process.
        let _ = self.0.tails.set(tails);
    }

    /// Where lines of apps are kept as well.
    pub fn tails(&self) -> Option<&Tails> {
        self.0.tails.get()
    }

    /// Appends `entry` as a JSON object.
    pub fn append_json(&self, entry: &impl Serialize) {
        self.append(|line| {
            // It fails only for maps whose keys are no strings; entries have none.
            if let Ok(entry) = serde_json::to_string(entry) {
                line.extend_from_slice(json(entry).as_bytes());
                line.push(b'\n');
            }
        });
    }

    /// Appends what `line` writes, which is to be one or more whole lines.
    pub fn append(&self, line: impl FnOnce(&mut Vec<u8>)) {
        let mut pending = self.0.lock();
        if pending.lines.len() >= CAPACITY {
            pending.dropped += 1;
            return;
        }
        let idle = pending.lines.is_empty();
        line(&mut pending.lines);
        drop(pending);
        // A busy writer looks again by itself; only an idle one has to be told.
        if idle {
            self.0.arrived.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        // A panic while a line is formatted leaves at worst half a line behind.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut writer: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut pending = self.lock();
            while pending.lines.is_empty() && !pending.closing {
                pending = self
                    .arrived
                    .wait(pending)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if !pending.closing {
                pending = self
                    .arrived
                    .wait_timeout_while(pending, GATHER, |pending| !pending.closing)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            let closing = pending.closing;
            let dropped = std::mem::take(&mut pending.dropped);
            std::mem::swap(&mut batch, &mut pending.lines);
            drop(pending);

            if dropped > 0 {
                let name = self.name;
                let text = format!(
                    "{dropped} lines of the {name} were dropped: whatever reads it is too slow"
                );
                let _ = match self.format {
                    Format::Text => writeln!(batch, "rhost: {text}"),
                    Format::Json => {
                        writeln!(
                            batch,
                            "{}",
                            serde_json::json!({"from": "rhost", "text": text})
                        )
                    }
                };
            }
            // There is nowhere left to report a log that cannot be written.
            let _ = writer.write_all(&batch).and_then(|()| writer.flush());
            batch.clear();
            if closing {
                return;
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What went into a sink that keeps its lines in memory.
pub struct Memory {
    lines: Arc<Mutex<Vec<u8>>>,
    flusher: Flusher,
}

impl Memory {
    /// Everything that was appended so far, and nothing that will be.
    pub fn text(self) -> String {
        drop(self.flusher);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&lines).into_owned()
    }
}

struct MemoryWriter(Arc<Mutex<Vec<u8>>>);

impl Write for MemoryWriter {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Each event of `tracing` is one line for a sink.
impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Sink {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            sink: self.clone(),
            text: Vec::new(),
        }
    }
}

/// A line that is appended as a whole when it is dropped.
pub struct Line {
    sink: Sink,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.sink.append(|lines| lines.append(&mut self.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A writer that stands still until it is let go.
    struct Gated {
        gate: mpsc::Receiver<()>,
        entered: mpsc::Sender<()>,
        out: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gated {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.gate.recv();
            self.out.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_said() {
        let (open, gate) = mpsc::channel();
        let (entered, writing) = mpsc::channel();
        let out = Arc::new(Mutex::new(Vec::new()));
        let (sink, flusher) = Sink::start(
            "test log",
            Gated {
                gate,
                entered,
                out: out.clone(),
            },
            Format::Text,
        );
        sink.append(|line| line.extend_from_slice(b"first\n"));
        writing.recv().unwrap();
        // The writer stands in its first call: what comes now has to wait.
        let long = vec![b'x'; CAPACITY];
        sink.append(|line| line.extend_from_slice(&long));
        sink.append(|line| line.extend_from_slice(b"lost\n"));
        sink.append(|line| line.extend_from_slice(b"lost\n"));
        drop(open);
        drop(flusher);
        let out = out.lock().unwrap();
        let text = String::from_utf8_lossy(&out);
        assert!(text.starts_with("first\n") && !text.contains("lost"));
        assert!(text.contains("2 lines of the test log were dropped"));
    }
}
