//! What is told of each tenant that has a share of places.

use crate::tenancy::{self, Share};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

/// What is told of them.
#[derive(Debug)]
pub struct Tenants;

impl Collector for Tenants {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shares = tenancy::shares();
        if shares.is_empty() {
            return Ok(());
        }
        let mut gauge = |name, help, value: fn(&Share) -> usize| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            shares.iter().try_for_each(|(tenant, share)| {
                let labels = [("tenant", &**tenant)];
                ConstGauge::new(value(share) as u64).encode(family.encode_family(&labels)?)
            })
        };
        let help = "Requests that have a place of their tenant's";
        gauge("rhost_tenant_requests_running", help, |share| share.running)?;
        let help = "Requests that wait for a place of their tenant's";
        gauge("rhost_tenant_requests_queued", help, |share| share.queued)
    }
}
