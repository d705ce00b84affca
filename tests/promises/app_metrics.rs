//! The metrics of each app, as whoever collects them reads them.

use rhost_tests::{Fleet, Server, Test};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The samples of the app called `app`, without its name and its tenant's.
fn samples(server: &Server, app: &str, tenant: Option<&str>) -> BTreeMap<String, f64> {
    let app = match tenant {
        Some(tenant) => format!("app=\"{app}\",tenant=\"{tenant}\""),
        None => format!("app=\"{app}\""),
    };
    let text = server.metrics();
    let of_app = text.lines().filter(|line| line.contains(&app));
    of_app
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let name = name.replace(&app, "").replace("{,", "{").replace(",}", "}");
            let name = name.replace("{}", "");
            (name, value.parse().expect("a number"))
        })
        .collect()
}

/// Gets `path` of each of `hosts`, in this order.
async fn get(fleet: &Fleet, host: &str, path: &str) -> u16 {
    fleet.get(host, path).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_has_its_own() {
    let text = r#"
        [tenants.acme]
        [apps.counted-shop]
        component = "answers.wasm"
        tenant = "acme"
        hosts = ["shop.test"]
        max-request-body = "10B"
        [apps.counted-spinner]
        component = "spin-forever.wasm"
        hosts = ["spinner.test"]
        cpu = "20ms"
        [apps.counted-never]
        component = "answers.wasm"
        hosts = ["never.test"]
    "#;
    let fleet = Fleet::start(&["answers", "spin-forever"], text).await;
    for status in ["200", "204", "301", "404", "404", "503"] {
        assert_eq!(
            get(&fleet, "shop.test", &format!("/{status}?1"))
                .await
                .to_string(),
            status
        );
    }
    assert_eq!(get(&fleet, "shop.test", "/none").await, 500);
    assert_eq!(get(&fleet, "spinner.test", "/").await, 504);
    // The last octet of an answer may be there before the last of its counts.
    for name in ["counted-shop", "counted-spinner"] {
        while fleet.running(name) > 0 {
            tokio::task::yield_now().await;
        }
    }
    let told = "rhost_app_request_duration_seconds_count";
    let spinner = || samples(&fleet.server, "counted-spinner", None);
    while spinner()[told] < 1.0 {
        tokio::task::yield_now().await;
    }
    let shop = samples(&fleet.server, "counted-shop", Some("acme"));
    let requests = |status: &str| shop[&format!("rhost_app_requests_total{{status=\"{status}\"}}")];
    let classes = ["2xx", "3xx", "4xx", "5xx", "499"].map(requests);
    assert_eq!(classes, [2.0, 1.0, 2.0, 2.0, 0.0], "{shop:?}");
    assert_eq!(shop["rhost_app_requests_failed_total"], 1.0);
    assert_eq!(shop["rhost_app_request_duration_seconds_count"], 7.0);
    assert_eq!(shop["rhost_app_cpu_seconds_count"], 7.0);
    let all = "rhost_app_request_duration_seconds_bucket{le=\"+Inf\"}";
    assert_eq!(shop[all], 7.0, "{shop:?}");
    assert!(shop["rhost_app_cpu_seconds_sum"] > 0.0);
    // 200, 301, 404 twice and 503 have a body of one block, the page of 500 its own.
    assert!(shop["rhost_app_response_body_bytes_total"] > 25.0);
    assert!(shop["rhost_app_memory_peak_bytes"] >= 65_536.0);
    assert!(shop["rhost_app_host_calls_total"] >= 12.0);
    assert_eq!(shop["rhost_app_requests_running"], 0.0);

    let spinner = spinner();
    assert_eq!(spinner["rhost_app_limit_hits_total{limit=\"cpu\"}"], 1.0);
    assert!(spinner["rhost_app_cpu_seconds_sum"] >= 0.02, "{spinner:?}");

    assert!(samples(&fleet.server, "counted-never", None).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shed_is_counted_and_who_waits_is_shown() {
    let text = |tenant: &str, memory: &str| {
        format!(
            r#"
            [tenants.shed-tenant]
            {tenant}
            [apps.shed-app]
            component = "hangs.wasm"
            tenant = "shed-tenant"
            concurrency = 1
            queue = 1
            memory = "{memory}"
            "#
        )
    };
    let mut fleet = Fleet::start(&["hangs"], &text("", "64MiB")).await;
    let mut held = fleet.server.connect().await;
    let sleep = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
    held.write_all(sleep).await.unwrap();
    held.read_exact(&mut [0; 12]).await.unwrap();
    let now = |fleet: &Fleet| samples(&fleet.server, "shed-app", Some("shed-tenant"));
    let (waited, ()) = tokio::join!(fleet.get("test", "/answer"), async {
        while now(&fleet)["rhost_app_requests_queued"] == 0.0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(now(&fleet)["rhost_app_requests_queued"], 1.0);
        assert_eq!(now(&fleet)["rhost_app_requests_running"], 1.0);
        assert_eq!(get(&fleet, "test", "/answer").await, 503);
        drop(held);
    });
    assert_eq!(waited.status, 200);

    // Another version of the same app goes on counting where the last one was.
    let share = "concurrency = 1\nqueue = 0\nqueue-timeout = \"1s\"";
    fleet.apply(&text(share, "65MiB")).unwrap();
    let mut held = fleet.server.connect().await;
    held.write_all(sleep).await.unwrap();
    held.read_exact(&mut [0; 12]).await.unwrap();
    assert_eq!(get(&fleet, "test", "/answer").await, 429);
    drop(held);
    let refused = "rhost_app_requests_total{status=\"4xx\"}";
    while now(&fleet)[refused] < 1.0 || now(&fleet)["rhost_app_requests_running"] > 0.0 {
        tokio::task::yield_now().await;
    }
    let samples = now(&fleet);
    let shed =
        |reason: &str| samples[&format!("rhost_app_requests_shed_total{{reason=\"{reason}\"}}")];
    assert_eq!((shed("queue"), shed("tenant_queue")), (1.0, 1.0));
    for status in ["4xx", "5xx"] {
        let answered = format!("rhost_app_requests_total{{status=\"{status}\"}}");
        assert_eq!(samples[&answered], 1.0);
    }
}

/// A name cannot make a line of its own, or another label.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_a_value_and_nothing_else() {
    let name = "forged\",status=\"2xx\"} 7\n# EOF\nrhost_forged \\";
    let server = Test::serving("answers").named(name).start().await;
    server.get("/200?1").await;
    let escaped = r#"app="forged\",status=\"2xx\"} 7\n# EOF\nrhost_forged \\""#;
    while !server.metrics().contains(escaped) {
        tokio::task::yield_now().await;
    }
    let text = server.metrics();
    assert!(!text.lines().any(|line| line.starts_with("rhost_forged")));
    assert_eq!(text.matches("\n# EOF\n").count(), 1);
}

/// How much there is room for, and what is taken, of each size class.
#[tokio::test(flavor = "multi_thread")]
async fn pools_are_shown() {
    let server = Test::serving("hangs").start().await;
    let mut held = server.connect().await;
    let sleep = b"GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
    held.write_all(sleep).await.unwrap();
    held.read_exact(&mut [0; 12]).await.unwrap();
    let text = server.metrics();
    let value = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).trim().parse().expect("a number")
    };
    let taken = value("rhost_pool_slots_taken{class=\"small\"}");
    assert!((1..=value("rhost_pool_slots{class=\"small\"}")).contains(&taken));
}
