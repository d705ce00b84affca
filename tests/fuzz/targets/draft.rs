//! Whatever settings a deploy has, and the version before it had: a tenant gets nothing
//! that is not its own, nothing that they name is looked at, and what is kept says the same
//! when it is read again.
//!
//! The input is the app's name, the settings before in TOML, and the field of the request,
//! each after a NUL.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use rhost::admin::api;
use rhost::config::{AppPlan, Config};
use rhost::roster::draft;
use rhost::store::Scope;
use serde_json::Map;
use std::path::Path;

/// A file of two tenants, in which apps can be deployed.
const FILE: &str = "[server]\nstate = \"state\"\n[tenants.acme]\n[tenants.other]\n";

fn config() -> Config {
    Config::parse(Path::new("rhost.toml"), FILE).expect("it is right")
}

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |octet| *octet == 0);
    let mut text = || std::str::from_utf8(parts.next().unwrap_or_default());
    let (Ok(name), Ok(before)) = (text(), text()) else {
        return;
    };
    let field = parts.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(field) {
        headers.insert("rhost-settings", value);
    }
    let patch = match api::settings(&headers) {
        Ok(patch) => patch,
        Err(refused) => {
            assert!(!refused.text.is_empty() && !refused.text.contains('\n'));
            return;
        }
    };
    let before = Some(before).filter(|before| !before.is_empty());
    for scope in [Scope::All, Scope::Tenant("acme".into())] {
        match draft(config(), &scope, name, before, &patch) {
            Err(refused) => {
                assert!(!refused.text.is_empty() && !refused.text.contains('\n'), "{refused}");
            }
            Ok((plan, settings)) => {
                assert!(plan.found.secrets.is_empty() && plan.found.dirs.is_empty());
                if scope != Scope::All {
                    is_the_tenants(&plan);
                }
                // What is kept is what was asked for.
                let again = draft(config(), &scope, name, Some(&settings), &Map::new());
                let (again, settings_again) = again.expect("it was good");
                assert_eq!(settings, settings_again);
                assert_eq!(plan.settings, again.settings);
                assert_eq!((plan.hosts, plan.secrets), (again.hosts, again.secrets));
            }
        }
    }
});

fn is_the_tenants(plan: &AppPlan) {
    assert_eq!(plan.tenant.as_deref(), Some("acme"));
    assert!(plan.secrets.is_empty() && plan.settings.dirs.is_empty());
    assert!(!plan.hosts.is_empty());
    assert!(plan.settings.limits.memory <= config().base.limits.memory);
}
