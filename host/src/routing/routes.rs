//! Where each request goes.

use super::{Host, Mounts, Table};
use crate::failure::Cause;
use crate::settings::UnknownHost;
use crate::tenancy::Tenant;
use std::sync::Arc;

/// What is routed to, by host and mount.
#[derive(Debug, Clone)]
pub struct Routes<T> {
    origins: Table<Origin<T>>,
    unknown: UnknownHost,
    /// Whether there are several tenants.
    is_shared: bool,
}

/// What one host has. It is one tenant's: to a browser all that is at one host is one
/// site, whose parts may read one another.
#[derive(Debug, Clone)]
struct Origin<T> {
    tenant: Option<Arc<Tenant>>,
    /// The name of the tenant, who may be no tenant any more.
    owner: Option<Arc<str>>,
    /// None for an app that is not served, whose place is kept.
    mounts: Mounts<Option<T>>,
}

/// What a request says of where it wants to go.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The host, if it names one.
    pub host: Option<&'a str>,
    /// The path as it was sent.
    pub path: &'a str,
    /// The host that its client named in the handshake of TLS, if it was that one who
    /// asks.
    pub sni: Option<&'a str>,
}

impl<T> Routes<T> {
    /// No routes yet. `unknown` says what is answered where there is none.
    pub fn new(unknown: UnknownHost) -> Self {
        Routes {
            origins: Table::default(),
            unknown,
            is_shared: false,
        }
    }

    /// Adds `what` of `tenant` at `mount` of `host`, or of every host that nothing
    /// else is for. What was there is replaced, and a host belongs to the tenant that
    /// came first: the configuration has been checked for both.
    pub fn add(&mut self, host: Option<&Host>, mount: &str, tenant: Option<&Arc<Tenant>>, what: T) {
        let owner = tenant.map(|tenant| tenant.name());
        let origin = self.origins.entry(host, || Origin::of(tenant, owner));
        origin.mounts.insert(mount, Some(what));
        // One tenant needs no telling apart, but from those who are nobody's.
        self.is_shared |= tenant.is_some();
    }

    /// Keeps `mount` of `host`, or of every host that nothing else is for, for an app of
    /// the tenant called `owner` that is not served: nobody else answers there. Does
    /// nothing where another app is, or at a host of another tenant: call this after the
    /// last [`Routes::add`].
    pub fn reserve(
        &mut self,
        host: Option<&Host>,
        mount: &str,
        tenant: Option<&Arc<Tenant>>,
        owner: Option<&str>,
    ) {
        let origin = self.origins.entry(host, || Origin::of(tenant, owner));
        if origin.owner.as_deref() == owner {
            origin.mounts.insert_new(mount, None);
        }
        self.is_shared |= owner.is_some();
    }

    /// Keeps `host` for the tenant called `owner`, who was given it and may have no app there:
    /// nobody else answers there. Does nothing where nobody would, or it would be one of the
    /// tenant's: call this after the last [`Routes::reserve`].
    pub fn keep(&mut self, host: &Host, tenant: &Arc<Tenant>) {
        let owner = Some(tenant.name());
        let falls_to = self.origins.falls_to(host);
        if falls_to.is_some_and(|origin| origin.owner.as_deref() != owner) {
            let make = || Origin::of(Some(tenant), owner);
            self.origins.entry(Some(host), make);
            self.is_shared = true;
        }
    }

    /// All that is routed to, as often as there are routes to it.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        let mounted = self.origins.all().flat_map(|origin| origin.mounts.all());
        mounted.filter_map(Option::as_ref)
    }

    /// Where a request goes, and whose that is.
    ///
    /// Fails when there is no such host or no such mount, when the app there is not
    /// served, and when the client has
    /// shown by TLS that it takes this server for another tenant's: it may have reused
    /// a connection whose certificate has both names (RFC 9110, section 7.4).
    pub fn find(&self, asked: Asked<'_>) -> Result<(&T, Option<&Arc<Tenant>>), Cause> {
        let origin = match asked.host {
            Some(host) => self.origins.find(host),
            None => self.origins.rest(),
        };
        let origin = origin.ok_or(Cause::UnknownHost(self.unknown))?;
        if self.is_shared
            && let Some(name) = asked.sni
        {
            let named = self.origins.find(name);
            if named.is_none_or(|named| named.tenant_name() != origin.tenant_name()) {
                return Err(Cause::OtherTenant);
            }
        }
        let found = origin.mounts.find(asked.path).ok_or(Cause::NotMounted)?;
        let found = found.as_ref().ok_or(Cause::NotServed)?;
        Ok((found, origin.tenant.as_ref()))
    }
}

