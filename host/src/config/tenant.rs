//! The tenants of the file.

use super::document::{Given, Table, given_as};
use super::places::Near;
use super::problem::Problems;
use super::{Config, catalogue, conflict, value};
use crate::compiler::Payer;
use crate::routing::Host;
use crate::settings::{Quotas, TenantSettings};
use std::collections::{BTreeMap, HashSet};

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
    /// The line of its hosts.
    pub(super) fn line_of_hosts(&self) -> usize {
        given_as(&self.given, "hosts").map_or(self.line, |given| given.line)
    }

    /// The hosts that the operator gave to this tenant.
    pub fn given_hosts(&self) -> GivenHosts<'_> {
        GivenHosts(self.hosts.iter().flatten().collect())
    }
}

/// Hosts of which a tenant may take all that they stand for.
#[derive(Debug, Default)]
pub struct GivenHosts<'a>(HashSet<&'a Host>);

impl GivenHosts<'_> {
    /// Whether all that `host` stands for is within what one of these does.
    pub fn cover(&self, host: &Host) -> bool {
        self.0.contains(host) || host.wildcards_above().any(|above| self.0.contains(&above))
    }
}

impl Config {
    /// The host among these that is, or is above or below, one that the operator gave to
    /// another tenant than the one called `tenant`.
    pub fn given_to_another<'a>(&self, tenant: &str, near: &Near<'a>) -> Option<&'a Host> {
        let others = self.tenants.iter().filter(|(name, _)| *name != tenant);
        let mut given = others.flat_map(|(_, other)| other.hosts.iter().flatten());
        given.find_map(|given| near.met_by(given))
    }

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

    #[test]
    fn what_is_given_covers_what_is_below_a_wildcard() {
        for (given, other, covers) in [
            ("a.test", "a.test", true),
            ("a.test", "b.a.test", false),
            ("*.a.test", "a.test", false),
            ("*.a.test", "c.b.a.test", true),
            ("*.a.test", "*.b.a.test", true),
            ("*.a.test", "*.a.test", true),
            ("*.a.test", "*.test", false),
            ("*.a.test", "b.ba.test", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("*.2.1", "192.0.2.1", false),
        ] {
            let plan = TenantPlan {
                hosts: Some(vec!["x.test".parse().unwrap(), given.parse().unwrap()]),
                ..TenantPlan::default()
            };
            let other = other.parse().unwrap();
            assert_eq!(plan.given_hosts().cover(&other), covers, "{given} {other}");
        }
    }

    /// With the hosts of all tenants, and not with their product with those of an app.
    #[test]
    fn given_hosts_are_looked_up_and_not_compared() {
        const HOSTS: usize = 1000;
        let hosts = |name: &str| -> Vec<Host> {
            let hosts = (0..HOSTS).map(|number| format!("{name}-{number}.of.test"));
            hosts.map(|host| host.parse().unwrap()).collect()
        };
        let mut config = Config::of_no_file();
        for name in ["acme", "other", "third"] {
            let plan = TenantPlan {
                hosts: Some(hosts(name)),
                ..TenantPlan::default()
            };
            config.tenants.insert(name.into(), plan);
        }
        let mut own = hosts("own");
        own.extend(hosts("acme"));
        let near = Near::of(&own);
        assert_eq!(config.given_to_another("acme", &near), None);
        let looks = near.looks.get();
        assert!((2 * HOSTS..=10 * HOSTS).contains(&looks), "{looks}");
        for (host, is_near) in [
            ("third-1.of.test", true),
            ("x.third-1.of.test", true),
            ("*.third-1.of.test", true),
            ("*.of.test", true),
            ("acme-1.of.test", false),
            ("new.of.test", false),
        ] {
            let own: [Host; 1] = [host.parse().unwrap()];
            let found = config.given_to_another("acme", &Near::of(&own));
            assert_eq!(found, is_near.then_some(&own[0]), "{host}");
        }
    }

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
