//! What the server says of its own state.

use crate::tenant::Site;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether requests should be sent here. Clones are of the same server.
#[derive(Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Default)]
struct State {
    /// None until connections are accepted.
    site: OnceLock<Arc<Site>>,
    is_draining: AtomicBool,
}

impl Health {
    /// Connections are accepted, for `site`.
    pub fn serving(&self, site: &Arc<Site>) {
        // There is one site in a process.
        let _ = self.0.site.set(site.clone());
    }

    /// The server was told to stop.
    pub fn draining(&self) {
        self.0.is_draining.store(true, Ordering::Release);
    }

    /// Fails with the reason for which no request should be sent here.
    pub fn ready(&self) -> Result<(), &'static str> {
        let State { site, is_draining } = &*self.0;
        if is_draining.load(Ordering::Acquire) {
            return Err("it was told to stop");
        }
        match site.get() {
            None => Err("it is starting"),
            Some(site) if !site.is_built() => Err("no app is built yet"),
            Some(_) => Ok(()),
        }
    }
}
