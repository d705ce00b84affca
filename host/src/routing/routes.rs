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
    mounts: Mounts<T>,
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
        let origin = self.origins.entry(host, || Origin {
            tenant: tenant.cloned(),
            mounts: Mounts::default(),
        });
        origin.mounts.insert(mount, what);
        // One tenant needs no telling apart, but from those who are nobody's.
        self.is_shared |= tenant.is_some();
    }

    /// All that is routed to, as often as there are routes to it.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.origins.all().flat_map(|origin| origin.mounts.all())
    }

    /// Where a request goes, and whose that is.
    ///
    /// Fails when there is no such host or no such mount, and when the client has
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
        Ok((found, origin.tenant.as_ref()))
    }
}

impl<T> Origin<T> {
    fn tenant_name(&self) -> Option<&str> {
        self.tenant.as_ref().map(|tenant| tenant.name())
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
    fn a_connection_for_one_tenant_is_not_for_another() {
        assert_eq!(find("a.one.test", "/", Some("a.one.test")), Ok("a"));
        assert_eq!(find("a.one.test", "/", Some("b.one.test")), Ok("a"));
        assert_eq!(find("a.one.test", "/", Some("two.test")), Err(421));
        assert_eq!(find("a.one.test", "/", Some("three.test")), Err(421));
        assert_eq!(find("two.test", "/only", Some("A.ONE.TEST.")), Err(421));
    }
}
