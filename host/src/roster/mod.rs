//! Who is served: the apps of the file, and beside them those that were deployed. One
//! change comes after the other, whether the file is applied again or somebody deploys.
//!
//! An app of the file goes before a deployed one that has its name or its place. A
//! deployed app that cannot be served is told of, and the others are served; it has a
//! fault until somebody deploys it again.

mod changes;
mod draft;
mod merge;
mod names;
mod pace;
mod quotas;
mod refused;
mod steward;
mod survey;
mod view;

pub use draft::draft;
pub use pace::Changing;
pub use refused::{Refused, Why};
pub use steward::Steward;
pub(crate) use steward::refused_by_disk;
pub use survey::{Survey, Surveyor};

use crate::app::App;
use crate::config::Config;
use crate::deployment::{Changes, DeployError, Deployment, Ready};
use crate::routing::Routes;
use crate::store::{Store, StoreError, Tokens};
use crate::tails::Tails;
use crate::tenant::Site;
use merge::Whole;
use std::path::PathBuf;
use std::sync::Arc;

/// All apps, and what changes them.
pub struct Roster {
    deployment: Deployment,
    /// What is served.
    whole: Whole,
    state: State,
    tails: Tails,
    /// None until requests are answered.
    site: Option<Arc<Site>>,
}

/// Where deployed apps are kept.
enum State {
    /// Nowhere: nothing is deployed.
    None,
    Open(Store),
    /// It is another process's for now.
    Left(PathBuf, Tokens),
}

/// Why there is nothing to be served.
#[derive(Debug)]
pub enum NotServed {
    /// Apps of the file cannot be.
    Apps(Vec<DeployError>),
    /// What was deployed cannot be read.
    Store(StoreError),
}

impl Roster {
    /// Of the file's apps and the store's. Lines that apps write are kept in `tails`.
    pub fn new(deployment: Deployment, file: Config, store: Option<Store>, tails: Tails) -> Self {
        Roster {
            deployment,
            whole: Whole::of_file(file),
            state: store.map_or(State::None, State::Open),
            tails,
            site: None,
        }
    }

    /// The file, and what is deployed beside it.
    pub fn config(&self) -> &Config {
        &self.whole.config
    }

    /// Whether apps can be deployed.
    pub fn has_state(&self) -> bool {
        !matches!(self.state, State::None)
    }

    /// Makes all apps ready, and returns where their requests go. `progress` is told
    /// what is under way.
    pub fn start<P>(
        &mut self,
        progress: impl Fn(String) -> P + Sync,
    ) -> Result<Routes<Arc<App>>, NotServed> {
        let surveyor = self.surveyor()?;
        let file = std::mem::replace(&mut self.whole, Whole::of_file(Config::of_no_file()));
        let (whole, ready) = self.prepare(surveyor.survey(file.config, progress))?;
        self.whole = whole;
        let (routes, _) = self.deployment.adopt(ready);
        Ok(routes)
    }

    /// Requests are answered by `site` from here on.
    pub fn serve_on(&mut self, site: &Arc<Site>) {
        self.site = Some(site.clone());
    }

    /// What looks at all that a file and what is deployed name of the host.
    pub fn surveyor(&self) -> Result<Surveyor, NotServed> {
        let (stored, components) = match &self.state {
            State::None => (Vec::new(), None),
            State::Open(store) => {
                let stored = store.apps().map_err(NotServed::Store)?;
                (stored, Some(store.components().clone()))
            }
            State::Left(path, _) => return Err(NotServed::Store(StoreError::Locked(path.clone()))),
        };
        Ok(Surveyor {
            gatherer: self.deployment.gatherer(),
            stored,
            components,
        })
    }

    /// Serves the apps of a file, and those that are deployed beside it as far as they
    /// then can be: all of it, or, if one of the file's cannot be, what was served.
    pub fn reload(&mut self, survey: Survey) -> Result<Changes, NotServed> {
        let (whole, ready) = self.prepare(survey)?;
        // A name that goes, or goes to somebody else, leaves no lines behind.
        let owners = whole.owners();
        for (name, owner) in self.whole.owners() {
            if owners.get(name) != Some(&owner) {
                self.tails.forget(name);
            }
        }
        self.whole = whole;
        Ok(self.adopt(ready))
    }

    /// Leaves the store to another process.
    pub fn leave(&mut self) {
        let state = std::mem::replace(&mut self.state, State::None);
        self.state = match state {
            State::Open(store) => State::Left(store.path().to_owned(), store.tokens().clone()),
            other => other,
        };
    }

    /// Takes the store back: the other process is gone.
    pub fn take_back(&mut self) -> Result<(), StoreError> {
        if let State::Left(path, tokens) = &self.state {
            let store = Store::open(path)?.with_tokens(tokens.clone());
            self.state = State::Open(store);
        }
        Ok(())
    }

    /// Makes ready what a file and the store say.
    fn prepare(&self, survey: Survey) -> Result<(Whole, Ready), NotServed> {
        let Survey {
            file,
            gathered,
            plans,
        } = survey;
        let mut whole = match &self.state {
            State::None => Whole::of_file(file),
            State::Open(store) => {
                let stored = store.apps().map_err(NotServed::Store)?;
                Whole::of(file, stored, store, plans, &self.whole)
            }
            State::Left(path, _) => return Err(NotServed::Store(StoreError::Locked(path.clone()))),
        };
        loop {
            let kept = whole.not_served();
            let made = self
                .deployment
                .assemble(&whole.config, kept, &gathered, None);
            let errors = match made {
                Ok(ready) => return Ok((whole, ready)),
                Err(errors) => errors,
            };
            let rest = whole.without(errors);
            if !rest.is_empty() {
                return Err(NotServed::Apps(rest));
            }
        }
    }

    fn adopt(&mut self, ready: Ready) -> Changes {
        let (routes, changes) = self.deployment.adopt(ready);
        if let Some(site) = &self.site {
            site.route(routes);
        }
        changes
    }
}
