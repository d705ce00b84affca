//! A configuration and all that it names of the host, before it is served. To read that
//! may take long, so it is done beside the roster and not under its lock.

use super::merge::{Plan, planned};
use crate::config::{Config, told};
use crate::deployment::{Gathered, Gatherer};
use crate::store::{Components, Listed, Version};
use std::collections::HashMap;

/// What is to be looked at beside a file, and what looks.
pub struct Surveyor {
    pub(super) gatherer: Gatherer,
    /// What is deployed.
    pub(super) stored: Vec<Listed>,
    /// Where its components are; none where nothing is deployed.
    pub(super) components: Option<Components>,
}

/// A file, and what was found.
pub struct Survey {
    pub(super) file: Config,
    pub(super) gathered: Gathered,
    /// Deployed apps by their names: which version was looked at, and its plan.
    pub(super) plans: HashMap<String, (Version, Plan)>,
}

impl Surveyor {
    /// Looks at all that `file`, and what is deployed beside it, name. `progress` is told
    /// what is under way.
    pub fn survey<P>(self, file: Config, progress: impl Fn(String) -> P + Sync) -> Survey {
        let gathered = self.gatherer.gather(&file, progress);
        let mut plans = HashMap::new();
        if let Some(components) = &self.components {
            for (name, chosen) in self.stored {
                let Ok(chosen) = chosen else { continue };
                let mut plan = planned(&file, &name, &chosen, components);
                if let Ok(made) = &mut plan
                    && let Err(problems) = made.look(&file.path)
                {
                    plan = Err((told(&problems), Some(Box::new(made.clone()))));
                }
                plans.insert(name, (chosen.version, plan));
            }
        }
        Survey {
            file,
            gathered,
            plans,
        }
    }
}
