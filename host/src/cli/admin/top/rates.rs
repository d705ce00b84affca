//! What apps used between two looks at their sums.

use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The answer of `GET /v1/top`.
#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    process: u32,
    /// Of a clock of the process.
    micros: u64,
    apps: Vec<App>,
}

#[derive(Debug, Clone, Deserialize)]
struct App {
    app: String,
    tenant: Option<String>,
    requests: u64,
    errors: u64,
    shed: u64,
    cpu_micros: u64,
    memory_peak: u64,
    running: u64,
    queued: u64,
    /// From, to, and how many requests took so long.
    latency_micros: Vec<[u64; 3]>,
}

/// All apps, those that use most first.
#[derive(Debug)]
pub struct Rates {
    pub apps: Vec<Rate>,
    /// How many requests a second all of them have.
    pub requests: f64,
    /// The CPU that all of them use, 1 for a core.
    pub cpu: f64,
}

/// What an app uses.
#[derive(Debug, PartialEq)]
pub struct Rate {
    pub app: String,
    pub tenant: Option<String>,
    /// A second, and so the next two.
    pub requests: f64,
    pub errors: f64,
    pub shed: f64,
    /// Milliseconds that half of the requests take at the most, and 99 of 100. None if
    /// there were none.
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    /// 1 for a core.
    pub cpu: f64,
    /// The most octets that a sandbox has had since the start.
    pub memory_peak: u64,
    /// Requests that have a place, or wait for one, now.
    pub running: u64,
    pub queued: u64,
}

impl Sample {
    /// Whether it is of the same process as `last`, and later.
    pub fn follows(&self, last: &Sample) -> bool {
        self.process == last.process && self.micros > last.micros
    }
}

/// What was used between `last` and `next`, which follows it.
pub fn rates(last: &Sample, next: &Sample) -> Rates {
    let before: HashMap<_, _> = last.apps.iter().map(|app| (app.key(), app)).collect();
    let micros = (next.micros - last.micros) as f64;
    let rate = |app: &App| app.rate(before.get(&app.key()).copied(), micros);
    let mut apps: Vec<Rate> = next.apps.iter().map(rate).collect();
    apps.sort_by(|one, other| {
        let use_of = |app: &Rate| (app.cpu, app.requests);
        let (one, other) = (use_of(one), use_of(other));
        other.partial_cmp(&one).unwrap_or(std::cmp::Ordering::Equal)
    });
    Rates {
        requests: apps.iter().map(|app| app.requests).sum(),
        cpu: apps.iter().map(|app| app.cpu).sum(),
        apps,
    }
}

impl App {
    fn key(&self) -> (&str, Option<&str>) {
        (&self.app, self.tenant.as_deref())
    }

    fn rate(&self, before: Option<&App>, micros: f64) -> Rate {
        // An app whose ledger began anew has fewer than before.
        let before = before.filter(|before| before.requests <= self.requests);
        let more = |of: fn(&App) -> u64| of(self).saturating_sub(before.map_or(0, of)) as f64;
        let a_second = |of: fn(&App) -> u64| more(of) * 1e6 / micros;
        let latency = self.latency_since(before);
        Rate {
            app: self.app.clone(),
            tenant: self.tenant.clone(),
            requests: a_second(|app| app.requests),
            errors: a_second(|app| app.errors),
            shed: a_second(|app| app.shed),
            p50: percentile(&latency, 0.5),
            p99: percentile(&latency, 0.99),
            cpu: more(|app| app.cpu_micros) / micros,
            memory_peak: self.memory_peak,
            running: self.running,
            queued: self.queued,
        }
    }

    fn latency_since(&self, before: Option<&App>) -> Vec<[u64; 3]> {
        let before = before.map_or(&[][..], |before| &before.latency_micros);
        let before: HashMap<u64, u64> = before.iter().map(|[from, _, n]| (*from, *n)).collect();
        let more = |[from, to, count]: &[u64; 3]| {
            let known = before.get(from).copied().unwrap_or(0);
            [*from, *to, count.saturating_sub(known)]
        };
        self.latency_micros.iter().map(more).collect()
    }
}

