//! How many connections there may be, in all and of one peer.
//!
//! Beyond the most in all a connection waits, in the hands of its listener, which
//! accepts no more meanwhile: the rest wait in the kernel, where they cost nothing
//! here, and are served in turn. To close them instead would make clients come
//! again at once. Beyond the most of one peer a connection is closed, since others
//! would wait behind it.

use crate::metrics::{self, Event, Open};
use crate::proxy::Proxies;
use crate::settings::ConnectionLimits;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Places that there are more when nobody is to wait any longer: what kernels hold
/// for a few listeners.
const LIFTED: usize = 1 << 16;

/// The connections of a host.
pub struct Quota {
    places: Arc<Semaphore>,
    peers: Peers,
}

/// A connection that may be there, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
    _peer: Option<PeerPermit>,
    _open: Open,
}

/// How many connections each peer has.
#[derive(Clone)]
pub struct Peers {
    most: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    exempt: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

/// One connection of a peer, until it is dropped.
#[derive(Debug)]
pub struct PeerPermit {
    peer: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A peer has as many connections as it may.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

impl Quota {
    /// None yet. A trusted proxy speaks for many, and may have any number.
    pub fn new(limits: &ConnectionLimits, proxies: Option<&Arc<Proxies>>) -> Self {
        let places = match limits.connections {
            0 => Semaphore::MAX_PERMITS,
            most => most.min(Semaphore::MAX_PERMITS),
        };
        let peers = Peers::new(limits.per_peer);
        Quota {
            places: Arc::new(Semaphore::new(places)),
            peers: match proxies.cloned() {
                Some(proxies) => peers.exempting(move |peer| proxies.trusts(peer)),
                None => peers,
            },
        }
    }

    /// From here on nobody waits: the server is to end, and lets in only those who
    /// have come.
    pub fn lift(&self) {
        let most = Semaphore::MAX_PERMITS - self.places.available_permits();
        self.places.add_permits(most.min(LIFTED));
    }

    /// A permit for a connection that was accepted, after waiting if there are as
    /// many as there may be; at once an error if its `peer` has too many. A Unix
    /// socket has no peer.
    pub async fn enter(&self, peer: Option<IpAddr>) -> Result<Permit, TooMany> {
        let peer = peer.map_or(Ok(None), |peer| self.peers.enter(peer))?;
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits) => {
                metrics::count(Event::AcceptWaited);
                let waiting = self.places.clone().acquire_owned();
                waiting.await.expect("it is never closed")
            }
            Err(TryAcquireError::Closed) => unreachable!("it is never closed"),
        };
        Ok(Permit {
            _place: place,
            _peer: peer,
            _open: Open::begin(),
        })
    }
}

impl Peers {
    /// At most so many connections for each; 0 for any number.
    pub fn new(most: usize) -> Self {
        Peers {
            most,
            counts: Arc::default(),
            exempt: Arc::new(|_| false),
        }
    }

    /// The same, but for those who speak for others, and are `exempt`: proxies.
    pub fn exempting(self, exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Peers {
            exempt: Arc::new(exempt),
            ..self
        }
    }

    /// One more connection of `peer`. None if it is not counted.
    pub fn enter(&self, peer: IpAddr) -> Result<Option<PeerPermit>, TooMany> {
        if self.most == 0 || (self.exempt)(peer) {
            return Ok(None);
        }
        let peer = network(peer);
        let mut counts = lock(&self.counts);
        let count = counts.entry(peer).or_insert(0);
        if *count == self.most {
            metrics::count(Event::RefusedPerPeer);
            return Err(TooMany);
        }
        *count += 1;
        Ok(Some(PeerPermit {
            peer,
            counts: self.counts.clone(),
        }))
    }
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = lock(&self.counts).entry(self.peer) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn lock(counts: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom an address belongs to: of IPv6, whoever has one has its whole /64 (RFC
/// 6177).
fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => {
            let network = u128::from(addr) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
        addr => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_own_number() {
        let peers = Peers::new(2).exempting(|peer| peer.is_loopback());
        let enter = |peer: &str| peers.enter(peer.parse().unwrap());
        let (one, _two) = (enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1"));
        assert_eq!(enter("192.0.2.1").unwrap_err(), TooMany);
        assert!(enter("192.0.2.2").unwrap().is_some());
        let _network = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_err());
        assert!(enter("2001:db8:0:1::3").is_ok());
        assert!(enter("127.0.0.1").unwrap().is_none());
        drop(one);
        assert!(enter("192.0.2.1").is_ok());
    }

    #[test]
    fn no_limit_is_lifted_as_well() {
        let limits = ConnectionLimits {
            connections: 0,
            ..ConnectionLimits::default()
        };
        Quota::new(&limits, None).lift();
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let peers = Peers::new(1);
        drop(peers.enter("192.0.2.1".parse().unwrap()).unwrap());
        assert!(lock(&peers.counts).is_empty());
    }

    #[tokio::test]
    async fn beyond_the_most_they_wait() {
        let limits = ConnectionLimits {
            connections: 1,
            ..ConnectionLimits::default()
        };
        let quota = Quota::new(&limits, None);
        let held = quota.enter(None).await.unwrap();
        let mut second = std::pin::pin!(quota.enter(None));
        assert!(futures_ready(second.as_mut()).await.is_none());
        drop(held);
        let _second = second.await.unwrap();
        let mut third = std::pin::pin!(quota.enter(None));
        assert!(futures_ready(third.as_mut()).await.is_none());
        quota.lift();
        third.await.unwrap();
    }

    /// What it gives if it is ready now.
    async fn futures_ready<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
