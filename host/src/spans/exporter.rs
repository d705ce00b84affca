//! The thread that sends spans.

use super::collector::Way;
use super::span::Finished;
use crate::environ::SOFTWARE;
use crate::metrics::{self, Event};
use opentelemetry::InstrumentationScope;
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Spans that are sent together.
const TOGETHER: usize = 512;
/// How long spans gather before they are sent. While they do, nobody has to be woken
/// for one.
const GATHER: Duration = Duration::from_millis(200);
/// How long the collector may take for those that are sent together.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take for all that are left when the process ends.
const GRACE: Duration = Duration::from_secs(2);

/// What sends spans, until it is dropped. It then sends those that are there, if it can
/// at once.
pub struct Exporting {
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Exporting {
    pub(super) fn start(way: Way, finished: mpsc::Receiver<Finished>) -> io::Result<Self> {
        let sender = Sender::new(way)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (close, closing) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("rhost-spans".into())
            .spawn(move || {
                runtime.block_on(run(finished, closing, sender));
                // The name of a collector may still be looked up.
                runtime.shutdown_background();
            })?;
        Ok(Exporting {
            close: Some(close),
            thread: Some(thread),
        })
    }
}

impl Drop for Exporting {
    fn drop(&mut self) {
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(
    mut finished: mpsc::Receiver<Finished>,
    mut closing: oneshot::Receiver<()>,
    mut sender: Sender,
) {
    let mut batch = Vec::with_capacity(TOGETHER);
    loop {
        // Where there are more than can be sent together they are sent at once.
        fill(&mut batch, &mut finished);
        if batch.is_empty() {
            let gathering = async {
                let gathered = finished.recv_many(&mut batch, TOGETHER).await;
                sleep(GATHER).await;
                gathered
            };
            tokio::select! {
                // There is nobody left who could leave any.
                gathered = gathering => if gathered == 0 {
                    return;
                },
                _ = &mut closing => break,
            }
            fill(&mut batch, &mut finished);
        }
        sender.send(&mut batch).await;
    }
    let rest = async {
        fill(&mut batch, &mut finished);
        while !batch.is_empty() {
            sender.send(&mut batch).await;
            fill(&mut batch, &mut finished);
        }
    };
    let _ = timeout(GRACE, rest).await;
    let left = batch.len() + finished.len();
    metrics::count_many(Event::SpanUnsent, left);
}

/// Takes as many as can be sent together.
fn fill(batch: &mut Vec<Finished>, finished: &mut mpsc::Receiver<Finished>) {
    while batch.len() < TOGETHER
        && let Ok(more) = finished.try_recv()
    {
        batch.push(more);
    }
}

/// Sends batches, and says in the log when that begins to fail and when it works again.
struct Sender {
    exporter: SpanExporter,
    scope: InstrumentationScope,
    is_failing: bool,
}

impl Sender {
    fn new(way: Way) -> io::Result<Self> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(way.collector().traces())
            .with_http_client(way)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            // Whoever tries again holds up those that come after.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(io::Error::other)?;
        // What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say of it comes first.
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = Resource::builder();
        let resource = match named {
            true => resource,
            false => resource.with_service_name("rhost"),
        };
        exporter.set_resource(&resource.build());
        let (name, version) = SOFTWARE.split_once('/').unwrap_or((SOFTWARE, ""));
        Ok(Sender {
            exporter,
            scope: InstrumentationScope::builder(name)
                .with_version(version)
                .build(),
            is_failing: false,
        })
    }

    /// Sends all of `batch`.
    async fn send(&mut self, batch: &mut Vec<Finished>) {
        let spans = batch.drain(..);
        let spans = spans.map(|finished| finished.into_data(&self.scope));
        let spans: Vec<_> = spans.collect();
        let unsettled = Unsettled(spans.len());
        let sent = timeout(PATIENCE, self.exporter.export(spans)).await;
        let error = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {PATIENCE:?}")),
        };
        match error {
            None => {
                unsettled.sent();
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("spans are sent again (--otlp)");
                }
            }
            Some(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::warn!(
                        "spans are dropped, since the collector does not take them: {error} (--otlp)"
                    );
                }
            }
        }
    }
}

/// Spans that are on their way. If nobody says that they have arrived they are lost.
struct Unsettled(usize);

impl Unsettled {
    fn sent(mut self) {
        metrics::count_many(Event::SpanSent, self.0);
        self.0 = 0;
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        metrics::count_many(Event::SpanUnsent, self.0);
    }
}
