//! What is told of what all sandboxes have together.

use crate::commons::{self, Good};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

/// What is told of it.
#[derive(Debug)]
pub struct Sums;

impl Collector for Sums {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name, help, value: u64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        let (size, taken) = commons::sum(Good::Memory);
        let help = "Memory that all sandboxes have together, beyond what is not counted";
        gauge("rhost_sandbox_memory_bytes", help, taken)?;
        let help = "Memory that they may have";
        gauge("rhost_sandbox_memory_limit_bytes", help, size)?;
        let (size, taken) = commons::sum(Good::Files);
        let help = "Files that are open for sandboxes, or may be soon";
        gauge("rhost_sandbox_open_files", help, taken)?;
        let help = "Files that may be";
        gauge("rhost_sandbox_open_files_limit", help, size)
    }
}
