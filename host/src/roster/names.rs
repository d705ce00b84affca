//! Which hosts a tenant may take by itself.

use super::merge::Whole;
use super::refused::{Refused, Why};
use crate::config::{AppPlan, Near, Places, TenantPlan};
use crate::routing::Host;
use std::collections::HashSet;

/// Fails if `plan` takes a host that is not for `tenant` to take. What the app has
/// already stays with it: the operator may have given it. `places` are those near it.
pub(super) fn check(
    tenant: &str,
    whole: &Whole,
    plan: &AppPlan,
    places: &Places,
) -> Result<(), Refused> {
    let refuse = |why, text: String| {
        let text = format!("apps.{}.hosts: {text}", plan.name);
        Err(Refused::new(why, text))
    };
    let had = whole.claim(&plan.name);
    let had = had.filter(|had| had.tenant.as_deref() == Some(tenant));
    let had: HashSet<&Host> = had.into_iter().flat_map(|had| &had.hosts).collect();
    let own = whole.config.tenants.get(tenant);
    let is_bound = own.is_some_and(|own| own.hosts.is_some());
    let given = own.map(TenantPlan::given_hosts).unwrap_or_default();
    let mut free = plan.clone();
    free.hosts
        .retain(|host| !given.cover(host) && !had.contains(host));
    for host in &free.hosts {
        if is_bound {
            let text = format!(
                "{host} is none of those that tenant `{tenant}` may deploy to (tenants.{tenant}.hosts); ask the operator"
            );
            return refuse(Why::Forbidden, text);
        }
        if host.is_public_suffix() {
            let text = format!(
                "{host} is for everybody to register names below (a public suffix); take a name below it, or ask the operator"
            );
            return refuse(Why::Forbidden, text);
        }
    }
    if let Some(host) = whole
        .config
        .given_to_another(tenant, &Near::of(&free.hosts))
    {
        return refuse(
            Why::Conflict,
            format!("{host} is kept for another tenant; take another host"),
        );
    }
    match places.overlapped(&free) {
        None => Ok(()),
        Some((host, _)) => refuse(
            Why::Conflict,
            format!("{host} overlaps a host of another tenant; take another host"),
        ),
    }
}
