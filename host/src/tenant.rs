//! Apps, and the way of a request into one.

use crate::admission::Turnstile;
use crate::app_log::AppLog;
use crate::body::{self, Body};
use crate::capabilities::Lent;
use crate::environ::{Gathered, MountedPath, Peer};
use crate::failure::Cause;
use crate::guest::Guest;
use crate::input::Input;
use crate::load::Loaded;
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
    pub fn new(loaded: &Loaded, settings: &AppSettings, log: &Sink) -> wasmtime::Result<Self> {
        let limits = settings.limits.clone();
        let log = Arc::new(AppLog::new(&settings.name, log.clone(), limits.log_rate));
        let lent = Arc::new(Lent::new(settings, log.clone()));
        let program = Program::new(&loaded.component, loaded.class, lent, limits.clone())?;
        Ok(App {
            log,
            mount: settings.mount.clone(),
            turnstile: Arc::new(Turnstile::new(&limits, program.capacity())),
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
        Site { app: Arc::new(app), access_log, body_timeout: timeouts.body }
    }

    /// Answers one request that came over `peer`.
    pub async fn answer(&self, peer: Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let trail = Trail::begin(&head, &peer, self.access_log.as_ref());
        let app = &self.app;
        if MountedPath::split(&head.uri, &app.mount).is_none() {
            return body::refuse(Cause::NotMounted, &app.log, trail);
        }
        if announced_length(&head.headers).is_some_and(|length| length > app.limits.request_body) {
            return body::refuse(Cause::RequestTooLarge(app.limits.request_body), &app.log, trail);
        }
        let place = match app.turnstile.enter().await {
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
                // The last thing that a sandbox gives back.
                let _place = place;
                app.run(&head, &peer, input, outlet, cpu, request).await
            }
        });
        let guest = Guest::new(running, outlet, cpu, trail.start(), app.limits.wall);
        body::answer(guest, method, app.log.clone(), trail).await
    }
}

impl App {
    async fn run(
        &self,
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
        self.program.handle(environ, input, outlet, cpu, request).await
    }
}

/// Content-Length, which the connection has checked.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
