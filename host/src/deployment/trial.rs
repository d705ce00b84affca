//! An app that is not to be served yet: whether it could be.

use crate::compiled::Cache;
use crate::compiler::Compiler;
use crate::config::AppPlan;
use crate::load::{LoadError, Loader};
use crate::log::Sink;
use crate::sandbox::Engines;
use crate::settings::AppSettings;
use crate::tenant::App;
use std::sync::Arc;

/// Tries apps, beside what is served. What it compiles is kept, so that it need not be
/// compiled again to be served.
pub struct Trial {
    engines: Arc<Engines>,
    compiler: Compiler,
    cache: Option<Cache>,
    log: Sink,
}

impl Trial {
    /// One with the same means as the deployment.
    pub fn new(
        engines: Arc<Engines>,
        compiler: Compiler,
        cache: Option<Cache>,
        log: &Sink,
    ) -> Self {
        Trial {
            engines,
            compiler,
            cache,
            log: log.clone(),
        }
    }

    /// Compiles the component in `file`, and makes of it the app that `plan` says, as
    /// it would be served. Nothing of it runs.
    pub fn run(&self, plan: &AppPlan, file: &[u8]) -> Result<(), LoadError> {
        let loader = Loader {
            engines: &self.engines,
            compiler: &self.compiler,
            cache: self.cache.as_ref(),
        };
        let loaded = loader.load(file, || ())?;
        // It is not to say anything of what will be said when it is served.
        let settings = AppSettings {
            dev: false,
            ..plan.settings.clone()
        };
        App::new(&loaded, &settings, &self.log, None).map(drop)
    }
}
