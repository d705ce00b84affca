//! The file's apps and the deployed ones as one configuration.

use crate::config::{AppPlan, Config, Found, Origin, Places, told};
use crate::deployment::DeployError;
use crate::store::{Chosen, Components, Damaged, Listed};
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
}

/// The plan of a deployed app; or why there is none, and whose it is if that is known.
pub(super) type Plan = Result<AppPlan, (String, Option<String>)>;

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
        components: &Components,
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
                Err(Damaged(why)) => Err((why, None)),
                Ok(_) if names.contains(&name) => {
                    Err(("the file has an app of this name".to_owned(), None))
                }
                Ok(chosen) => match plans.remove(&name) {
                    Some((number, plan)) if number == chosen.version.number => plan,
                    _ => planned(&whole.config, &name, &chosen, components).map(|plan| AppPlan {
                        found: before
                            .plan(&name)
                            .map_or_else(Found::default, |app| app.found.clone()),
                        ..plan
                    }),
                }
                .map(|plan| (plan, chosen.is_enabled)),
            };
            let (why, tenant) = match plan {
                Ok((plan, is_enabled)) => match places.check(&plan) {
                    Ok(()) => {
                        places.take(&plan);
                        match is_enabled {
                            true => whole.config.apps.push(plan),
                            false => whole.disabled.push(plan),
                        }
                        continue;
                    }
                    Err(taken) => (taken.text, plan.tenant),
                },
                Err(fault) => fault,
            };
            whole.fault(name, why, tenant);
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
                    self.fault(plan.name, error.why, plan.tenant);
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

    fn fault(&mut self, name: String, why: String, tenant: Option<String>) {
        tracing::error!("app `{name}` is deployed and cannot be served: {why}");
        self.faults.insert(name, Fault { why, tenant });
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
    let mut plan = plan.map_err(|problems| (told(&problems), None))?;
    plan.component = components.path(&version.component);
    plan.digest = Some(version.component);
    Ok(plan)
}
