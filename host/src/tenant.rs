//! Apps, and the way of a request into one.

use crate::access_log::AccessLog;
use crate::admission::Turnstile;
use crate::app_log::AppLog;
use crate::body::{self, Body};
use crate::capabilities::Lent;
use crate::development::{self, Exhibit, Live, Reload, Subject, Visit};
use crate::environ::{Gathered, MountedPath, Peer};
use crate::failure::{self, Cause};
use crate::gate::Refusal;
use crate::guest::Guest;
use crate::input::Input;
use crate::ledger::{AppName, Ledger};
use crate::load::{LoadError, Loaded};
use crate::log::Sink;
use crate::meter::CpuMeter;
use crate::observer::Observer;
use crate::output::Outlet;
use crate::proxy::Proxies;
use crate::receipt;
use crate::request_id::RequestId;
use crate::routing::Routes;
use crate::sandbox::{self, Program};
use crate::served::Served;
use crate::settings::{AppSettings, HeadLimits, Limits, Timeouts};
use crate::trace_context::TraceContext;
use crate::trail::Trail;
use arc_swap::ArcSwap;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A deployed component with its settings.
pub struct App {
    mount: String,
    limits: Limits,
    turnstile: Arc<Turnstile>,
    ledger: Arc<Ledger>,
    desks: Vec<Arc<Desk>>,
    /// What a developer is shown of it (`--dev`).
    subject: Option<Arc<Subject>>,
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
    ///
    /// It takes the place of `last`, if there is one: while requests of both run,
    /// they share the places that one app has.
    pub fn new(
        loaded: &Loaded,
        settings: &AppSettings,
        log: &Sink,
        last: Option<&App>,
    ) -> Result<Self, LoadError> {
        let log = AppLog::new(&settings.name, log.clone(), settings.limits.log_rate);
        App::with_log(loaded, settings, log, last)
    }

    /// The same for the first, and `observer` is told what it does against the
    /// rules.
    pub fn observed(
        loaded: &Loaded,
        settings: &AppSettings,
        log: &Sink,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, LoadError> {
        let log = AppLog::new(&settings.name, log.clone(), settings.limits.log_rate);
        App::with_log(loaded, settings, log.observed(observer), None)
    }

    fn with_log(
        loaded: &Loaded,
        settings: &AppSettings,
        mut log: AppLog,
        last: Option<&App>,
    ) -> Result<Self, LoadError> {
        let limits = &settings.limits;
        if loaded.initial_memory > limits.memory {
            return Err(LoadError::Memory(loaded.initial_memory, limits.memory));
        }
        if settings.dev {
            log = log.with_recent();
        }
        let subject = log.recent().map(|lines| {
            Arc::new(Subject {
                mount: settings.mount.clone(),
                lines: lines.clone(),
                source: settings.source.clone(),
                run_once: !settings.reuse.is_on(),
            })
        });
        let desks: Result<Vec<_>, _> = loaded
            .components
            .iter()
            .map(|component| {
                let log = Arc::new(log.clone());
                let lent = Arc::new(Lent::new(settings, log.clone()));
                let program = Program::new(component, lent, limits, settings.reuse)
                    .map_err(|error| LoadError::Types(format!("{error:#}")))?;
                Ok(Arc::new(Desk {
                    log,
                    mount: settings.mount.clone(),
                    program,
                }))
            })
            .collect();
        let capacity = sandbox::capacity(&loaded.components, loaded.class);
        let turnstile = Turnstile::new(limits, loaded.components.len(), capacity);
        let same = last.filter(|last| last.places() == turnstile.places());
        let turnstile = same.map_or_else(|| Arc::new(turnstile), |last| last.turnstile.clone());
        let name = AppName::of(settings);
        let ledger = match last.map(|last| &last.ledger) {
            Some(ledger) if *ledger.name() == name => ledger.clone(),
            _ => Ledger::new(name, loaded.components.len()),
        };
        ledger.follow(&turnstile);
        Ok(App {
            mount: settings.mount.clone(),
            limits: limits.clone(),
            turnstile,
            ledger,
            desks: desks?,
            subject,
        })
    }

    /// How many of its requests can run at a time.
    pub fn places(&self) -> usize {
        self.turnstile.places()
    }

    /// How many of its requests run now.
    pub fn running(&self) -> usize {
        self.turnstile.taken()
    }

    /// How many of its requests wait for a place.
    pub fn queued(&self) -> usize {
        self.turnstile.waiting()
    }

    /// How many of its instances wait for another request.
    pub fn waiting(&self) -> usize {
        let waiting = |desk: &Arc<Desk>| desk.program.waiting();
        self.desks.iter().map(waiting).sum()
    }

    /// Drops the instances that wait, and keeps none from here on. Requests that
    /// still come are served, each by an instance of its own.
    pub fn retire(&self) {
        self.desks.iter().for_each(|desk| desk.program.retire());
    }
}

/// Where requests are sent to their apps.
pub struct Site {
    served: ArcSwap<Served<App>>,
    /// Of what concerns no app.
    own_log: Arc<AppLog>,
    access_log: Option<AccessLog>,
    body_timeout: Duration,
    head_limits: HeadLimits,
    /// None if nobody is one.
    proxies: Option<Arc<Proxies>>,
    /// Reloads a developer's pages when the app has been replaced.
    reload: Option<Reload>,
}

impl Site {
    /// A site of one app, or of one that is still to come. What the host itself
    /// has to say about requests goes to `log`.
    pub fn new(
        app: Option<App>,
        timeouts: &Timeouts,
        log: &Sink,
        access_log: Option<AccessLog>,
    ) -> Self {
        Site {
            served: ArcSwap::from_pointee(Served::one(app)),
            own_log: Arc::new(AppLog::new("rhost", log.clone(), u64::MAX)),
            access_log,
            body_timeout: timeouts.body,
            head_limits: HeadLimits::default(),
            proxies: None,
            reload: None,
        }
    }

