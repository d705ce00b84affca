//! `GET /v1/top`: what each app has used since the process began, for who takes
//! differences.

use crate::exposition::Seen;
use crate::hit::Hit;
use crate::ledger::{self, Account, AppName, Ending};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Instant;

/// What the clock is read against. Only the time between two answers means something.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The apps that may be `seen` and that were asked for, with their sums.
pub(super) fn top(seen: &Seen) -> Value {
    let begun = *BEGUN;
    let accounts = ledger::accounts();
    let apps = accounts
        .iter()
        .filter(|(name, _)| seen.has(name.tenant.as_deref()));
    json!({
        "process": std::process::id(),
        "micros": micros(begun.elapsed()),
        "apps": apps.map(|(name, account)| app(name, account)).collect::<Vec<_>>(),
    })
}

fn app(name: &AppName, account: &Account) -> Value {
    let Account {
        totals,
        running,
        queued,
    } = account;
    let shed = [
        Hit::Queue,
        Hit::QueueTimeout,
        Hit::TenantQueue,
        Hit::TenantQueueTimeout,
        Hit::NoSandbox,
    ];
    json!({
        "app": &*name.app,
        "tenant": name.tenant.as_deref(),
        "requests": totals.requests(),
        "errors": totals.endings[Ending::ServerError as usize],
        "shed": shed.iter().map(|hit| totals.hits[*hit as usize]).sum::<u64>(),
        "cpu_micros": micros(totals.cpu.sum()),
        "memory_peak": totals.memory,
        "received": totals.received,
        "sent": totals.sent,
        "running": running,
        "queued": queued,
        // From, to, how many.
        "latency_micros": totals
            .wall
            .fine()
            .map(|([from, to], count)| [from, to, count])
            .collect::<Vec<_>>(),
    })
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::receipt::Receipt;
    use http::StatusCode;
    use std::time::Duration;

    #[test]
    fn who_is_of_a_tenant_sees_that_tenants() {
        let ledger = |tenant: Option<&str>| {
            let name = AppName {
                tenant: tenant.map(Into::into),
                app: "topped".into(),
            };
            let ledger = Ledger::new(name, 1);
            let receipt = Receipt {
                wall: Duration::from_micros(70),
                cpu: Duration::from_micros(40),
                ..Receipt::default()
            };
            let status = Some(StatusCode::BAD_GATEWAY);
            ledger.sheet(0).enter(&receipt, status, true);
            ledger
        };
        let _held = [None, Some("one"), Some("other")].map(ledger);
        let apps_of = |seen: Seen| -> Vec<Value> {
            let top = top(&seen);
            let apps = top["apps"].as_array().unwrap().iter();
            apps.filter(|app| app["app"] == "topped").cloned().collect()
        };
        assert_eq!(apps_of(Seen::All).len(), 3);
        assert_eq!(apps_of(Seen::NoTenant).len(), 1);
        let ones = apps_of(Seen::Tenant("one".into()));
        let [one] = ones.as_slice() else {
            panic!("one app: {ones:?}");
        };
        assert_eq!(one["tenant"], "one");
        assert_eq!((&one["requests"], &one["errors"]), (&json!(1), &json!(1)));
        assert_eq!(one["cpu_micros"], 40);
        assert_eq!(one["latency_micros"], json!([[64, 96, 1]]));
        assert!(apps_of(Seen::Tenant("nobody".into())).is_empty());
    }
}
