//! The file's apps and the deployed ones as one configuration.

use crate::config::{AppPlan, Config, Found, Origin, Places, told};
use crate::deployment::DeployError;
use crate::store::{Chosen, Components, Damaged, Listed, Store, Version};
use std::collections::{BTreeMap, HashMap, HashSet};

/// All apps that there are.
pub(super) struct Whole {
    /// Those that are served.
    pub(super) config: Config,
    /// Those that are deployed and not to be served. They keep their places.
    pub(super) disabled: Vec<AppPlan>,
    /// Those that are deployed and cannot be served, and why.
    pub(super) faults: BTreeMap<String, Fault>,
}

/// Why a deployed app is not served.
pub(super) struct Fault {
    pub(super) why: String,
    /// Whose it is, if so much is known.
    pub(super) tenant: Option<String>,
    /// The places that are kept for it, if so much is known.
    pub(super) claim: Option<AppPlan>,
    /// Whether it is to be served once it can be.
    pub(super) is_enabled: bool,
}

/// The plan of a deployed app; or why it is not served, and the places that are kept for
/// it if they are known.
pub(super) type Plan = Result<AppPlan, (String, Option<Box<AppPlan>>)>;

/// How to have things again as they were.
pub(super) struct Undo {
    name: String,
    plan: Option<AppPlan>,
}

impl Whole {
    pub(super) fn of_file(config: Config) -> Self {
        Whole {
            config,
            disabled: Vec::new(),
            faults: BTreeMap::new(),
        }
    }

    /// Those of the file, and of `stored` those that can be served beside them. Each of
    /// the `plans` is of the version beside it; of what was deployed since they were made,
    /// `before` knows what was found.
    pub(super) fn of(
        file: Config,
        stored: Vec<Listed>,
        store: &Store,
        mut plans: HashMap<String, (Version, Plan)>,
        before: &Whole,
    ) -> Self {
        let mut whole = Whole::of_file(file);
        let names: HashSet<String> = whole
            .config
            .apps
            .iter()
            .map(|app| app.name.clone())
            .collect();
        let mut places = Places::of(&whole.config.apps);
        for (name, chosen) in stored {
            let is_enabled = match &chosen {
                Ok(chosen) => chosen.is_enabled,
                Err(damaged) => damaged.is_enabled,
            };
            let plan = match chosen {
                Err(Damaged { why, .. }) => Err((why, last_claim(&whole.config, &name, store))),
                // What it has stays its own until the file has no app of its name.
                Ok(chosen) if names.contains(&name) => {
                    let why = "the file has an app of this name".to_owned();
                    Err((why, claim_of(&whole.config, &name, &chosen.version)))
                }
                Ok(chosen) => match plans.remove(&name) {
                    // Of one that was deleted meanwhile another may have the number.
                    Some((version, plan)) if version == chosen.version => plan,
                    _ => planned(&whole.config, &name, &chosen, store.components()).map(|plan| {
                        AppPlan {
                            found: before
                                .plan(&name)
                                .map_or_else(Found::default, |app| app.found.clone()),
                            ..plan
                        }
                    }),
                },
            };
            let (why, claim) = match plan {
                Ok(plan) => match places.check(&plan) {
                    Ok(()) => {
                        places.take(&plan);
                        match is_enabled {
                            true => whole.config.apps.push(plan),
                            false => whole.disabled.push(plan),
                        }
                        continue;
                    }
                    Err(taken) => (taken.text, Some(Box::new(plan))),
                },
                Err(fault) => fault,
            };
            whole.fault(name, why, claim, is_enabled);
        }
        whole
    }

    /// Takes out the deployed apps that cannot be served for these errors, and returns
    /// the errors of others.
    pub(super) fn without(&mut self, errors: Vec<DeployError>) -> Vec<DeployError> {
        let mut rest = Vec::new();
        for error in errors {
            let apps = &mut self.config.apps;
            let deployed = |app: &AppPlan| app.name == error.app && app.origin != Origin::File;
            match apps.iter().position(deployed) {
                Some(at) => {
                    let plan = apps.remove(at);
                    // None that is disabled is among those that are served.
                    self.fault(plan.name.clone(), error.why, Some(Box::new(plan)), true);
                }
                None => rest.push(error),
            }
        }
        rest
    }

