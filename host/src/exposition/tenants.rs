//! What is told of each tenant that has a share of places, or of memory.

use super::Seen;
use crate::tenancy::{self, Share};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

/// What is told of them.
#[derive(Debug)]
pub struct Tenants(pub(super) Seen);

impl Collector for Tenants {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Tenants(seen) = self;
        memory(&mut encoder, seen)?;
        let mut shares = tenancy::shares();
        shares.retain(|tenant, _| seen.has(Some(tenant)));
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

fn memory(encoder: &mut DescriptorEncoder<'_>, seen: &Seen) -> fmt::Result {
    let mut memory = tenancy::memory();
    memory.retain(|tenant, _| seen.has(Some(tenant)));
    if memory.is_empty() {
        return Ok(());
    }
    let (name, help) = (
        "rhost_tenant_memory_bytes",
        "Memory that the sandboxes of a tenant have together, beyond what is not counted",
    );
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    memory.iter().try_for_each(|(tenant, octets)| {
        let labels = [("tenant", &**tenant)];
        ConstGauge::new(*octets).encode(family.encode_family(&labels)?)
    })
}