impl<T> Origin<T> {
    fn of(tenant: Option<&Arc<Tenant>>, owner: Option<&str>) -> Self {
        Origin {
            tenant: tenant.cloned(),
            owner: owner.map(Arc::from),
            mounts: Mounts::default(),
        }
    }

    fn tenant_name(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Stock;
    use crate::commons::{Commons, Sizes};
    use crate::components::Party;
    use crate::settings::TenantSettings;

    fn routes() -> Routes<&'static str> {
        let tenant = |name: &str| {
            let nothing = Sizes {
                memory: 0,
                files: 0,
            };
            let party = Party::new(&Stock::new([1; 3], 1), &Commons::new(nothing));
            let party = Arc::new(party);
            Arc::new(Tenant::new(name, &TenantSettings::default(), 1, party))
        };
        let (one, two) = (tenant("one"), tenant("two"));
        let mut routes = Routes::new(UnknownHost::Misdirected);
        let mut add = |host: &str, mount: &str, tenant: &Arc<Tenant>, what| {
            let host: Host = host.parse().unwrap();
            routes.add(Some(&host), mount, Some(tenant), what);
        };
        add("a.one.test", "", &one, "a");
        add("a.one.test", "/blog", &one, "blog");
        add("b.one.test", "", &one, "b");
        add("two.test", "/only", &two, "two");
        let mut reserve = |host: Option<&str>, mount: &str, owner: &str| {
            let host: Option<Host> = host.map(|host| host.parse().unwrap());
            routes.reserve(host.as_ref(), mount, None, Some(owner));
        };
        reserve(Some("off.one.test"), "", "one");
        reserve(Some("*.off.test"), "/off", "gone");
        // Neither an app's own place, nor one at another tenant's host, is taken.
        reserve(Some("a.one.test"), "/blog", "one");
        reserve(Some("a.one.test"), "/off", "one");
        reserve(Some("two.test"), "/off", "one");
        routes
    }

    fn find(host: &str, path: &str, sni: Option<&str>) -> Result<&'static str, u16> {
        let host = Some(host);
        match routes().find(Asked { host, path, sni }) {
            Ok((found, _)) => Ok(*found),
            Err(cause) => Err(cause.status().as_u16()),
        }
    }

    #[test]
    fn by_host_then_by_mount() {
        assert_eq!(find("a.one.test", "/", None), Ok("a"));
        assert_eq!(find("a.one.test", "/blog/1", None), Ok("blog"));
        assert_eq!(find("b.one.test", "/blog/1", None), Ok("b"));
        assert_eq!(find("two.test", "/", None), Err(404));
        assert_eq!(find("three.test", "/", None), Err(421));
    }

    #[test]
    fn the_place_of_an_app_that_is_not_served_is_nobody_elses() {
        assert_eq!(find("off.one.test", "/x", None), Err(503));
        assert_eq!(find("b.off.test", "/off/x", None), Err(503));
        assert_eq!(find("b.off.test", "/", None), Err(404));
        assert_eq!(find("a.one.test", "/blog", None), Ok("blog"));
        assert_eq!(find("a.one.test", "/off", None), Err(503));
        assert_eq!(find("a.one.test", "/offer", None), Ok("a"));
        assert_eq!(find("two.test", "/off", None), Err(404));
        assert_eq!(find("two.test", "/only", Some("off.one.test")), Err(421));
        assert_eq!(find("off.one.test", "/", Some("a.one.test")), Err(503));
        assert_eq!(find("a.one.test", "/", Some("off.one.test")), Ok("a"));
    }

    #[test]
    fn the_rest_is_kept_too() {
        let mut routes: Routes<()> = Routes::new(UnknownHost::Misdirected);
        routes.reserve(None, "", None, None);
        let asked = Asked {
            host: Some("any.test"),
            path: "/",
            sni: None,
        };
        let cause = routes.find(asked).unwrap_err();
        assert_eq!(cause.status().as_u16(), 503);
        assert_eq!(routes.all().count(), 0);
    }

    #[test]
    fn a_connection_for_one_tenant_is_not_for_another() {
        assert_eq!(find("a.one.test", "/", Some("a.one.test")), Ok("a"));
        assert_eq!(find("a.one.test", "/", Some("b.one.test")), Ok("a"));
        assert_eq!(find("a.one.test", "/", Some("two.test")), Err(421));
        assert_eq!(find("a.one.test", "/", Some("three.test")), Err(421));
        assert_eq!(find("two.test", "/only", Some("A.ONE.TEST.")), Err(421));
    }
}
