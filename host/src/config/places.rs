//! Places: which host and mount is which app's, and which hosts are near one another.
//! What is compared is looked up: it takes as long as there are hosts, not their square.

use super::Config;
use super::app::AppPlan;
use crate::routing::Host;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Why an app cannot be beside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// In a line, which names the other.
    pub text: String,
    /// Whether that is another tenant's, who is not to be named to everybody.
    pub is_foreign: bool,
}

/// Which place is which app's. A place is a host, or every other one, and a mount.
#[derive(Debug, Default)]
pub struct Places {
    apps: HashMap<(Option<Host>, String), String>,
    /// Whose each host is, and one app that says so. To a browser a host is one site.
    owners: HashMap<Option<Host>, (Option<String>, String)>,
    /// Directories that are lent: to which app, of whom, and whether to read only.
    lent: Vec<(PathBuf, String, Option<String>, bool)>,
}

/// Some hosts, to find which others are the same as one, above or below.
#[derive(Debug)]
pub struct Near<'a> {
    /// By their names.
    names: HashMap<&'a str, &'a Host>,
    /// By the names that they are below.
    below: HashMap<&'a str, &'a Host>,
    /// How often something was looked up.
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<usize>,
}

impl Config {
    /// The places of all apps, and of these `others`, that could be in the way of `plan`;
    /// but for the one whose place it takes. Of tens of thousands there are few.
    pub fn places_near<'a>(
        &'a self,
        plan: &AppPlan,
        others: impl IntoIterator<Item = &'a AppPlan>,
    ) -> Places {
        let near = Near::of(&plan.hosts);
        let apps = self.apps.iter().chain(others);
        Places::of(apps.filter(|app| app.name != plan.name && near.may_meet(app, plan)))
    }
}

impl<'a> Near<'a> {
    /// Those of `hosts`.
    pub fn of(hosts: &'a [Host]) -> Self {
        let mut near = Near {
            names: HashMap::with_capacity(hosts.len()),
            below: HashMap::new(),
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        };
        for host in hosts {
            // Of a name and all below it either says the same.
            near.names.insert(host.name(), host);
            near.below.extend(host.above().map(|above| (above, host)));
        }
        near
    }

    /// The host among these that has the name of `other`, is above it, or below it.
    pub fn met_by(&self, other: &Host) -> Option<&'a Host> {
        let names = std::iter::once(other.name()).chain(other.above());
        let mut found = names.map(|name| self.look(&self.names, name));
        found
            .find_map(|found| found)
            .or_else(|| self.look(&self.below, other.name()))
    }

    fn look(&self, hosts: &HashMap<&str, &'a Host>, name: &str) -> Option<&'a Host> {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        hosts.get(name).copied()
    }

    /// Whether `app` could be in the way of `plan`, whose hosts these are.
    fn may_meet(&self, app: &AppPlan, plan: &AppPlan) -> bool {
        plan.hosts.is_empty() && app.hosts.is_empty()
            || app.hosts.iter().any(|host| self.met_by(host).is_some())
            || !plan.settings.dirs.is_empty() && !app.settings.dirs.is_empty()
    }
}

