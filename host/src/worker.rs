//! Threads that serve connections, one for each core.
//!
//! A connection stays with the thread that it was given to, so that a request is
//! answered without waking another core, and in memory that the last sandbox on
//! this one left warm. Only a guest that would wait for its turn there goes to a thread
//! that has nothing to do.

use crate::connection::{self, Protocol};
use crate::drain::Drain;
use crate::handshake;
use crate::quota::Permit;
use crate::settings::{ConnectionLimits, Timeouts};
use crate::socket::Accepted;
use crate::tenant::Site;
use crate::tls::Tls;
use crate::turn::{self, Thread, Visit};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Barrier, mpsc, oneshot};
use tokio::task::JoinSet;

/// Tasks after which a thread looks at its sockets again. A guest may keep the
/// thread for a tick at a time; tokio's own 61 ticks would be long for whoever
/// has just sent a request. A request takes two: its sandbox, then its answer.
const EVENT_INTERVAL: u32 = 32;

/// How often a thread does its upkeep.
const UPKEEP: Duration = Duration::from_secs(2);

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
    connections: mpsc::UnboundedSender<(Accepted, Permit)>,
    /// How many it has, those on their way to it included.
    load: Arc<AtomicUsize>,
    thread: Thread,
    ended: oneshot::Receiver<Drained>,
}

impl Workers {
    /// Starts `count` threads that serve `site`, under `tls` if there is any.
    pub fn start(
        count: usize,
        site: &Arc<Site>,
        tls: Option<&Arc<Tls>>,
        timeouts: &Timeouts,
        limits: &ConnectionLimits,
    ) -> io::Result<Self> {
        let crew = turn::crew(count);
        let all = Arc::new(Barrier::new(crew.len()));
        let start = |thread| {
            let (site, tls) = (site.clone(), tls.cloned());
            let all = all.clone();
            Worker::start(thread, all, site, tls, timeouts.clone(), limits.clone())
        };
        let workers = crew.into_iter().map(start);
        workers.collect::<io::Result<_>>().map(Workers)
    }

    /// Gives a connection to the thread that has the fewest. A guest that runs on counts
    /// as one more.
    pub fn serve(&self, stream: Accepted, permit: Permit) {
        let least = self.0.iter().min_by_key(|worker| {
            let load = worker.load.load(Ordering::Relaxed);
            load + worker.thread.running_on()
        });
        let worker = least.expect("there is at least one");
        worker.load.fetch_add(1, Ordering::Relaxed);
        // It ends only when this is dropped.
        let _ = worker.connections.send((stream, permit));
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
    /// Starts `thread`, which stays for its guests on others until `all` have ended.
    fn start(
        thread: Thread,
        all: Arc<Barrier>,
        site: Arc<Site>,
        tls: Option<Arc<Tls>>,
        timeouts: Timeouts,
        limits: ConnectionLimits,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .event_interval(EVENT_INTERVAL)
            .on_thread_park(turn::sleep)
            .on_thread_unpark(turn::wake)
            .enable_all()
            .build()?;
        let (connections, arriving) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let (end, ended) = oneshot::channel();
        let (visits, grace) = (thread.visits(), timeouts.grace);
        std::thread::Builder::new()
            .name(format!("rhost-worker-{}", thread.number()))
            .spawn({
                let (load, thread) = (load.clone(), thread.clone());
                move || {
                    let lane = thread.number();
                    turn::serve_as(thread);
                    let protocol = Protocol::new(&timeouts, limits, site.head_limits());
                    runtime.spawn(receive(visits));
                    if let Some(upkeep) = site.upkeep() {
                        runtime.spawn(keep_up(upkeep));
                    }
                    let serving = serve(lane, arriving, load, site, tls, protocol, timeouts);
                    let drained = runtime.block_on(async {
                        let drained = serving.await;
                        // Guests of others may be here, or wait for what they began here.
                        let _ = tokio::time::timeout(grace, all.wait()).await;
                        drained
                    });
                    // What was cut is dropped with its tasks, guests included.
                    runtime.shutdown_background();
                    let _ = end.send(drained);
                }
            })?;
        Ok(Worker {
            connections,
            load,
            thread,
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

/// Lets guests of other threads run on this one.
async fn receive(visits: Option<mpsc::UnboundedReceiver<Visit>>) {
    let Some(mut visits) = visits else { return };
    while let Some(visit) = visits.recv().await {
        tokio::spawn(visit);
    }
}

/// Calls `upkeep` every few seconds, for as long as the thread serves.
async fn keep_up(upkeep: fn()) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        upkeep();
    }
}

async fn serve(
    lane: usize,
    mut arriving: mpsc::UnboundedReceiver<(Accepted, Permit)>,
    load: Arc<AtomicUsize>,
    site: Arc<Site>,
    tls: Option<Arc<Tls>>,
    protocol: Protocol,
    timeouts: Timeouts,
) -> Drained {
    let protocol = Arc::new(protocol);
    let connections = Drain::default();
    let mut tasks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = arriving.recv() => stream,
            Some(_) = tasks.join_next() => continue,
        };
        let Some((stream, permit)) = stream else {
            break;
        };
        let load = Load(load.clone());
        let (protocol, site, member) = (protocol.clone(), site.clone(), connections.member());
        let (tls, handshake_time) = (tls.clone(), timeouts.handshake);
        tasks.spawn(async move {
            let _counted = (load, permit);
            // It fails when the client has left, or is not who it should be; and for
            // want of file descriptors, of which the connection has one already.
            let begun = handshake::begin(stream, site.proxies(), handshake_time, tls.as_deref());
            // Boxed, and gone when it is over: it is larger than what follows, for as long as
            // the connection lasts.
            let Ok((transport, peer)) = Box::pin(begun).await else {
                return;
            };
            connection::note(protocol.serve(transport, peer, site, lane, member).await);
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