    /// The same site, for requests with heads within `limits`.
    pub fn with_head_limits(self, limits: HeadLimits) -> Self {
        Site {
            head_limits: limits,
            ..self
        }
    }

    /// How large the head of a request may be.
    pub fn head_limits(&self) -> HeadLimits {
        self.head_limits
    }

    /// The same site behind `proxies`.
    pub fn behind(self, proxies: Proxies) -> Self {
        let are_there = proxies.protocol || !proxies.trusted.is_empty();
        Site {
            proxies: are_there.then(|| Arc::new(proxies)),
            ..self
        }
    }

    /// The proxies in front of it, if there are any.
    pub fn proxies(&self) -> Option<&Arc<Proxies>> {
        self.proxies.as_ref()
    }

    /// The same site, and the pages of its app load themselves again in the
    /// browser of whoever develops it.
    pub fn reloading(self, live: Live) -> Self {
        Site {
            reload: Some(Reload::new(live)),
            ..self
        }
    }

    /// The app as it is now, of a site of one.
    pub fn app(&self) -> Option<Arc<App>> {
        match &**self.served.load() {
            Served::One(app) => Some(app.clone()),
            _ => None,
        }
    }

    /// Whether there is something to be served.
    pub fn is_built(&self) -> bool {
        !matches!(&**self.served.load(), Served::Nothing)
    }

    /// Puts `app` in the place of the one that is there. Requests that have
    /// begun are finished by the app that began them.
    pub fn replace(&self, app: App) {
        self.serve(Served::one(Some(app)));
    }

    /// Serves what `routes` lead to from here on, all at once; otherwise the same.
    pub fn route(&self, routes: Routes<Arc<App>>) {
        self.serve(Served::Many(routes));
    }

    fn serve(&self, next: Served<App>) {
        let next = Arc::new(next);
        let last = self.served.swap(next.clone());
        let stays: HashSet<*const App> = next.apps().map(Arc::as_ptr).collect();
        let gone = last.apps().filter(|app| !stays.contains(&Arc::as_ptr(app)));
        gone.for_each(|app| app.retire());
    }

    /// There is no future for what is kept from one request for another.
    pub fn retire(&self) {
        self.served.load().apps().for_each(|app| app.retire());
    }

