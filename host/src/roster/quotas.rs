//! What a tenant may have deployed.

use super::Roster;
use super::draft::Draft;
use super::merge::Whole;
use super::refused::{Refused, Why};
use crate::config::{AppPlan, Origin};
use crate::failure::Octets;
use crate::settings::Quotas;
use crate::store::{Digest, Scope, Size, Uploaded};
use std::collections::HashSet;

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

    /// How many versions of the app of `draft` are kept with this component as the next.
    /// Fails if all that is kept for the tenant of `scope` would then be too much.
    ///
    /// A tenant that has more than it may by now may deploy on, as long as that is not
    /// still more: so many of the oldest versions go.
    pub(super) fn room_for(
        &self,
        scope: &Scope,
        draft: &Draft,
        component: &Uploaded,
    ) -> Result<usize, Refused> {
        let Draft { plan, settings } = draft;
        let owner = plan.tenant.as_deref();
        let quotas = owner.map_or_else(Quotas::default, |owner| self.whole.quotas(owner));
        let Scope::Tenant(tenant) = scope else {
            return Ok(quotas.versions);
        };
        let (store, most) = (self.store()?, quotas.state);
        let others = self.whole.deployed_of(tenant).map(|(name, _)| name);
        let others = others.filter(|name| *name != plan.name);
        let others = Kept::default().with(others.flat_map(|name| store.sizes(name)));
        let own = store.sizes(&plan.name);
        let before = others.clone().with(own.iter().copied()).octets;
        let next = Size {
            component: component.digest,
            octets: component.octets,
            settings: settings.len() as u64,
        };
        let mut kept = others.with([next]);
        let (mut versions, last) = (0, quotas.versions.max(1) - 1);
        let mut own = own.into_iter().take(last);
        while kept.octets <= most.max(before) {
            versions += 1;
            match own.next() {
                Some(size) => kept = kept.with([size]),
                None => return Ok(quotas.versions),
            }
        }
        if versions > 0 && before > most {
            return Ok(versions);
        }
        let text = format!(
            "tenant `{tenant}` may have {} of components and settings kept, and would have {} (max-state); delete an app, keep fewer versions (max-versions), or ask the operator for more",
            Octets(most),
            Octets(kept.with(own).octets)
        );
        Err(Refused::new(Why::Full, text))
    }
}

/// What is kept of some versions. A component that several have is kept once.
#[derive(Clone, Default)]
struct Kept {
    components: HashSet<Digest>,
    octets: u64,
}

impl Kept {
    /// The same with these.
    fn with(mut self, sizes: impl IntoIterator<Item = Size>) -> Self {
        for size in sizes {
            let component = match self.components.insert(size.component) {
                true => size.octets,
                false => 0,
            };
            let sum = self.octets.saturating_add(size.settings);
            self.octets = sum.saturating_add(component);
        }
        self
    }
}
