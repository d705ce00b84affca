//! Apps that are not in the file but deployed beside it: the same keys, the same
//! errors, and the same that does not go together.

use super::app::{self, AppPlan, Origin};
use super::document::Document;
use super::problem::{Problem, Problems};
use super::{Config, Level, value};
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

impl Config {
    /// The app called `name` of which `settings`, in TOML, has the keys, but for the
    /// component. Paths are taken from the file's directory. What they lead to is not
    /// looked at ([`AppPlan::look`]): first it has to be known who may name it.
    ///
    /// Fails with all that is wrong with the text.
    pub fn deployed(
        &self,
        name: &str,
        version: u32,
        settings: &str,
    ) -> Result<AppPlan, Vec<Problem>> {
        let mut problems = Problems::of_text(&self.path, settings);
        if let Err(expected) = value::name(name) {
            problems.error(None, format!("apps.{name}"), expected);
            return Err(problems.all());
        }
        let document = Document::parse(&self.path, settings, &mut problems);
        let table = document.root();
        if table.has("component") {
            let text = "it is what is uploaded; leave it out";
            problems.error(None, format!("apps.{name}.component"), text);
        }
        let (base, tenants) = (&self.base, &self.tenants);
        let mut plan = app::one(name.to_owned(), 1, &table, base, tenants, &mut problems);
        plan.origin = Origin::Deployed(version);
        problems.warnings_or_all()?;
        Ok(plan)
    }

    /// The places of all apps, and of these `others`, that could be in the way of `plan`;
    /// but for the one whose place it takes. Of tens of thousands there are few.
    pub fn places_near(&self, plan: &AppPlan, others: &[AppPlan]) -> Places {
        let apps = self.apps.iter().chain(others);
        Places::of(apps.filter(|app| app.name != plan.name && may_meet(app, plan)))
    }
}

/// Whether two apps could be in each other's way.
fn may_meet(one: &AppPlan, other: &AppPlan) -> bool {
    let hosts = || one.hosts.iter();
    one.hosts.is_empty() && other.hosts.is_empty()
        || hosts().any(|host| other.hosts.iter().any(|other| host.meets(other)))
        || !one.settings.dirs.is_empty() && !other.settings.dirs.is_empty()
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

    /// A host of `app` that is below another tenant's wildcard, or the other way round,
    /// and the other's app.
    pub fn overlapped<'a>(&'a self, app: &'a AppPlan) -> Option<(&'a Host, &'a str)> {
        app.hosts.iter().find_map(|host| {
            let found = self.owners.iter().find(|(other, (tenant, _))| {
                let overlaps = |other: &Host| other != host && other.meets(host);
                *tenant != app.tenant && other.as_ref().is_some_and(overlaps)
            });
            found.map(|(_, (_, name))| (host, name.as_str()))
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

/// What is wrong, without the file, which whoever deploys does not see.
pub fn told(problems: &[Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|problem| problem.level == Level::Error);
    let errors: Vec<String> = errors
        .map(|problem| match problem.key.is_empty() {
            true => problem.text.clone(),
            false => format!("{}: {}", problem.key, problem.text),
        })
        .collect();
    errors.join("; and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let mut config = Config::of_no_file();
        for name in ["acme", "other"] {
            let settings = crate::settings::TenantSettings::default();
            let plan = crate::config::TenantPlan {
                line: 1,
                given: Vec::new(),
                settings,
            };
            config.tenants.insert(name.into(), plan);
        }
        config
    }

    fn app(name: &str, settings: &str) -> AppPlan {
        let found = looked(name, settings);
        found.unwrap_or_else(|problems| panic!("{}", told(&problems)))
    }

    fn looked(name: &str, settings: &str) -> Result<AppPlan, Vec<Problem>> {
        let mut plan = config().deployed(name, 1, settings)?;
        plan.look(Path::new(""))?;
        Ok(plan)
    }

    #[test]
    fn keys_and_errors_are_those_of_the_file() {
        let plan = app(
            "shop",
            "hosts = [\"Shop.test\"]\nmount = \"/a/\"\ncpu = \"2s\"\n",
        );
        assert_eq!(plan.hosts[0].to_string(), "shop.test");
        assert_eq!(
            (&*plan.settings.mount, plan.settings.limits.cpu.as_secs()),
            ("/a", 2)
        );
        for (settings, says) in [
            ("cpu = 2", "apps.shop.cpu: a number has no unit"),
            ("memroy = \"1MiB\"", "did you mean `memory`?"),
            (
                "component = \"a.wasm\"",
                "apps.shop.component: it is what is uploaded",
            ),
            ("tenant = \"acne\"", "did you mean `acme`?"),
            ("dir = \"nowhere:/x\"", "nowhere: no such file or directory"),
            (
                "secrets = { A = { env = \"RHOST_NOT_SET\" } }",
                "is not set",
            ),
            ("a = [", "not TOML"),
        ] {
            let said = told(&looked("shop", settings).unwrap_err());
            assert!(said.contains(says) && !said.contains('\n'), "{said}");
        }
        assert!(told(&config().deployed("a/b", 1, "").unwrap_err()).contains("expected a name"));
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
        let overlaps = |settings: &str| places.overlapped(&app("new", settings)).is_some();
        assert!(overlaps("hosts = \"pay.shop.test\"\ntenant = \"other\""));
        assert!(overlaps("hosts = \"*.test\"\ntenant = \"other\""));
        assert!(!overlaps("hosts = \"pay.shop.test\"\ntenant = \"acme\""));
        assert!(!overlaps(
            "hosts = [\"shop.test\", \"myshop.test\"]\ntenant = \"other\""
        ));
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
            app(name, &format!("hosts = \"{name}.test\"\n{dir}"))
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
}