    /// Puts `plan` in the place of the app called `name`, or takes that out.
    pub(super) fn exchange(&mut self, name: &str, plan: Option<AppPlan>) -> Undo {
        let apps = &mut self.config.apps;
        let at = apps.iter().position(|app| app.name == name);
        let before = match (at, plan) {
            (Some(at), Some(plan)) => Some(std::mem::replace(&mut apps[at], plan)),
            (Some(at), None) => Some(apps.remove(at)),
            (None, Some(plan)) => {
                apps.push(plan);
                None
            }
            (None, None) => None,
        };
        Undo {
            name: name.to_owned(),
            plan: before,
        }
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        self.exchange(&undo.name, undo.plan);
    }

    /// The app called `name` as it was planned, served or not.
    pub(super) fn plan(&self, name: &str) -> Option<&AppPlan> {
        let mut all = self.config.apps.iter().chain(&self.disabled);
        all.find(|app| app.name == name)
    }

    /// Whose lines are kept for the app called `name`: those of what is served by that
    /// name, or was last. None if there is no such app.
    pub(super) fn owner(&self, name: &str) -> Option<Option<&str>> {
        let fault = || Some(self.faults.get(name)?.tenant.as_deref());
        match self.plan(name) {
            Some(plan) => Some(plan.tenant.as_deref()),
            None => fault(),
        }
    }

    /// The same of all apps, by their names.
    pub(super) fn owners(&self) -> HashMap<&str, Option<&str>> {
        let faults = self.faults.iter();
        let faults = faults.map(|(name, fault)| (name.as_str(), fault.tenant.as_deref()));
        let plans = self.config.apps.iter().chain(&self.disabled);
        let plans = plans.map(|app| (app.name.as_str(), app.tenant.as_deref()));
        // Of two that have a name the plan counts.
        faults.chain(plans).collect()
    }

    /// The deployed apps that are not served, whose places are kept for them.
    pub(super) fn not_served(&self) -> impl Iterator<Item = &AppPlan> {
        let claims = self
            .faults
            .values()
            .filter_map(|fault| fault.claim.as_ref());
        self.disabled.iter().chain(claims)
    }

    /// The places of the app called `name`, served or not.
    pub(super) fn claim(&self, name: &str) -> Option<&AppPlan> {
        let fault = || self.faults.get(name)?.claim.as_ref();
        // Of one with a fault the file may have another of its name.
        fault().or_else(|| self.plan(name))
    }

    fn fault(&mut self, name: String, why: String, claim: Option<Box<AppPlan>>, is_enabled: bool) {
        tracing::error!("app `{name}` is deployed and cannot be served: {why}");
        let claim = claim.map(|claim| *claim);
        let tenant = claim.as_ref().and_then(|claim| claim.tenant.clone());
        let fault = Fault {
            why,
            tenant,
            claim,
            is_enabled,
        };
        self.faults.insert(name, fault);
    }
}

/// The plan of a deployed app, or why there is none and whose it is. What it names is
/// not looked at.
pub(super) fn planned(
    config: &Config,
    name: &str,
    chosen: &Chosen,
    components: &Components,
) -> Plan {
    let version = &chosen.version;
    let plan = config.deployed(name, version.number, &version.settings);
    let claim = || claim_of(config, name, version);
    let mut plan = plan.map_err(|problems| (told(&problems), claim()))?;
    plan.component = components.path(&version.component);
    plan.digest = Some(version.component);
    Ok(plan)
}

/// The places that the last version had that can be read, of an app whose record cannot
/// be.
fn last_claim(config: &Config, name: &str, store: &Store) -> Option<Box<AppPlan>> {
    let versions = store.versions(name).ok()?;
    claim_of(config, name, versions.first()?)
}

