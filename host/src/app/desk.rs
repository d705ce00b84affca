//! What an app has on one lane. A request counts itself in here and nowhere else,
//! so that the count stays in the cache of the core that serves it.

use crate::app_log::AppLog;
use crate::capabilities::Lent;
use crate::commons::Room;
use crate::environ::{Gathered, MountedPath, Peer};
use crate::failure::Cause;
use crate::input::Input;
use crate::meter::CpuMeter;
use crate::output::Outlet;
use crate::request_id::RequestId;
use crate::sandbox::{Linked, Program};
use crate::settings::AppSettings;
use crate::trace_context::TraceContext;
use http::request::Parts;
use std::sync::Arc;

/// One lane's part of an app that is loaded.
pub struct Desk {
    log: Arc<AppLog>,
    mount: String,
    program: Program,
}

impl Desk {
    /// The desk of an app with these `settings`, whose component is `linked` here. Its
    /// sandboxes take out of `room`.
    pub fn new(
        linked: &Arc<Linked>,
        settings: &AppSettings,
        log: &Arc<AppLog>,
        room: &Arc<Room>,
    ) -> Self {
        let lent = Arc::new(Lent::new(settings, log.clone(), room.clone()));
        Desk {
            program: Program::new(linked.clone(), lent, &settings.limits, settings.reuse),
            log: log.clone(),
            mount: settings.mount.clone(),
        }
    }

    /// The app's part of the log.
    pub fn log(&self) -> &Arc<AppLog> {
        &self.log
    }

    /// How many instances wait for another request.
    pub fn waiting(&self) -> usize {
        self.program.waiting()
    }

    /// Keeps no instance for another request from here on.
    pub fn retire(&self) {
        self.program.retire();
    }

    /// Lets a guest answer the request with this `head`.
    pub async fn run(
        &self,
        head: &Parts,
        peer: &Peer,
        (request, trace): (RequestId, &TraceContext),
        input: Input,
        outlet: Outlet,
        cpu: CpuMeter,
    ) -> Result<(), Cause> {
        let path = MountedPath::split(&head.uri, &self.mount).ok_or(Cause::NotMounted)?;
        let parent = trace.parent();
        let gathered = Gathered::from(head, peer).in_trace(parent.as_str(), trace.state());
        let once = self.program.runs_once();
        let environ = gathered.environ(head, peer, &path, request.as_str(), once);
        self.program
            .handle(environ, input, outlet, cpu, request)
            .await
    }
}
