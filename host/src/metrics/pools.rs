//! How many sandboxes of each size class live, of those that there is room for.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use wasmtime::EngineWeak;

/// The pools of this process. There is one for each class and lane.
static ALL: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

struct Pool {
    class: &'static str,
    slots: usize,
    engine: EngineWeak,
}

/// Tells of the pool of `engine` from here on, which has so many slots of `class`.
pub fn watch(class: &'static str, slots: usize, engine: EngineWeak) {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|pool| pool.engine.upgrade().is_some());
    all.push(Pool {
        class,
        slots,
        engine,
    });
}

/// The slots of all pools of a class, and those that are taken.
fn slots() -> BTreeMap<&'static str, (u64, u64)> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut slots = BTreeMap::new();
    for pool in all.iter() {
        let Some(engine) = pool.engine.upgrade() else {
            continue;
        };
        let taken = engine.pooling_allocator_metrics();
        let taken = taken.map_or(0, |pool| pool.component_instances());
        let sum: &mut (u64, u64) = slots.entry(pool.class).or_default();
        sum.0 += pool.slots as u64;
        sum.1 += taken;
    }
    slots
}

/// What is told of them.
#[derive(Debug)]
pub struct Pools;

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let slots = slots();
        let mut gauge = |name, help, value: fn(&(u64, u64)) -> u64| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            slots.iter().try_for_each(|(class, slots)| {
                let labels = [("class", *class)];
                let sample = family.encode_family(&labels)?;
                ConstGauge::new(value(slots)).encode(sample)
            })
        };
        let help = "Sandboxes of a size class that can live at a time";
        gauge("rhost_pool_slots", help, |slots| slots.0)?;
        let help = "Sandboxes of a size class that live, or wait for another request";
        gauge("rhost_pool_slots_taken", help, |slots| slots.1)
    }
}
