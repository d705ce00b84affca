//! An app that is not to be served yet: whether it could be.

use crate::app::App;
use crate::commons::{Commons, Room, Sizes};
use crate::compiled::{Pin, Reason};
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

/// An app that can be served. As long as this is there, its component is not compiled again.
pub struct Tried {
    _component: Arc<Component>,
    _pin: Option<Arc<Pin>>,
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

    /// Compiles the component with that `digest`, whose file `read` returns, when it is the
    /// turn of `payer`; and makes of it the app that `plan` says, as it would be served.
    /// Nothing of it runs.
    pub fn run<E: From<LoadError>>(
        &self,
        plan: &AppPlan,
        digest: Digest,
        payer: &Payer,
        read: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Tried, E> {
        // Before there is code: it is to stay until the app has it.
        let pin = self
            .components
            .pin(digest, Reason::deployed(plan.tenant.as_deref()));
        let component = self.components.load(digest, payer, read, || ())?;
        // It is not to say anything of what will be said when it is served.
        let settings = AppSettings {
            dev: false,
            ..plan.settings.clone()
        };
        App::new(&component.loaded, &settings, &self.log, &self.room, None)?;
        Ok(Tried {
            _component: component,
            _pin: pin,
        })
    }
}
