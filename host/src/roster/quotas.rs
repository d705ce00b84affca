//! What a tenant may have deployed.

use super::Roster;
use super::merge::Whole;
use super::refused::{Refused, Why};
use crate::config::{AppPlan, Origin};
use crate::failure::Octets;
use crate::settings::Quotas;
use crate::store::{Scope, Uploaded};

impl Whole {
    /// What the tenant called so may have and do.
    pub(super) fn quotas(&self, tenant: &str) -> Quotas {
        let plan = self.config.tenants.get(tenant);
        plan.map(|plan| plan.quotas.clone()).unwrap_or_default()
    }

    /// The places of each deployed app of `tenant`, served or not; none where they are
    /// not known.
    fn deployed_of<'a>(
        &'a self,
        tenant: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<&'a AppPlan>)> {
        let is_own = move |of: Option<&str>| of == Some(tenant);
        let served = self.config.apps.iter();
        let served = served.filter(|app| app.origin != Origin::File);
        let plans = served.chain(&self.disabled);
        let plans = plans.filter(move |app| is_own(app.tenant.as_deref()));
        let plans = plans.map(|app| (app.name.as_str(), Some(app)));
        let faults = self.faults.iter();
        let faults = faults.filter(move |(_, fault)| is_own(fault.tenant.as_deref()));
        plans.chain(faults.map(|(name, fault)| (name.as_str(), fault.claim.as_ref())))
    }

    /// Fails if `tenant` would have too much with `plan`.
    pub(super) fn within(&self, tenant: &str, plan: &AppPlan) -> Result<(), Refused> {
        let quotas = self.quotas(tenant);
        let others = self.deployed_of(tenant);
        let others = others.filter(|(name, _)| *name != plan.name);
        let (mut apps, mut hosts) = (1, plan.hosts.len());
        for (_, other) in others {
            apps += 1;
            hosts += other.map_or(0, |other| other.hosts.len());
        }
        let had = self.claim(&plan.name);
        let had_hosts = had.map_or(0, |had| had.hosts.len());
        // What is there already may be changed, whatever the quota is by now.
        if apps > quotas.apps && had.is_none() && !self.faults.contains_key(&plan.name) {
            let text = format!(
                "tenant `{tenant}` may have {} apps (max-apps); delete one, or ask the operator for more",
                quotas.apps
            );
            return Err(Refused::new(Why::Forbidden, text));
        }
        if hosts > quotas.hosts && plan.hosts.len() > had_hosts {
            let text = format!(
                "apps.{}.hosts: tenant `{tenant}` may have {} hosts in all, and these were {hosts} (max-hosts); take fewer, or ask the operator for more",
                plan.name, quotas.hosts
            );
            return Err(Refused::new(Why::Forbidden, text));
        }
        Ok(())
    }
}

impl Roster {
    /// What the tenant called so may have and do.
    pub(super) fn quotas(&self, tenant: &str) -> Quotas {
        self.whole.quotas(tenant)
    }

    /// How many versions of the app of `plan` are kept.
    pub(super) fn versions_kept(&self, plan: &AppPlan) -> usize {
        let tenant = plan.tenant.as_deref();
        tenant
            .map_or_else(Quotas::default, |tenant| self.whole.quotas(tenant))
            .versions
    }

    /// Fails if what is kept for the tenant of `scope` would be too much with this
    /// component as the next version of `plan`.
    pub(super) fn has_room(
        &self,
        scope: &Scope,
        plan: &AppPlan,
        component: &Uploaded,
    ) -> Result<(), Refused> {
        let Scope::Tenant(tenant) = scope else {
            return Ok(());
        };
        let most = self.whole.quotas(tenant).state;
        let names = self.whole.deployed_of(tenant).map(|(name, _)| name);
        let kept = self.versions_kept(plan).saturating_sub(1);
        let store = self.store()?;
        let mut components = store.kept_of(names, (&plan.name, kept))?;
        components.insert(component.digest, component.octets);
        let octets = components
            .values()
            .fold(0, |sum: u64, octets| sum.saturating_add(*octets));
        if octets <= most {
            return Ok(());
        }
        let text = format!(
            "tenant `{tenant}` may have {} of components kept, and would have {} (max-state); delete an app, keep fewer versions (max-versions), or ask the operator for more",
            Octets(most),
            Octets(octets)
        );
        Err(Refused::new(Why::Full, text))
    }
}
