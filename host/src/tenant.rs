//! Apps, and the way of a request into one.

use crate::admission::Turnstile;
use crate::app_log::AppLog;
use crate::body::{self, Body};
use crate::capabilities::Lent;
use crate::environ::{Gathered, MountedPath, Peer};
use crate::failure::Cause;
use crate::guest::Guest;
use crate::input::Input;
use crate::load::{LoadError, Loaded};
use crate::log::Sink;
use crate::meter::CpuMeter;
use crate::output::Outlet;
use crate::sandbox::Program;
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
    log: Arc<AppLog>,
    mount: String,
    limits: Limits,
    program: Program,
    turnstile: Arc<Turnstile>,
}

impl App {
    /// An app from a component that has been loaded. What its guests print goes
    /// to `log`.
    pub fn new(loaded: &Loaded, settings: &AppSettings, log: &Sink) -> Result<Self, LoadError> {
        let limits = settings.limits.clone();
        if loaded.initial_memory > limits.memory {
            return Err(LoadError::Memory(loaded.initial_memory, limits.memory));
        }
        let log = Arc::new(AppLog::new(&settings.name, log.clone(), limits.log_rate));
        let lent = Arc::new(Lent::new(settings, log.clone()));
        let program = Program::new(&loaded.components, loaded.class, lent, limits.clone())
            .map_err(|error| LoadError::Types(format!("{error:#}")))?;
        let (lanes, capacity) = program.capacity();
        Ok(App {
            log,
            mount: settings.mount.clone(),
            turnstile: Arc::new(Turnstile::new(&limits, lanes, capacity)),
            limits,
            program,
        })
    }
}

/// Where requests are sent to their apps.
pub struct Site {
    app: Arc<App>,
    access_log: Option<Sink>,
    body_timeout: Duration,
}

impl Site {
    /// A site of one app.
    pub fn new(app: App, timeouts: &Timeouts, access_log: Option<Sink>) -> Self {
        Site {
            app: Arc::new(app),
            access_log,
            body_timeout: timeouts.body,
        }
    }

    /// Answers one request that came over `peer`, on `lane` if it has a place.
    pub async fn answer(
        &self,
        lane: usize,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let trail = Trail::begin(&head, &peer, self.access_log.as_ref());
        let app = &self.app;
        if MountedPath::split(&head.uri, &app.mount).is_none() {
            return body::refuse(Cause::NotMounted, &app.log, trail);
        }
        if announced_length(&head.headers).is_some_and(|length| length > app.limits.request_body) {
            return body::refuse(
                Cause::RequestTooLarge(app.limits.request_body),
                &app.log,
                trail,
            );
        }
        let place = match app.turnstile.enter(lane).await {
            Ok(place) => place,
            Err(cause) => return body::refuse(cause, &app.log, trail),
        };

        let method = head.method.clone();
        let input = Input::new(incoming, app.limits.request_body, self.body_timeout);
        let outlet = Outlet::new(app.limits.response_body);
        let cpu = CpuMeter::new(app.limits.cpu);
        let running = Box::pin({
            let (app, outlet, cpu) = (app.clone(), outlet.clone(), cpu.clone());
            let request = trail.request();
            async move {
                // The place is the last thing that a sandbox gives back.
                app.run(place.lane(), &head, &peer, input, outlet, cpu, request)
                    .await
            }
        });
        let guest = Guest::new(running, outlet, cpu, trail.start(), app.limits.wall);
        body::answer(guest, method, app.log.clone(), trail).await
    }
}

impl App {
    #[expect(
        clippy::too_many_arguments,
        reason = "all that a request has, brought together once"
    )]
    async fn run(
        &self,
        lane: usize,
        head: &Parts,
        peer: &Peer,
        input: Input,
        outlet: Outlet,
        cpu: CpuMeter,
        request: crate::request_id::RequestId,
    ) -> Result<(), Cause> {
        let path = MountedPath::split(&head.uri, &self.mount).ok_or(Cause::NotMounted)?;
        let gathered = Gathered::from(head, peer);
        let environ = gathered.environ(head, peer, &path, request.as_str());
        self.program
            .handle(lane, environ, input, outlet, cpu, request)
            .await
    }
}

/// Content-Length, which the connection has checked.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
