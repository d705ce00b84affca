//! What does not go together.

use super::TenantPlan;
use super::app::AppPlan;
use super::document::{Given, given_as, text_of};
use super::problem::Problems;
use crate::routing::Host;
use std::collections::{BTreeMap, HashMap};

/// Keys of `[server]` that need others.
pub(super) fn check_server(given: &[Given], problems: &mut Problems) {
    let lacks = |name: &str| given_as(given, name).is_none_or(|given| given.texts.is_empty());
    let count = |name: &str| given_as(given, name).map_or(0, |given| given.texts.len());
    let (certificates, keys) = (count("tls-cert"), count("tls-key"));
    if certificates != keys {
        let name = if certificates > 0 {
            "tls-cert"
        } else {
            "tls-key"
        };
        let line = given_as(given, name).map(|given| given.line);
        let text = format!(
            "there are {certificates} certificates (tls-cert) and {keys} keys (tls-key); give a key for each, in the same order"
        );
        problems.error(line, format!("server.{name}"), text);
    }
    let is_on = |name: &str| text_of(given, name) == Some("true");
    for (name, others, what) in [
        (
            "tls-client-ca",
            &["tls-cert", "tls-self-signed"][..],
            "tls-cert and tls-key",
        ),
        ("otlp-ca", &["otlp"], "otlp"),
        ("proxy-headers", &["trusted-proxy"], "trusted-proxy"),
        ("proxy-protocol", &["trusted-proxy"], "trusted-proxy"),
    ] {
        let Some(found) = given_as(given, name) else {
            continue;
        };
        if !found.is_default() && others.iter().all(|other| lacks(other)) {
            let text = format!("it does nothing by itself; add {what}");
            problems.error(Some(found.line), format!("server.{name}"), text);
        }
    }
    if let Some(found) = given_as(given, "tls-self-signed")
        && is_on("tls-self-signed")
        && certificates > 0
    {
        let text = "there are certificates of your own (tls-cert); take one of the two out";
        problems.error(Some(found.line), "server.tls-self-signed", text);
    }
}

/// Keys of a tenant that need others.
pub(super) fn check_tenant(name: &str, given: &[Given], problems: &mut Problems) {
    if given_as(given, "concurrency").is_some() {
        return;
    }
    for key in ["queue", "queue-timeout"] {
        if let Some(found) = given_as(given, key)
            && !found.is_default()
        {
            let text = "there is nothing to wait for without a share; add concurrency";
            problems.error(Some(found.line), format!("tenants.{name}.{key}"), text);
        }
    }
}

/// Apps that are in each other's way: at the same place, or of two tenants at one
/// host, which to a browser is one site.
pub(super) fn check_hosts(apps: &[AppPlan], problems: &mut Problems) {
    let mut places: HashMap<(Option<&Host>, &str), &AppPlan> = HashMap::new();
    let mut owners: HashMap<Option<&Host>, &AppPlan> = HashMap::new();
    for app in apps {
        let hosts = match app.hosts.is_empty() {
            // One whose hosts are wrong was told of that.
            true if given_as(&app.given, "hosts").is_some() => Vec::new(),
            true => vec![None],
            false => app.hosts.iter().map(Some).collect(),
        };
        let line = app.line_of("hosts");
        for host in hosts {
            let mount = app.settings.mount.as_str();
            let shown = match host {
                Some(host) => format!("{host}{mount}/"),
                None => format!("every other host at {mount}/"),
            };
            if let Some(other) = places.get(&(host, mount))
                && other.name != app.name
            {
                let text = format!(
                    "{shown} is app `{}`'s already (line {}); give one of them another host or mount",
                    other.name, other.line
                );
                problems.error(Some(line), app.key("hosts"), text);
                continue;
            }
            places.insert((host, mount), app);
            let other = *owners.entry(host).or_insert(app);
            if other.tenant != app.tenant {
                let host = host.map_or_else(|| "every other host".to_owned(), Host::to_string);
                let text = format!(
                    "{host} has app `{}` of another tenant (line {}), and to a browser both were one site; give it another host",
                    other.name, other.line
                );
                problems.error(Some(line), app.key("hosts"), text);
            }
        }
    }
    check_wildcards(&owners, problems);
}

