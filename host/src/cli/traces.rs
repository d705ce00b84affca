//! Flags that say what is recorded of requests, and for whom.

use super::parse::ratio;
use clap::Args;
use rhost::spans::{Collector, Exporting, Spans};
use std::io;
use std::path::PathBuf;

/// Traces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArgs {
    /// Collector of OpenTelemetry that a span of each request is sent to, as OTLP over HTTP
    #[arg(long, value_name = "URL")]
    otlp: Option<Collector>,

    /// Certificates of those who sign the collector's, in PEM [default: those that this system
    /// trusts]
    #[arg(long, value_name = "FILE", requires = "otlp")]
    otlp_ca: Option<PathBuf>,

    /// Part of the traces beginning here that is recorded, from 0 to 1; of others the caller
    /// decides
    #[arg(long, value_name = "RATIO", default_value = "1", value_parser = ratio)]
    otlp_ratio: f64,
}

impl TraceArgs {
    /// Spans, if there is a collector for them, and what sends them.
    pub fn start(&self) -> io::Result<Option<(Spans, Exporting)>> {
        let Some(collector) = &self.otlp else {
            return Ok(None);
        };
        Spans::start(collector.clone(), self.otlp_ca.as_deref(), self.otlp_ratio).map(Some)
    }
}
