//! What whoever collects metrics is shown: what the host counts of itself, and what each
//! app used, in one text.

mod apps;
mod commons;
mod tenants;

use crate::metrics;
use apps::Apps;
use commons::Sums;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::LazyLock;
use tenants::Tenants;

/// The media type of [`render`]'s text (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

static OF_APPS: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Apps));
    registry.register_collector(Box::new(Tenants));
    registry.register_collector(Box::new(Sums));
    registry
});

/// All of them, in the text format of OpenMetrics.
pub fn render() -> String {
    let mut text = metrics::render();
    // It writes to a string, which takes everything; the end of the text comes last.
    let _ = encode(&mut text, &OF_APPS);
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
}
