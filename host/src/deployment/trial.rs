//! An app that is not to be served yet: whether it could be.

use crate::app::App;
use crate::commons::{Commons, Room, Sizes};
use crate::compiler::Payer;
use crate::components::{Component, Components};
use crate::config::AppPlan;
use crate::digest::Digest;
use crate::load::LoadError;
use crate::log::Sink;
use crate::settings::AppSettings;
use std::sync::Arc;

/// Tries apps, beside what is served. What it compiles is kept, so that it need not be
/// compiled again to be served.
pub struct Trial {
    components: Arc<Components>,
    log: Sink,
    /// Nobody's, as nothing of it runs.
    room: Arc<Room>,
}

impl Trial {
    /// One with the same components as the deployment.
    pub fn new(components: Arc<Components>, log: &Sink) -> Self {
        let nothing = Sizes {
            memory: 0,
            files: 0,
        };
        Trial {
            components,
            log: log.clone(),
            room: Commons::new(nothing).room(),
        }
    }

    /// What compiles, and where it is kept.
    pub fn components(&self) -> &Arc<Components> {
        &self.components
    }

    /// Compiles the component in `file` when it is the turn of `payer`, and makes of it
    /// the app that `plan` says, as it would be served. Nothing of it runs. As long as
    /// what is returned is there, the component is not compiled again.
    pub fn run(
        &self,
        plan: &AppPlan,
        file: &[u8],
        payer: &Payer,
    ) -> Result<Arc<Component>, LoadError> {
        let digest = Digest::of(file);
        let component = self.components.load(digest, file, payer, || ())?;
        // It is not to say anything of what will be said when it is served.
        let settings = AppSettings {
            dev: false,
            ..plan.settings.clone()
        };
        App::new(&component.loaded, &settings, &self.log, &self.room, None)?;
        Ok(component)
    }
}
