//! The tenants of the file.

use super::document::{Given, Table};
use super::problem::Problems;
use super::{Config, catalogue, conflict, value};
use crate::compiler::Payer;
use crate::routing::Host;
use crate::settings::{Quotas, TenantSettings};
use std::collections::BTreeMap;

/// A tenant of the file.
#[derive(Debug, Default)]
pub struct TenantPlan {
    /// Its line.
    pub line: usize,
    /// The keys that are there.
    pub given: Vec<Given>,
    /// What they come to.
    pub settings: TenantSettings,
    /// What it may have and do by deploying.
    pub quotas: Quotas,
    /// Hosts that are the tenant's, if the operator says which; none if it may deploy to
    /// any that is free.
    pub hosts: Option<Vec<Host>>,
}

impl TenantPlan {
    /// Whether the operator gave `host` to this tenant.
    pub fn is_given(&self, host: &Host) -> bool {
        let mut hosts = self.hosts.iter().flatten();
        hosts.any(|given| given.covers(host))
    }
}

impl Config {
    /// On whose account apps of `tenant` are compiled.
    pub fn payer(&self, tenant: Option<&str>) -> Payer {
        let Some(tenant) = tenant else {
            return Payer::operator();
        };
        let plan = self.tenants.get(tenant);
        let quotas = plan.map(|plan| plan.quotas.clone()).unwrap_or_default();
        Payer::tenant(tenant, quotas.compile_time)
    }
}

/// All tenants, by name.
pub(super) fn all(root: &Table<'_>, problems: &mut Problems) -> BTreeMap<String, TenantPlan> {
    let Some(tenants) = root.table("tenants", problems) else {
        return BTreeMap::new();
    };
    let mut plans = BTreeMap::new();
    for (name, line, table) in tenants.named_tables("tenant", problems) {
        let given = table.keys(&format!("[tenants.{name}]"), catalogue::TENANT, problems);
        conflict::check_tenant(&name, &given, problems);
        let mut plan = TenantPlan {
            line,
            ..TenantPlan::default()
        };
        for given in &given {
            // What does not parse was told before, and nothing is served with it.
            let _ = plan.set(given.key.name, &given.texts);
        }
        plan.given = given;
        plans.insert(name, plan);
    }
    plans
}

impl TenantPlan {
    /// Sets what the key called `name` stands for. None if it is no right value of it.
    fn set(&mut self, name: &str, texts: &[String]) -> Option<()> {
        let (settings, quotas) = (&mut self.settings, &mut self.quotas);
        let text = texts.first().map_or("", String::as_str);
        let octets = || value::octets(text).ok();
        let time = || value::duration(text).ok();
        match name {
            "concurrency" => settings.concurrency = Some(text.parse().ok()?),
            "queue" => settings.queue = text.parse().ok()?,
            "queue-timeout" => settings.queue_timeout = time()?,
            "memory" => settings.memory = Some(octets()?),
            "followers" => settings.api.followers = text.parse().ok()?,
            "uploads" => settings.api.uploads = text.parse().ok()?,
            "log-rate" => settings.log_rate = octets()?,
            "weight" => settings.weight = text.parse().ok()?,
            "hosts" => {
                let hosts = texts.iter().map(|text| text.parse().ok());
                self.hosts = Some(hosts.collect::<Option<_>>()?);
            }
            "max-apps" => quotas.apps = text.parse().ok()?,
            "max-versions" => quotas.versions = text.parse().ok()?,
            "max-hosts" => quotas.hosts = text.parse().ok()?,
            "max-state" => quotas.state = octets()?,
            "max-deploys" => quotas.deploys = text.parse().ok()?,
            "deploys-per-minute" => quotas.deploys_per_minute = text.parse().ok()?,
            "compile-time" => quotas.compile_time = time()?,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each key of the catalogue does something, and its default is the library's.
    #[test]
    fn the_catalogues_defaults_are_the_librarys() {
        let mut plan = TenantPlan::default();
        plan.quotas.apps += 1;
        plan.quotas.state += 1;
        plan.settings.log_rate += 1;
        for key in catalogue::TENANT {
            let text = key.default.trim_matches('"').to_owned();
            let texts = match text.starts_with('(') {
                true => vec!["7".to_owned()],
                false => vec![text],
            };
            assert!(plan.set(key.name, &texts).is_some(), "{}", key.name);
        }
        assert_eq!(plan.quotas, Quotas::default());
        assert_eq!(plan.settings.weight, TenantSettings::default().weight);
        assert_eq!(plan.settings.log_rate, TenantSettings::default().log_rate);
        assert_eq!(plan.settings.concurrency, Some(7));
        assert_eq!(plan.hosts.map(|hosts| hosts.len()), Some(1));
    }
}
