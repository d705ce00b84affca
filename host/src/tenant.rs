//! The way of a request into an app.

use crate::access_log::AccessLog;
use crate::app::{App, Entered};
use crate::app_log::AppLog;
use crate::body::{self, Body};
use crate::development::{self, Exhibit, Live, Reload, Visit};
use crate::environ::{MountedPath, Peer};
use crate::failure::{self, Cause};
use crate::gate::Refusal;
use crate::guest::Guest;
use crate::input::Input;
use crate::log::Sink;
use crate::meter::CpuMeter;
use crate::output::Outlet;
use crate::proxy::Proxies;
use crate::receipt;
use crate::routing::Routes;
use crate::served::Served;
use crate::settings::{HeadLimits, Timeouts};
use crate::spans::Spans;
use crate::trail::Trail;
use arc_swap::ArcSwap;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Where requests are sent to their apps.
pub struct Site {
    served: ArcSwap<Served<App>>,
    /// Of what concerns no app.
    own_log: Arc<AppLog>,
    access_log: Option<AccessLog>,
    spans: Option<Spans>,
    body_timeout: Duration,
    head_limits: HeadLimits,
    /// None if nobody is one.
    proxies: Option<Arc<Proxies>>,
    /// Reloads a developer's pages when the app has been replaced.
    reload: Option<Reload>,
    upkeep: Option<fn()>,
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
            spans: None,
            body_timeout: timeouts.body,
            head_limits: HeadLimits::default(),
            proxies: None,
            reload: None,
            upkeep: None,
        }
    }

    /// Returns the same site, whose threads each call `upkeep` every few seconds: an allocator
    /// gives memory that a burst has left back to the system only when it is called.
    pub fn with_upkeep(self, upkeep: fn()) -> Self {
        Site {
            upkeep: Some(upkeep),
            ..self
        }
    }

    /// Returns what its threads call every few seconds.
    pub fn upkeep(&self) -> Option<fn()> {
        self.upkeep
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

    /// The same site, and what it answers is recorded as `spans` says.
    pub fn recorded(self, spans: Option<Spans>) -> Self {
        Site { spans, ..self }
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

    /// The trail of a request that `peer` asks for.
    fn begin(&self, head: &Parts, peer: &Arc<Peer>) -> Trail {
        Trail::begin(head, peer, self.access_log.as_ref(), self.spans.as_ref())
    }

    /// Answers a request that came over `peer` and did not pass the gate.
    pub fn refuse(&self, peer: &Arc<Peer>, head: &Parts, refusal: Refusal) -> Response<Body> {
        let peer = peer.asking(&head.uri, &head.headers);
        let trail = self.begin(head, &peer);
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
            return body::page(page, Trail::begin(&head, peer, None, None));
        }
        let visit = reload.visit(&head);
        let response = match (&visit, reload.broken()) {
            (Some(_), Some(page)) => body::page(page, self.begin(&head, peer)),
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
        let mut trail = self.begin(&head, peer);
        let (app, tenant) = match self.served.load().find(&head, peer) {
            Ok(found) => found,
            Err(cause) => return body::refuse(cause, &self.own_log, trail),
        };
        trail.of_app(app.log(lane), app.ledger(), lane);
        if let Some(subject) = app.subject()
            && development::is_local(peer, &head)
        {
            trail.keep(Exhibit::of(&head, peer, subject));
        }
        let limits = app.limits();
        let refuse = |cause, trail| body::refuse(cause, app.log(lane), trail);
        if MountedPath::split(&head.uri, &app.settings().mount).is_none() {
            return refuse(Cause::NotMounted, trail);
        }
        if announced_length(&head.headers).is_some_and(|length| length > limits.request_body) {
            return refuse(Cause::RequestTooLarge(limits.request_body), trail);
        }
        let entering = async {
            let share = match &tenant {
                None => None,
                Some(tenant) => tenant.enter(lane).await?,
            };
            let accounts = tenant.as_ref().map(|tenant| tenant.accounts());
            Ok((share, app.enter(lane, accounts).await?))
        };
        let (entered, queue) = receipt::waited(entering).await;
        trail.queued(queue);
        let (share, entered) = match entered {
            Ok(entered) => entered,
            Err(cause) => return refuse(cause, trail),
        };
        let Entered {
            desk,
            places,
            accounts,
        } = entered;

        let method = head.method.clone();
        let input = Input::new(incoming, limits.request_body, self.body_timeout);
        let outlet = Outlet::new(limits.response_body);
        let cpu = CpuMeter::new(limits.cpu, accounts);
        trail.runs(&cpu);
        let running = Box::pin({
            let (desk, peer) = (desk.clone(), peer.clone());
            let (outlet, cpu) = (outlet.clone(), cpu.clone());
            let (request, trace) = (trail.request(), trail.trace().clone());
            async move {
                // The place is the last thing that a sandbox gives back.
                let _places = (places, share);
                cpu.begin().await;
                desk.run(&head, &peer, (request, &trace), input, outlet, cpu)
                    .await
            }
        });
        let guest = Guest::new(running, outlet, cpu, trail.start(), limits.wall);
        body::answer(guest, method, desk.log().clone(), trail).await
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

/// Content-Length, which the connection has checked.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