/// The milliseconds that this part of the requests took at the most, as if those of a
/// bucket were spread evenly over it.
fn percentile(buckets: &[[u64; 3]], part: f64) -> Option<f64> {
    let all: u64 = buckets.iter().map(|[.., count]| count).sum();
    let wanted = all as f64 * part;
    let mut below = 0.0;
    for [from, to, count] in buckets.iter().filter(|[.., count]| *count > 0) {
        let (from, to, count) = (*from as f64, *to as f64, *count as f64);
        if below + count >= wanted {
            return Some((from + (to - from) * (wanted - below) / count) / 1e3);
        }
        below += count;
    }
    None
}

impl Rates {
    /// For programs.
    pub fn json(&self) -> Value {
        let app = |app: &Rate| {
            json!({
                "app": app.app,
                "tenant": app.tenant,
                "requests_per_second": app.requests,
                "errors_per_second": app.errors,
                "shed_per_second": app.shed,
                "p50_millis": app.p50,
                "p99_millis": app.p99,
                "cpu": app.cpu,
                "memory_peak": app.memory_peak,
                "running": app.running,
                "queued": app.queued,
            })
        };
        json!({
            "requests_per_second": self.requests,
            "cpu": self.cpu,
            "apps": self.apps.iter().map(app).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(micros: u64, apps: &Value) -> Sample {
        let value = json!({ "process": 1, "micros": micros, "apps": apps });
        serde_json::from_value(value).expect("it is one")
    }

    fn app(name: &str, requests: u64, cpu: u64, latency: &Value) -> Value {
        json!({
            "app": name, "tenant": null, "requests": requests, "errors": requests / 10,
            "shed": 0, "cpu_micros": cpu, "memory_peak": 5, "received": 0, "sent": 0,
            "running": 1, "queued": 2, "latency_micros": latency,
        })
    }

    #[test]
    fn rates_are_differences() {
        let last = app("a", 100, 1000, &json!([[64, 96, 100]]));
        let next = app(
            "a",
            300,
            501_000,
            &json!([[64, 96, 200], [1024, 1536, 100]]),
        );
        let new = app("b", 10, 900_000, &json!([[2, 3, 10]]));
        let last = sample(0, &json!([last]));
        let next = sample(2_000_000, &json!([next, new]));
        assert!(next.follows(&last) && !last.follows(&next));
        let rates = rates(&last, &next);
        let [b, a] = rates.apps.as_slice() else {
            panic!("two apps: {rates:?}");
        };
        // The one that uses more comes first.
        assert_eq!((b.app.as_str(), b.requests, b.cpu), ("b", 5.0, 0.45));
        assert_eq!((a.app.as_str(), a.requests, a.cpu), ("a", 100.0, 0.25));
        assert_eq!((a.errors, a.running, a.queued), (10.0, 1, 2));
        assert_eq!(a.p50, Some(0.096));
        assert!(a.p99.is_some_and(|p99| p99 > 1.5 && p99 <= 1.536));
        assert_eq!(rates.requests, 105.0);
    }

    #[test]
    fn who_rests_has_no_latency_and_who_begins_anew_counts_from_there() {
        let latency = json!([[64, 96, 100]]);
        let last = sample(
            0,
            &json!([
                app("rests", 100, 9, &latency),
                app("anew", 100, 9, &latency)
            ]),
        );
        let fresh = json!([[64, 96, 2]]);
        let apps = json!([app("rests", 100, 9, &latency), app("anew", 2, 1, &fresh)]);
        let rates = rates(&last, &sample(1_000_000, &apps));
        let of = |name: &str| rates.apps.iter().find(|app| app.app == name).unwrap();
        assert_eq!((of("rests").requests, of("rests").p99), (0.0, None));
        assert_eq!(of("anew").requests, 2.0);
    }
}
