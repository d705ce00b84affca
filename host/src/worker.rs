//! Threads that serve connections, one for each core.
//!
//! A connection stays with the thread that it was given to, so that a request is
//! answered without waking another core, and in memory that the last sandbox on
//! this one left warm. The price: a guest that keeps its thread busy is not moved
//! to one that is idle.

use crate::connection::Protocol;
use crate::drain::Drain;
use crate::environ::Peer;
use crate::settings::Timeouts;
use crate::socket::{Accepted, Socket};
use crate::tenant::Site;
use crate::tls::{Tls, Transport};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Tasks after which a thread looks at its sockets again. A guest may keep the
/// thread for a tick at a time; tokio's own 61 ticks would be long for whoever
/// has just sent a request. A request takes two: its sandbox, then its answer.
const EVENT_INTERVAL: u32 = 32;

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request that was in flight was answered.
    Whole,
    /// Some were cut when the grace period was over.
    Cut,
}

/// The threads of one listener. Dropping them, or [`Workers::drain`], tells each
/// that nothing more comes; it then lets its requests finish, and ends.
pub struct Workers(Vec<Worker>);

struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    /// How many it has, those on their way to it included.
    load: Arc<AtomicUsize>,
    ended: oneshot::Receiver<Drained>,
}

impl Workers {
    /// Starts `count` threads that serve `site`, under `tls` if there is any.
    pub fn start(
        count: usize,
        site: &Arc<Site>,
        tls: Option<&Arc<Tls>>,
        timeouts: &Timeouts,
    ) -> io::Result<Self> {
        let start = |number| Worker::start(number, site.clone(), tls.cloned(), timeouts.clone());
        (0..count.max(1))
            .map(start)
            .collect::<io::Result<_>>()
            .map(Workers)
    }

    /// Gives a connection to the thread that has the fewest.
    pub fn serve(&self, stream: Accepted) {
        let least = self
            .0
            .iter()
            .min_by_key(|worker| worker.load.load(Ordering::Relaxed));
        let worker = least.expect("there is at least one");
        worker.load.fetch_add(1, Ordering::Relaxed);
        // It ends only when this is dropped.
        let _ = worker.connections.send(stream);
    }

    /// Waits until all have let their requests finish, or cut them.
    pub async fn drain(self) -> Drained {
        let mut drained = Drained::Whole;
        let ended: Vec<_> = self.0.into_iter().map(|worker| worker.ended).collect();
        for ended in ended {
            if ended.await != Ok(Drained::Whole) {
                drained = Drained::Cut;
            }
        }
        drained
    }
}

impl Worker {
    fn start(
        number: usize,
        site: Arc<Site>,
        tls: Option<Arc<Tls>>,
        timeouts: Timeouts,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .event_interval(EVENT_INTERVAL)
            .enable_all()
            .build()?;
        let (connections, arriving) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name(format!("rhost-worker-{number}"))
            .spawn({
                let load = load.clone();
                move || {
                    let drained =
                        runtime.block_on(serve(number, arriving, load, site, tls, timeouts));
                    // What was cut is dropped with its tasks, guests included.
                    runtime.shutdown_background();
                    let _ = end.send(drained);
                }
            })?;
        Ok(Worker {
            connections,
            load,
            ended,
        })
    }
}

/// One connection of a thread, until it is dropped.
struct Load(Arc<AtomicUsize>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(
    lane: usize,
    mut arriving: mpsc::UnboundedReceiver<Accepted>,
    load: Arc<AtomicUsize>,
    site: Arc<Site>,
    tls: Option<Arc<Tls>>,
    timeouts: Timeouts,
) -> Drained {
    let protocol = Arc::new(Protocol::new(&timeouts, site.head_limits()));
    let connections = Drain::default();
    let mut tasks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = arriving.recv() => stream,
            Some(_) = tasks.join_next() => continue,
        };
        let Some(stream) = stream else { break };
        let load = Load(load.clone());
        let (protocol, site, member) = (protocol.clone(), site.clone(), connections.member());
        let tls = tls.clone();
        tasks.spawn(async move {
            let _load = load;
            // It can fail only for want of file descriptors, of which the
            // connection has one already; or when the client has left.
            let Ok((transport, peer)) = begin(stream, tls.as_deref()).await else {
                return;
            };
            protocol.serve(transport, peer, site, lane, member).await;
        });
    }
    let drained = tokio::time::timeout(timeouts.grace, connections.begin()).await;
    tasks.shutdown().await;
    if drained.is_ok() {
        Drained::Whole
    } else {
        Drained::Cut
    }
}

/// A connection as far as HTTP: who is at its ends, and the handshake of TLS. A
/// Unix socket has none, since nobody listens on the way.
async fn begin(accepted: Accepted, tls: Option<&Tls>) -> io::Result<(Transport, Peer)> {
    let socket = accepted.into_socket()?;
    let peer = match &socket {
        Socket::Tcp(stream) => Peer::new(stream.peer_addr()?, stream.local_addr()?),
        Socket::Unix(_) => return Ok((Transport::Plain(socket), Peer::unix())),
    };
    let Some(tls) = tls else {
        return Ok((Transport::Plain(socket), peer));
    };
    match tls.accept(socket).await {
        Ok((transport, facts)) => Ok((transport, peer.under_tls(facts))),
        Err(error) => {
            // Scanners, and browsers that do not trust it, are everyday affairs.
            tracing::debug!("handshake with {} failed: {error}", peer.remote_addr);
            Err(error)
        }
    }
}