impl Places {
    /// Those of `apps`.
    pub fn of<'a>(apps: impl IntoIterator<Item = &'a AppPlan>) -> Self {
        let mut places = Places::default();
        apps.into_iter().for_each(|app| places.take(app));
        places
    }

    /// Takes the places of `app`, whoever had them.
    pub fn take(&mut self, app: &AppPlan) {
        for host in hosts(app) {
            let place = (host.clone(), app.settings.mount.clone());
            self.apps.insert(place, app.name.clone());
            let owner = || (app.tenant.clone(), app.name.clone());
            self.owners.entry(host).or_insert_with(owner);
        }
        for (dir, path) in app.lent() {
            let (name, tenant) = (app.name.clone(), app.tenant.clone());
            self.lent
                .push((path.to_owned(), name, tenant, dir.read_only));
        }
    }

    /// Whether `app` is in the way of none that has its places already.
    pub fn check(&self, app: &AppPlan) -> Result<(), Taken> {
        let mount = &app.settings.mount;
        for host in hosts(app) {
            let shown = host
                .as_ref()
                .map_or_else(|| "every other host".to_owned(), Host::to_string);
            if let Some((tenant, other)) = self.owners.get(&host)
                && *tenant != app.tenant
            {
                return Err(Taken {
                    text: format!(
                        "{shown} has app `{other}` of another tenant, and to a browser both were one site; give it another host"
                    ),
                    is_foreign: true,
                });
            }
            if let Some(other) = self.apps.get(&(host, mount.clone())) {
                return Err(Taken {
                    text: format!(
                        "{shown} at {mount}/ is app `{other}`'s already; give one of them another host or mount"
                    ),
                    is_foreign: false,
                });
            }
        }
        app.lent()
            .try_for_each(|(dir, path)| self.check_dir(app, path, dir.read_only))
    }

    /// A host of `app` that is above or below one of another tenant, and the other's
    /// app. To a browser each may set cookies for the other, and may be sent the other's.
    pub fn overlapped<'a>(&'a self, app: &'a AppPlan) -> Option<(&'a Host, &'a str)> {
        let near = Near::of(&app.hosts);
        self.owners.iter().find_map(|(other, (tenant, name))| {
            let other = other.as_ref().filter(|_| *tenant != app.tenant)?;
            let own = near.met_by(other)?;
            (own != other).then_some((own, name.as_str()))
        })
    }

    /// Two tenants are lent no directory that is the same, or one within the other,
    /// unless both may only read.
    fn check_dir(&self, app: &AppPlan, path: &Path, read_only: bool) -> Result<(), Taken> {
        let clash = self
            .lent
            .iter()
            .find(|(other, _, tenant, other_read_only)| {
                let overlaps = other.starts_with(path) || path.starts_with(other);
                overlaps && *tenant != app.tenant && !(read_only && *other_read_only)
            });
        match clash {
            None => Ok(()),
            Some((other, name, ..)) => Err(Taken {
                text: format!(
                    "{} overlaps {}, which app `{name}` of another tenant is lent; lend them different ones, or both read-only",
                    path.display(),
                    other.display()
                ),
                is_foreign: true,
            }),
        }
    }
}

