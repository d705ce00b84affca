//! What is told of each app that was asked for.

use crate::hit::{HITS, Hit};
use crate::ledger::{self, Account, AppName, ENDINGS, Times};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::fmt;

/// The label `status` of each ending, in the order of their numbers. A client that
/// left has the number that it has in the access log.
const STATUSES: [&str; ENDINGS] = ["2xx", "3xx", "4xx", "5xx", "499"];

/// The limits that a request can reach, with the label that each has: the flag that
/// sets it, if one does.
const LIMITS: [(Hit, &str); 10] = [
    (Hit::Cpu, "cpu"),
    (Hit::Wall, "timeout"),
    (Hit::Memory, "memory"),
    (Hit::Table, "table_elements"),
    (Hit::RequestBody, "max_request_body"),
    (Hit::ResponseBody, "max_response_body"),
    (Hit::SandboxMemory, "sandbox_memory"),
    (Hit::TenantMemory, "tenant_memory"),
    (Hit::OpenFiles, "open_files"),
    (Hit::TenantOpenFiles, "tenant_open_files"),
];

/// Why a request is shed, with the label that each has.
const SHEDS: [(Hit, &str); 5] = [
    (Hit::Queue, "queue"),
    (Hit::QueueTimeout, "queue_timeout"),
    (Hit::TenantQueue, "tenant_queue"),
    (Hit::TenantQueueTimeout, "tenant_queue_timeout"),
    (Hit::NoSandbox, "no_slot"),
];

/// Every hit is told of.
const _: () = assert!(LIMITS.len() + SHEDS.len() + 1 == HITS);

/// What is told of them.
#[derive(Debug)]
pub struct Apps(pub(super) super::Seen);

type Accounts = BTreeMap<AppName, Account>;
/// A label and its value.
type Label = (&'static str, &'static str);

impl Collector for Apps {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Apps(seen) = self;
        let mut accounts = ledger::accounts();
        accounts.retain(|app, _| seen.has(app.tenant.as_deref()));
        // An app's own lines are not repeated where there are none.
        if accounts.is_empty() {
            return Ok(());
        }
        requests(&mut encoder, &accounts)?;
        times(&mut encoder, &accounts)?;
        sums(&mut encoder, &accounts)?;
        gauges(&mut encoder, &accounts)
    }
}

/// Requests, and why some were not answered.
fn requests(encoder: &mut DescriptorEncoder<'_>, accounts: &Accounts) -> fmt::Result {
    let help = "Requests for an app, by the class of their status; 499: the client left before";
    let each = |account: &Account| -> Vec<(Option<Label>, u64)> {
        let counts = STATUSES.iter().zip(account.totals.endings);
        counts
            .map(|(status, count)| (Some(("status", *status)), count))
            .collect()
    };
    counters(encoder, "rhost_app_requests", help, accounts, each)?;
    let hits = |account: &Account, name, hits: &[(Hit, &'static str)]| -> Vec<_> {
        let counts = hits.iter().map(|(hit, label)| {
            let count = account.totals.hits[*hit as usize];
            (Some((name, *label)), count)
        });
        counts.collect()
    };
    let help = "Requests that met a limit";
    let each = |account: &Account| hits(account, "limit", &LIMITS);
    counters(encoder, "rhost_app_limit_hits", help, accounts, each)?;
    let help = "Requests that were refused for want of a place";
    let each = |account: &Account| hits(account, "reason", &SHEDS);
    counters(encoder, "rhost_app_requests_shed", help, accounts, each)?;
    let help = "Requests that went wrong in the app, by a trap or otherwise";
    let each = |account: &Account| vec![(None, account.totals.hits[Hit::App as usize])];
    counters(encoder, "rhost_app_requests_failed", help, accounts, each)
}

/// Histograms.
fn times(encoder: &mut DescriptorEncoder<'_>, accounts: &Accounts) -> fmt::Result {
    let mut histogram = |name, help, times: fn(&Account) -> &Times| {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        accounts.iter().try_for_each(|(app, account)| {
            let times = times(account);
            let labels = labels(app, None);
            let mut sample = family.encode_family(&labels)?;
            let sum = times.sum().as_secs_f64();
            sample.encode_histogram::<NoLabelSet>(sum, times.count(), &times.coarse(), None)
        })
    };
    let help = "Time from a request's head to the end of its answer";
    histogram("rhost_app_request_duration_seconds", help, |account| {
        &account.totals.wall
    })?;
    let help = "Time on a CPU of a request that had a sandbox";
    histogram("rhost_app_cpu_seconds", help, |account| &account.totals.cpu)
}

/// What the receipts come to.
fn sums(encoder: &mut DescriptorEncoder<'_>, accounts: &Accounts) -> fmt::Result {
    let help = "Octets of request bodies that the app has read";
    let each = |account: &Account| vec![(None, account.totals.received)];
    counters(
        encoder,
        "rhost_app_request_body_bytes",
        help,
        accounts,
        each,
    )?;
    let help = "Octets of response bodies that were handed to connections";
    let each = |account: &Account| vec![(None, account.totals.sent)];
    counters(
        encoder,
        "rhost_app_response_body_bytes",
        help,
        accounts,
        each,
    )?;
    let help = "Calls of the host's functions";
    let each = |account: &Account| vec![(None, account.totals.host_calls)];
    counters(encoder, "rhost_app_host_calls", help, accounts, each)
}

/// How an app is now, and how big it was.
fn gauges(encoder: &mut DescriptorEncoder<'_>, accounts: &Accounts) -> fmt::Result {
    let mut gauge = |name, help, value: fn(&Account) -> u64| {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        accounts.iter().try_for_each(|(app, account)| {
            let labels = labels(app, None);
            ConstGauge::new(value(account)).encode(family.encode_family(&labels)?)
        })
    };
    let help = "Sandboxes of an app that serve a request";
    gauge("rhost_app_requests_running", help, |account| {
        account.running as u64
    })?;
    let help = "Requests that wait for a place of their app";
    gauge("rhost_app_requests_queued", help, |account| {
        account.queued as u64
    })?;
    let help = "The most memory that a sandbox of the app had";
    gauge("rhost_app_memory_peak_bytes", help, |account| {
        account.totals.memory
    })
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    accounts: &Accounts,
    each: impl Fn(&Account) -> Vec<(Option<Label>, u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    accounts.iter().try_for_each(|(app, account)| {
        each(account).into_iter().try_for_each(|(label, count)| {
            let labels = labels(app, label);
            ConstCounter::new(count).encode(family.encode_family(&labels)?)
        })
    })
}

/// The app's name, its tenant's if it has one, and another label.
fn labels(name: &AppName, more: Option<Label>) -> Vec<(&'static str, &str)> {
    let app = [("app", &*name.app)];
    let tenant = name.tenant.as_deref().map(|tenant| ("tenant", tenant));
    app.into_iter().chain(tenant).chain(more).collect()
}
