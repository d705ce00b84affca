//! What whoever collects metrics is shown: what the host counts of itself, and what each
//! app used, in one text.

mod apps;
mod commons;
mod tenants;

use crate::metrics;
use crate::store::Scope;
use apps::Apps;
use commons::Sums;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tenants::Tenants;

/// The media type of [`render`]'s text (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Of what a reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// All: the host, and every tenant's apps.
    All,
    /// What concerns no tenant: the host, and apps that are no tenant's.
    NoTenant,
    /// One tenant's apps, and nothing of the host.
    Tenant(String),
}

impl Seen {
    /// Whether what is `tenant`'s, or no tenant's, is told.
    pub fn has(&self, tenant: Option<&str>) -> bool {
        match self {
            Seen::All => true,
            Seen::NoTenant => tenant.is_none(),
            Seen::Tenant(own) => tenant == Some(own),
        }
    }
}

impl From<Scope> for Seen {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Seen::All,
            Scope::Tenant(tenant) => Seen::Tenant(tenant),
        }
    }
}

/// All of them, in the text format of OpenMetrics.
pub fn render() -> String {
    render_for(&Seen::All)
}

/// Those that may be `seen`, in the text format of OpenMetrics.
pub fn render_for(seen: &Seen) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Apps(seen.clone())));
    registry.register_collector(Box::new(Tenants(seen.clone())));
    let mut text = String::new();
    if !matches!(seen, Seen::Tenant(_)) {
        text = metrics::render();
        registry.register_collector(Box::new(Sums));
    }
    // It writes to a string, which takes everything; the end of the text comes last.
    let _ = encode(&mut text, &registry);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_one_end() {
        let text = render();
        assert!(text.starts_with("# HELP rhost_"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert_eq!(text.matches("# EOF").count(), 1);
    }

    #[test]
    fn each_reader_is_told_of_its_own() {
        use crate::ledger::{AppName, Ledger};
        let ledger = |tenant: Option<&str>| {
            let name = AppName {
                tenant: tenant.map(Into::into),
                app: "exposed".into(),
            };
            let ledger = Ledger::new(name, 1);
            let _ = ledger.sheet(0);
            ledger
        };
        let _held = [None, Some("one"), Some("other")].map(ledger);
        let tenants = |seen: &Seen| {
            let text = render_for(seen);
            assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
            let has_host = text.contains("rhost_connections_open");
            let lines = |what: &str| text.lines().any(|line| line.contains(what));
            (
                has_host,
                lines("app=\"exposed\"} 0"),
                lines("tenant=\"one\""),
                lines("tenant=\"other\""),
            )
        };
        assert_eq!(tenants(&Seen::All), (true, true, true, true));
        assert_eq!(tenants(&Seen::NoTenant), (true, true, false, false));
        let one = Seen::Tenant("one".into());
        assert_eq!(tenants(&one), (false, false, true, false));
    }
}