/// The hosts of an app; none for every other one.
fn hosts(app: &AppPlan) -> Vec<Option<Host>> {
    match app.hosts.is_empty() {
        true => vec![None],
        false => app.hosts.iter().cloned().map(Some).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::told;

    fn config() -> Config {
        let mut config = Config::of_no_file();
        for name in ["acme", "other"] {
            config.tenants.insert(name.into(), Default::default());
        }
        config
    }

    fn app(name: &str, settings: &str) -> AppPlan {
        let found = config().deployed(name, 1, settings);
        found.unwrap_or_else(|problems| panic!("{}", told(&problems)))
    }

    #[test]
    fn a_place_is_one_apps_and_a_host_one_tenants() {
        let mut places = Places::default();
        places.take(&app("shop", "hosts = \"*.shop.test\"\ntenant = \"acme\""));
        places.take(&app("rest", "mount = \"/x\""));
        for (settings, says) in [
            (
                "hosts = \"*.shop.test\"\ntenant = \"acme\"",
                "app `shop`'s already",
            ),
            (
                "hosts = \"*.shop.test\"\ntenant = \"acme\"\nmount = \"/a\"",
                "",
            ),
            (
                "hosts = \"*.shop.test\"\nmount = \"/a\"",
                "of another tenant",
            ),
            ("mount = \"/x\"", "every other host at /x/ is app `rest`'s"),
            ("mount = \"/y\"", ""),
        ] {
            let said = places.check(&app("new", settings));
            match said {
                Ok(()) => assert_eq!(says, "", "{settings}"),
                Err(Taken { text, .. }) => {
                    assert!(!says.is_empty() && text.contains(says), "{text}");
                }
            }
        }
        places.take(&app("one", "hosts = \"one.a.test\"\ntenant = \"acme\""));
        let overlaps = |settings: &str| places.overlapped(&app("new", settings)).is_some();
        assert!(overlaps("hosts = \"pay.shop.test\"\ntenant = \"other\""));
        assert!(overlaps("hosts = \"*.test\"\ntenant = \"other\""));
        assert!(!overlaps("hosts = \"pay.shop.test\"\ntenant = \"acme\""));
        assert!(overlaps("hosts = \"shop.test\"\ntenant = \"other\""));
        assert!(!overlaps(
            "hosts = [\"myshop.test\", \"*.myshop.test\"]\ntenant = \"other\""
        ));
        for (host, is_near) in [
            ("x.one.a.test", true),
            ("*.one.a.test", true),
            ("*.a.test", true),
            ("a.test", true),
            ("two.a.test", false),
            ("*.two.a.test", false),
            ("neone.a.test", false),
        ] {
            let settings = |tenant| format!("hosts = \"{host}\"\ntenant = \"{tenant}\"");
            assert_eq!(overlaps(&settings("other")), is_near, "{host}");
            assert!(!overlaps(&settings("acme")), "{host}");
        }
    }

    #[test]
    fn what_could_be_in_the_way_is_looked_at() {
        let mut config = config();
        for (name, settings) in [
            ("shop", "hosts = \"*.shop.test\"\ntenant = \"acme\""),
            ("other", "hosts = \"other.test\""),
            ("rest", "mount = \"/x\""),
        ] {
            config.apps.push(app(name, settings));
        }
        let disabled = [app("off", "hosts = \"off.test\"")];
        let near = |name: &str, settings: &str| {
            let places = config.places_near(&app(name, settings), &disabled);
            let mut names: Vec<_> = places.apps.into_values().collect();
            names.sort();
            names
        };
        assert_eq!(near("new", "hosts = \"pay.shop.test\""), ["shop"]);
        let several = "hosts = [\"*.test\", \"off.test\"]";
        assert_eq!(near("new", several), ["off", "other", "shop"]);
        assert_eq!(near("new", "mount = \"/x\""), ["rest"]);
        // Nobody is in the way of what takes its own place.
        assert!(near("other", "hosts = \"other.test\"").is_empty());
    }

    #[test]
    fn two_tenants_are_lent_no_directory_that_one_writes_to() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("below")).unwrap();
        let lent = |name: &str, below: &str, end: &str, tenant: &str| {
            let path = home.path().join(below);
            let dir = format!(
                "dir = \"{}:/x{end}\"\ntenant = \"{tenant}\"",
                path.display()
            );
            let mut plan = app(name, &format!("hosts = \"{name}.test\"\n{dir}"));
            let looked = plan.look(Path::new("rhost.toml"));
            looked.unwrap_or_else(|problems| panic!("{}", told(&problems)));
            plan
        };
        let mut places = Places::default();
        places.take(&lent("shop", "", "", "acme"));
        assert!(places.check(&lent("new", "below", ":ro", "other")).is_err());
        assert!(places.check(&lent("new", "below", "", "acme")).is_ok());
        let mut places = Places::default();
        places.take(&lent("shop", "below", ":ro", "acme"));
        assert!(places.check(&lent("new", "", ":ro", "other")).is_ok());
        assert!(places.check(&lent("new", "", "", "other")).is_err());
    }

    #[test]
    fn hosts_are_near_if_one_is_above_the_other() {
        for (one, other, is_near) in [
            ("a.test", "a.test", true),
            ("a.test", "b.test", false),
            ("*.a.test", "b.a.test", true),
            ("*.test", "*.a.test", true),
            ("*.a.test", "a.test", true),
            ("a.test", "b.a.test", true),
            ("*.a.test", "ba.test", false),
            ("0.2.1", "192.0.2.1", false),
        ] {
            let [one, other]: [[Host; 1]; 2] = [one, other].map(|host| [host.parse().unwrap()]);
            let met = (
                Near::of(&one).met_by(&other[0]),
                Near::of(&other).met_by(&one[0]),
            );
            assert_eq!(met.0, is_near.then_some(&one[0]), "{one:?} {other:?}");
            assert_eq!(met.1, is_near.then_some(&other[0]), "{one:?} {other:?}");
        }
    }

    /// With the hosts of two apps, and not with their product.
    #[test]
    fn hosts_are_looked_up_and_not_compared() {
        const HOSTS: usize = 10_000;
        let plan = |name: &str| {
            let mut plan = app(name, "");
            let hosts = (0..HOSTS).map(|number| format!("{name}-{number}.of.test"));
            plan.hosts = hosts.map(|host| host.parse().unwrap()).collect();
            plan
        };
        let (one, mut other) = (plan("one"), plan("other"));
        let near = Near::of(&one.hosts);
        assert!(!near.may_meet(&other, &one));
        let looks = near.looks.get();
        assert!((HOSTS..=4 * HOSTS).contains(&looks), "{looks}");
        other.hosts.push("below.one-9999.of.test".parse().unwrap());
        assert!(near.may_meet(&other, &one));
        other.hosts.pop();
        other.hosts.push("*.test".parse().unwrap());
        assert!(near.may_meet(&other, &one));
    }
}