/// The places of an app with the settings of `version`; none if they cannot be read.
fn claim_of(config: &Config, name: &str, version: &Version) -> Option<Box<AppPlan>> {
    let claim = config.claimed(name, version.number, &version.settings);
    claim.map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Uploaded;

    /// A store in a directory.
    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("state")).unwrap();
        (home, store)
    }

    fn deploy(store: &Store, name: &str, settings: &str) -> Version {
        let mut upload = store.components().upload().unwrap();
        upload.write(b"component").unwrap();
        let uploaded: Uploaded = upload.finish();
        let (digest, octets) = (uploaded.digest, uploaded.octets);
        store.put(uploaded).unwrap();
        store.deploy(name, digest, octets, settings, 10).unwrap()
    }

    fn config(apps: &[(&str, &str)]) -> Config {
        let mut config = Config::of_no_file();
        for name in ["acme", "other"] {
            config.tenants.insert(name.into(), Default::default());
        }
        for (name, settings) in apps {
            let app = config.deployed(name, 0, settings);
            let app = app.unwrap_or_else(|problems| panic!("{}", told(&problems)));
            let origin = Origin::File;
            config.apps.push(AppPlan { origin, ..app });
        }
        config
    }

    fn whole(config: Config, store: &Store, plans: HashMap<String, (Version, Plan)>) -> Whole {
        let before = Whole::of_file(Config::of_no_file());
        Whole::of(config, store.apps().unwrap(), store, plans, &before)
    }

    /// The plans of all that is deployed, as somebody looked at them.
    fn looked(store: &Store) -> HashMap<String, (Version, Plan)> {
        let mut plans = HashMap::new();
        for (name, chosen) in store.apps().unwrap() {
            let chosen = chosen.unwrap();
            let plan = planned(&config(&[]), &name, &chosen, store.components());
            plans.insert(name, (chosen.version, plan));
        }
        plans
    }

    #[test]
    fn what_was_looked_at_is_not_what_was_deployed_since() {
        let (_home, store) = store();
        deploy(&store, "shop", "hosts = \"shop.test\"\ntenant = \"acme\"");
        let plans = looked(&store);
        store.delete("shop").unwrap();
        let version = deploy(&store, "shop", "hosts = \"new.test\"\ntenant = \"other\"");
        assert_eq!(version.number, 1);
        let whole = whole(config(&[]), &store, plans);
        let plan = whole.plan("shop").unwrap();
        assert_eq!(plan.tenant.as_deref(), Some("other"));
        assert_eq!(plan.hosts[0].to_string(), "new.test");
    }

    #[test]
    fn a_fault_keeps_whose_the_app_is_its_places_and_whether_it_is_enabled() {
        let (_home, store) = store();
        for name in ["name", "host", "wrong", "on"] {
            let settings = format!("hosts = \"{name}.test\"\ntenant = \"acme\"");
            deploy(&store, name, &settings);
        }
        deploy(&store, "wrong", "hosts = \"wrong.test\"\ntenant = \"gone\"");
        for name in ["name", "host", "wrong"] {
            store.enable(name, false).unwrap();
        }
        let file = config(&[
            ("name", "hosts = \"else.test\"\ntenant = \"other\""),
            ("file", "hosts = \"host.test\"\ntenant = \"other\""),
            ("more", "hosts = \"on.test\"\ntenant = \"other\""),
        ]);
        let whole = whole(file, &store, looked(&store));
        assert_eq!(whole.faults.len(), 4);
        for (name, fault) in &whole.faults {
            let tenant = if name == "wrong" { "gone" } else { "acme" };
            assert_eq!(fault.tenant.as_deref(), Some(tenant), "{name}");
            let claim = fault.claim.as_ref().unwrap();
            assert_eq!(claim.hosts[0].to_string(), format!("{name}.test"));
            assert_eq!(fault.is_enabled, name == "on", "{name}");
        }
        // Lines are those of what is served.
        assert_eq!(whole.owner("name"), Some(Some("other")));
        assert_eq!(whole.owners()["name"], Some("other"));
        assert_eq!(whole.owner("host"), Some(Some("acme")));
        assert_eq!(whole.owner("none"), None);
    }
}
