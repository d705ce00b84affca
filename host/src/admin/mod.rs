//! The admin listener: whoever looks after the server asks here how it is, on
//! another address than the app's clients.
//!
//! It has a thread and a runtime of its own, so that guests that keep the others
//! busy do not silence it. It listens on Unix sockets, which belong to one user, and on
//! this machine only; the [`api`], by which apps are deployed, wants a token over TCP.

mod answer;
pub mod api;
mod health;
mod lobby;
mod own_host;
mod pace;
mod pages;
mod places;

pub use answer::Answer;
pub use api::Api;
pub use health::Health;
pub use pages::Pages;

use crate::listener::{Handed, Listener};
use crate::settings::Listening;
use crate::socket::{Accepted, Address};
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lobby::{Lobby, Visit};
use pace::Paced;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Connections at a time of which nobody knows whose they are. For another, the one that
/// has been here longest is closed.
const UNKNOWN: usize = 128;
/// How long the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is sent to it.
const UNTAKEN: Duration = Duration::from_secs(30);
/// How long those that are there when it ends may take.
const GRACE: Duration = Duration::from_secs(1);

/// An admin listener that has not begun to serve.
pub struct Admin {
    runtime: Runtime,
    listener: Listener,
}

/// An admin listener that serves until this is dropped.
pub struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Binds `address`; a Unix socket is for this user alone.
    pub fn bind(address: &Address) -> io::Result<Self> {
        Admin::with(|| Listener::bind(address, &Listening::default()))
    }

    /// A socket that another process has bound.
    pub fn adopt(handed: Handed) -> io::Result<Self> {
        Admin::with(|| Listener::adopt(handed))
    }

    fn with(listener: impl FnOnce() -> io::Result<Listener>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // A socket belongs to the runtime in which it begins to listen.
        let listener = {
            let _within = runtime.enter();
            listener()?
        };
        Ok(Admin { runtime, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        self.listener.address()
    }

    /// The same socket once more, for another process.
    pub fn hand(&self) -> io::Result<Handed> {
        self.listener.hand()
    }

    /// Serves `pages`.
    pub fn serve(self, pages: Pages) -> io::Result<Serving> {
        let (stop, stopped) = oneshot::channel();
        let Admin { runtime, listener } = self;
        let thread = std::thread::Builder::new()
            .name("rhost-admin".into())
            .spawn(move || {
                runtime.block_on(serve(listener, Arc::new(pages), stopped));
                // What is being compiled is not waited for: it was not acknowledged.
                runtime.shutdown_background();
            })?;
        Ok(Serving {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: Listener, pages: Arc<Pages>, mut stopped: oneshot::Receiver<()>) {
    let (lobby, mut connections) = (Lobby::new(UNKNOWN), JoinSet::new());
    loop {
        let (accepted, _) = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
        };
        let (pages, visit) = (pages.clone(), lobby.enter());
        let number = visit.number();
        let task = connections.spawn(async move {
            let _ = converse(accepted, &pages, &visit).await;
        });
        lobby.closes(number, task);
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

/// One request, and its answer. A client that asks again connects again, and so
/// finds whoever listens by then.
async fn converse(accepted: Accepted, pages: &Pages, visit: &Visit) -> io::Result<()> {
    let is_local = matches!(accepted, Accepted::Unix(_));
    let socket = Paced::new(accepted.into_socket()?, UNTAKEN);
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(pages.ask(request, is_local, visit).await)
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service)
        .await
        .map_err(io::Error::other)
}