    /// Answers a request that came over `peer` and did not pass the gate.
    pub fn refuse(&self, peer: &Arc<Peer>, head: &Parts, refusal: Refusal) -> Response<Body> {
        let peer = peer.asking(&head.uri, &head.headers);
        let trail = Trail::begin(head, &peer, self.access_log.as_ref());
        body::page(failure::refused(refusal, trail.request().as_str()), trail)
    }

    /// Answers one request that came over `peer`, on `lane` if it has a place.
    pub async fn answer(
        &self,
        lane: usize,
        peer: &Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let asking = peer.asking(request.uri(), request.headers());
        let peer = &*asking;
        let Some(reload) = &self.reload else {
            return self.answer_app(lane, peer, request).await;
        };
        let (head, incoming) = request.into_parts();
        if !development::is_local(peer, &head) {
            return self
                .answer_app(lane, peer, Request::from_parts(head, incoming))
                .await;
        }
        if let Some(page) = reload.answer(&head).await {
            return body::page(page, Trail::begin(&head, peer, None));
        }
        let visit = reload.visit(&head);
        let response = match (&visit, reload.broken()) {
            (Some(_), Some(page)) => {
                body::page(page, Trail::begin(&head, peer, self.access_log.as_ref()))
            }
            _ => {
                self.answer_app(lane, peer, Request::from_parts(head, incoming))
                    .await
            }
        };
        match visit {
            Some(visit) => followed(response, &visit),
            None => response,
        }
    }

    async fn answer_app(
        &self,
        lane: usize,
        peer: &Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let mut trail = Trail::begin(&head, peer, self.access_log.as_ref());
        let (app, tenant) = match self.served.load().find(&head, peer) {
            Ok(found) => found,
            Err(cause) => return body::refuse(cause, &self.own_log, trail),
        };
        let log = &app.desks[lane % app.desks.len()].log;
        trail.of_app(log, app.ledger.sheet(lane));
        if let Some(subject) = &app.subject
            && development::is_local(peer, &head)
        {
            trail.keep(Exhibit::of(&head, peer, subject));
        }
        let App {
            mount,
            limits,
            turnstile,
            desks,
            ..
        } = &*app;
        let refuse = |cause, trail| body::refuse(cause, &desks[lane % desks.len()].log, trail);
        if MountedPath::split(&head.uri, mount).is_none() {
            return refuse(Cause::NotMounted, trail);
        }
        if announced_length(&head.headers).is_some_and(|length| length > limits.request_body) {
            return refuse(Cause::RequestTooLarge(limits.request_body), trail);
        }
        let entering = async {
            let share = match tenant {
                None => None,
                Some(tenant) => tenant.enter(lane).await?,
            };
            Ok((share, turnstile.enter(lane).await?))
        };
        let (entered, queue) = receipt::waited(entering).await;
        trail.queued(queue);
        let (share, place) = match entered {
            Ok(places) => places,
            Err(cause) => return refuse(cause, trail),
        };

        let desk = &desks[place.lane()];
        let method = head.method.clone();
        let input = Input::new(incoming, limits.request_body, self.body_timeout);
        let outlet = Outlet::new(limits.response_body);
        let cpu = CpuMeter::new(limits.cpu);
        trail.runs(&cpu);
        let running = Box::pin({
            let (desk, peer) = (desk.clone(), peer.clone());
            let (outlet, cpu) = (outlet.clone(), cpu.clone());
            let (request, trace) = (trail.request(), trail.trace().clone());
            async move {
                // The place is the last thing that a sandbox gives back.
                let _places = (place, share);
                desk.run(&head, &peer, (request, &trace), input, outlet, cpu)
                    .await
            }
        });
        let guest = Guest::new(running, outlet, cpu, trail.start(), limits.wall);
        body::answer(guest, method, desk.log.clone(), trail).await
    }
}

/// A page, and after it the script that loads it again.
fn followed(response: Response<Body>, visit: &Visit) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let body = match visit.follow(head.status, &mut head.headers) {
        Some(script) => body.followed_by(script),
        None => body,
    };
    Response::from_parts(head, body)
}

impl Desk {
    async fn run(
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

/// Content-Length, which the connection has checked.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
