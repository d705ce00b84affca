//! `rhost check`: wsgiref's validator for components. An app is looked at, then
//! served as it always is, and asked for what a client may ask; what it does is
//! held against the rules of the gateway and of HTTP.
//!
//! [`component`] has what shows before anything runs. `requests` has what is
//! asked, in a `session` that sends it by `client` and waits for what the
//! `collector` hears from the host. `violations`, `answers` and
//! `comparisons` hold that against [`rules`], which fills [`findings`], and
//! [`report`] tells them.

mod answers;
mod ask;
mod client;
mod collector;
mod comparisons;
pub mod component;
pub mod findings;
mod outgoing;
pub mod report;
mod requests;
pub mod rules;
mod session;
mod violations;

pub use collector::Collector;
pub use session::Exchange;

use crate::app::App;
use crate::listener::{self, Listener};
use crate::log::Sink;
use crate::settings::{ConnectionLimits, Limits, Listening, Timeouts};
use crate::socket::Address;
use crate::tenant::Site;
use client::Client;
use findings::Findings;
use session::Session;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What is to be asked.
#[derive(Debug)]
pub struct Plan {
    /// Where the app is mounted: empty, or `/x`.
    pub mount: String,
    /// Paths below the mount, each of which is asked for with every method.
    pub paths: Vec<String>,
    /// How long an answer is read that does not end.
    pub wait: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was asked and answered.
    pub exchanges: Vec<Exchange>,
    /// Requests that were left out, since those before took all their time.
    pub skipped: usize,
    /// What was found, and what had been found before.
    pub findings: Findings,
}

/// Serves `app`, of which `collector` is told and whose limits are `limits`, on a
/// port of the system's choice, and asks for what is in `plan`. What the host has
/// to say goes to `log`. Fails for want of a socket or a thread.
pub async fn run(
    app: App,
    collector: Arc<Collector>,
    limits: &Limits,
    plan: &Plan,
    log: &Sink,
    findings: Findings,
) -> io::Result<Outcome> {
    let timeouts = Timeouts::default();
    let site = Arc::new(Site::new(Some(app), &timeouts, log, None));
    let app = site.app().expect("it was just put there");
    let any = Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = Listener::bind(&any, &Listening::default())?;
    let &Address::Tcp(addr) = listener.address() else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    // One thread, so that what it does for one request is done before the next.
    let connections = ConnectionLimits::default();
    let serving = listener::serve(
        vec![listener],
        site,
        None,
        timeouts,
        connections,
        1,
        shutdown,
    );
    let asking = async {
        let patience = limits.wall + limits.queue_timeout + Duration::from_secs(10);
        let wait = plan.wait;
        let client = Client {
            addr,
            patience,
            wait,
        };
        let mut session = Session::new(client, app, collector, findings);
        for path in &plan.paths {
            requests::for_path(&mut session, &format!("{}{path}", plan.mount)).await;
        }
        requests::for_app(&mut session, &plan.mount).await;
        drop(stop);
        session
    };
    let (served, session) = tokio::join!(serving, asking);
    served?;
    Ok(Outcome {
        exchanges: session.exchanges,
        skipped: session.skipped,
        findings: session.findings,
    })
}
