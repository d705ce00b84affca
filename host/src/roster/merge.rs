//! The file's apps and the deployed ones as one configuration.

use crate::config::{AppPlan, Config, Found, Origin, Places, told};
use crate::deployment::DeployError;
use crate::store::{Chosen, Components, Damaged, Listed, Store};
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
    /// the `plans` is of the version that has its number; of what was deployed since they
    /// were made, `before` knows what was found.
    pub(super) fn of(
        file: Config,
        stored: Vec<Listed>,
        store: &Store,
        mut plans: HashMap<String, (u32, Plan)>,
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
            let plan = match chosen {
                Err(Damaged(why)) => Err((why, last_claim(&whole.config, &name, store))),
                Ok(_) if names.contains(&name) => {
                    Err(("the file has an app of this name".to_owned(), None))
                }
                Ok(chosen) => match plans.remove(&name) {
                    Some((number, plan)) if number == chosen.version.number => plan,
                    _ => planned(&whole.config, &name, &chosen, store.components()).map(|plan| {
                        AppPlan {
                            found: before
                                .plan(&name)
                                .map_or_else(Found::default, |app| app.found.clone()),
                            ..plan
                        }
                    }),
                }
                .map(|plan| (plan, chosen.is_enabled)),
            };
            let (why, claim) = match plan {
                Ok((plan, is_enabled)) => match places.check(&plan) {
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
            whole.fault(name, why, claim);
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
                    self.fault(plan.name.clone(), error.why, Some(Box::new(plan)));
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

    fn fault(&mut self, name: String, why: String, claim: Option<Box<AppPlan>>) {
        tracing::error!("app `{name}` is deployed and cannot be served: {why}");
        let claim = claim.map(|claim| *claim);
        let tenant = claim.as_ref().and_then(|claim| claim.tenant.clone());
        let fault = Fault { why, tenant, claim };
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
    let claim = || {
        config
            .claimed(name, version.number, &version.settings)
            .map(Box::new)
    };
    let mut plan = plan.map_err(|problems| (told(&problems), claim()))?;
    plan.component = components.path(&version.component);
    plan.digest = Some(version.component);
    Ok(plan)
}

/// The places that the last version had that can be read, of an app whose record cannot
/// be.
fn last_claim(config: &Config, name: &str, store: &Store) -> Option<Box<AppPlan>> {
    let versions = store.versions(name).ok()?;
    let last = versions.first()?;
    let claim = config.claimed(name, last.number, &last.settings);
    claim.map(Box::new)
}