/// Hosts that are given to a tenant, and are another's: the one could set cookies for
/// the other, or be sent its requests.
pub(super) fn check_given(
    tenants: &BTreeMap<String, TenantPlan>,
    apps: &[AppPlan],
    problems: &mut Problems,
) {
    let given = tenants.iter().flat_map(|(name, tenant)| {
        let hosts = tenant.hosts.iter().flatten();
        hosts.map(move |host| (name, tenant, host))
    });
    // Of two with a name one is enough: it is found for the other.
    let mut names: HashMap<&str, (&String, &TenantPlan, &Host)> = HashMap::new();
    for (name, tenant, host) in given.clone() {
        let other = *names.entry(host.name()).or_insert((name, tenant, host));
        if other.0 != name {
            overlap((name, tenant, host), other, problems);
        }
    }
    for (name, tenant, host) in given {
        let mut above = host.above().filter_map(|above| names.get(above));
        if let Some(other) = above.find(|(other, ..)| *other != name) {
            overlap((name, tenant, host), *other, problems);
        }
    }
    check_given_and_had(&names, apps, problems);
}

/// Hosts of the file's apps that are, or are above or below, one that is given to another
/// tenant (`given`, by their names). The file may well mean it.
fn check_given_and_had(
    given: &HashMap<&str, (&String, &TenantPlan, &Host)>,
    apps: &[AppPlan],
    problems: &mut Problems,
) {
    let mut had: HashMap<(&str, bool), (&Host, &AppPlan)> = HashMap::new();
    for app in apps {
        for host in &app.hosts {
            let key = (host.name(), host.is_wildcard());
            had.entry(key).or_insert((host, app));
        }
    }
    let mut found = Vec::new();
    for (host, app) in had.values() {
        let names = std::iter::once(host.name()).chain(host.above());
        let mut near = names.filter_map(|name| given.get(name));
        let foreign = near.find(|(name, ..)| app.tenant.as_ref() != Some(*name));
        found.extend(foreign.map(|(name, tenant, given)| (*host, *app, *given, *name, *tenant)));
    }
    for (name, tenant, given) in given.values() {
        let keys = given
            .above()
            .flat_map(|above| [(above, false), (above, true)]);
        let mut near = keys.filter_map(|key| had.get(&key));
        let foreign = near.find(|(_, app)| app.tenant.as_ref() != Some(*name));
        found.extend(foreign.map(|(host, app)| (*host, *app, *given, *name, *tenant)));
    }
    for (host, app, given, name, tenant) in found {
        let text = format!(
            "{host} overlaps {given}, to which tenant `{name}` may deploy (line {}); a browser lets each set cookies for the other",
            tenant.line_of_hosts()
        );
        problems.warn(app.line_of("hosts"), app.key("hosts"), text);
    }
}

/// Says that a host given to one tenant is, or is below, one given to another.
fn overlap(
    (name, tenant, host): (&String, &TenantPlan, &Host),
    (other, others, given): (&String, &TenantPlan, &Host),
    problems: &mut Problems,
) {
    let text = format!(
        "{host} overlaps {given} of tenant `{other}` (line {}), and each may deploy to its own; give them names that are apart",
        others.line_of_hosts()
    );
    let key = format!("tenants.{name}.hosts");
    problems.error(Some(tenant.line_of_hosts()), key, text);
}

/// A host below another tenant's, which the file may well mean: to a browser the one may
/// set cookies for the other, and below a wildcard it takes its requests. And a tenant's
/// that is a public suffix.
fn check_wildcards(owners: &HashMap<Option<&Host>, &AppPlan>, problems: &mut Problems) {
    let named: HashMap<(&str, bool), &AppPlan> = owners
        .iter()
        .filter_map(|(host, app)| Some(((*host)?, *app)))
        .map(|(host, app)| ((host.name(), host.is_wildcard()), app))
        .collect();
    for (host, app) in owners {
        let Some(host) = host else { continue };
        let foreign = |other: &&&AppPlan| other.tenant != app.tenant;
        for above in host.above() {
            let wildcard = named.get(&(above, true));
            let own = named.get(&(above, false));
            let text = if let Some(other) = wildcard.filter(foreign) {
                format!(
                    "{host} overlaps *.{above} of app `{}` (line {}), which is another tenant's; requests for it come here",
                    other.name, other.line
                )
            } else if let Some(other) = own.filter(foreign) {
                format!(
                    "{host} is below {above} of app `{}` (line {}), which is another tenant's; a browser lets each set cookies for the other",
                    other.name, other.line
                )
            } else if wildcard.is_some() || own.is_some() {
                break;
            } else {
                continue;
            };
            problems.warn(app.line_of("hosts"), app.key("hosts"), text);
            break;
        }
        if app.tenant.is_some() && host.is_public_suffix() && host.name().contains('.') {
            let text = format!(
                "{host} is a public suffix, below which anybody may register names; a browser takes no cookies for it"
            );
            problems.warn(app.line_of("hosts"), app.key("hosts"), text);
        }
    }
}
