//! Apps, and the way of a request into one.

use crate::admission::Turnstile;
use crate::app_log::AppLog;
use crate::body::{self, Body};
use crate::capabilities::Lent;
use crate::environ::{Gathered, MountedPath, Peer};
use crate::exhibit::{self, Exhibit};
use crate::failure::Cause;
use crate::guest::Guest;
use crate::input::Input;
use crate::load::{LoadError, Loaded};
use crate::log::Sink;
use crate::meter::CpuMeter;
use crate::output::Outlet;
use crate::request_id::RequestId;
use crate::sandbox::{self, Program};
use crate::settings::{AppSettings, Limits, Timeouts};
use crate::trail::Trail;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;

/// A deployed component with its settings.
pub struct App {
    mount: String,
    limits: Limits,
    turnstile: Turnstile,
    desks: Vec<Arc<Desk>>,
}

/// What an app has on one lane. A request counts itself in here and nowhere else,
/// so that the count stays in the cache of the core that serves it.
struct Desk {
    log: Arc<AppLog>,
    mount: String,
    program: Program,
}

impl App {
    /// An app from a component that has been loaded. What its guests print goes
    /// to `log`.
    pub fn new(loaded: &Loaded, settings: &AppSettings, log: &Sink) -> Result<Self, LoadError> {
        let limits = &settings.limits;
        if loaded.initial_memory > limits.memory {
            return Err(LoadError::Memory(loaded.initial_memory, limits.memory));
        }
        let mut log = AppLog::new(&settings.name, log.clone(), limits.log_rate);
        if settings.dev {
            log = log.with_recent();
        }
        let desks: Result<Vec<_>, _> = loaded
            .components
            .iter()
            .map(|component| {
                let log = Arc::new(log.clone());
                let lent = Arc::new(Lent::new(settings, log.clone()));
                let program = Program::new(component, lent, limits)
                    .map_err(|error| LoadError::Types(format!("{error:#}")))?;
                Ok(Arc::new(Desk {
                    log,
                    mount: settings.mount.clone(),
                    program,
                }))
            })
            .collect();
        Ok(App {
            mount: settings.mount.clone(),
            limits: limits.clone(),
            turnstile: Turnstile::new(
                limits,
                loaded.components.len(),
                sandbox::capacity(&loaded.components, loaded.class),
            ),
            desks: desks?,
        })
    }

    /// How many of its requests can run at a time.
    pub fn places(&self) -> usize {
        self.turnstile.places()
    }
}

/// Where requests are sent to their apps.
pub struct Site {
    app: App,
    access_log: Option<Sink>,
    body_timeout: Duration,
}

impl Site {
    /// A site of one app.
    pub fn new(app: App, timeouts: &Timeouts, access_log: Option<Sink>) -> Self {
        Site {
            app,
            access_log,
            body_timeout: timeouts.body,
        }
    }

    /// Answers one request that came over `peer`, on `lane` if it has a place.
    pub async fn answer(
        &self,
        lane: usize,
        peer: &Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let mut trail = Trail::begin(&head, peer, self.access_log.as_ref());
        let App {
            mount,
            limits,
            turnstile,
            desks,
        } = &self.app;
        if let Some(lines) = desks[0].log.recent()
            && exhibit::is_local(peer, &head)
        {
            trail.keep(Exhibit::of(&head, peer, mount, lines));
        }
        let refuse = |cause, trail| body::refuse(cause, &desks[lane % desks.len()].log, trail);
        if MountedPath::split(&head.uri, mount).is_none() {
            return refuse(Cause::NotMounted, trail);
        }
        if announced_length(&head.headers).is_some_and(|length| length > limits.request_body) {
            return refuse(Cause::RequestTooLarge(limits.request_body), trail);
        }
        let place = match turnstile.enter(lane).await {
            Ok(place) => place,
            Err(cause) => return refuse(cause, trail),
        };

        let desk = &desks[place.lane()];
        let method = head.method.clone();
        let input = Input::new(incoming, limits.request_body, self.body_timeout);
        let outlet = Outlet::new(limits.response_body);
        let cpu = CpuMeter::new(limits.cpu);
        let running = Box::pin({
            let (desk, peer) = (desk.clone(), peer.clone());
            let (outlet, cpu) = (outlet.clone(), cpu.clone());
            let request = trail.request();
            async move {
                // The place is the last thing that a sandbox gives back.
                let _place = place;
                desk.run(&head, &peer, input, outlet, cpu, request).await
            }
        });
        let guest = Guest::new(running, outlet, cpu, trail.start(), limits.wall);
        body::answer(guest, method, desk.log.clone(), trail).await
    }
}

impl Desk {
    async fn run(
        &self,
        head: &Parts,
        peer: &Peer,
        input: Input,
        outlet: Outlet,
        cpu: CpuMeter,
        request: RequestId,
    ) -> Result<(), Cause> {
        let path = MountedPath::split(&head.uri, &self.mount).ok_or(Cause::NotMounted)?;
        let gathered = Gathered::from(head, peer);
        let environ = gathered.environ(head, peer, &path, request.as_str());
        self.program
            .handle(environ, input, outlet, cpu, request)
            .await
    }
}

/// Content-Length, which the connection has checked.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
