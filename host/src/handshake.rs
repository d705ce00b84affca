//! The beginning of a connection, as far as HTTP: who is at its ends, as the
//! PROXY protocol says if it is spoken, and TLS.

use crate::environ::Peer;
use crate::metrics::{self, Event};
use crate::proxy::Proxies;
use crate::proxy::protocol;
use crate::rarely::Rarely;
use crate::socket::{Accepted, Socket};
use crate::tls::{NotTls, Tls, Transport};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Begins a connection. With the PROXY protocol, `within` is how long its header
/// may take; TLS has a time of its own. A Unix socket has no TLS, since nobody
/// listens on the way.
pub async fn begin(
    accepted: Accepted,
    proxies: Option<&Arc<Proxies>>,
    within: Duration,
    tls: Option<&Tls>,
) -> io::Result<(Transport, Peer)> {
    let mut socket = accepted.into_socket()?;
    let mut peer = match &socket {
        Socket::Tcp(stream) => Peer::new(stream.peer_addr()?, stream.local_addr()?),
        Socket::Unix(_) => Peer::unix(),
    };
    if let Some(proxies) = proxies {
        peer = introduce(&mut socket, peer, proxies, within).await?;
    }
    let (Some(tls), Socket::Tcp(_)) = (tls, &socket) else {
        return Ok((Transport::Plain(socket), peer));
    };
    match tls.accept(socket).await {
        Ok((transport, facts)) => Ok((transport, peer.under_tls(facts))),
        Err(error) => {
            metrics::count(match error.kind() {
                io::ErrorKind::TimedOut => Event::HandshakeTimeout,
                _ => Event::HandshakeFailed,
            });
            tell(&peer, &error);
            Err(error)
        }
    }
}

/// Has the log say why there is no TLS with `peer`. Scanners, and browsers that do not
/// trust it, are everyday affairs; one that speaks something else was sent here by mistake.
fn tell(peer: &Peer, error: &io::Error) {
    static MISTAKEN: Rarely = Rarely::new();
    let addr = &peer.remote_addr;
    let spoken = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(spoken) = spoken else {
        return tracing::debug!("handshake with {addr} failed: {error}");
    };
    if let Some(untold) = MISTAKEN.next() {
        let done = match spoken {
            NotTls::Http => "it was told to use https://",
            NotTls::Unknown => "the connection was closed",
        };
        tracing::warn!("{addr} came to a port for TLS, and {spoken}; {done}{untold}");
    }
}

/// Finds out whether `peer` is a proxy, and whom it names if the PROXY protocol is
/// spoken.
async fn introduce(
    socket: &mut Socket,
    peer: Peer,
    proxies: &Arc<Proxies>,
    within: Duration,
) -> io::Result<Peer> {
    let is_trusted = match &*socket {
        Socket::Tcp(stream) => proxies.trusts(stream.peer_addr()?.ip()),
        Socket::Unix(_) => proxies.trusts_unix(),
    };
    if !proxies.protocol {
        return Ok(match is_trusted {
            true => peer.trusted(proxies.clone()),
            false => peer,
        });
    }
    let from = match peer.remote_addr.as_str() {
        "" => "a Unix socket",
        addr => addr,
    };
    // Whoever sends the header decides who the client is.
    if !is_trusted {
        tracing::debug!("connection from {from} refused: it is no --trusted-proxy");
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let received = tokio::time::timeout(within, protocol::receive(socket)).await;
    let ends = received
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .inspect_err(|error| tracing::debug!("connection from {from} refused: {error}"))?;
    Ok(match ends {
        // The fields of a request may be anyone's here, so they are not believed.
        None => peer.for_anyone(),
        Some(ends) => {
            let client = Peer::new(ends.source, ends.destination).named_by(peer);
            // It may be a proxy itself, before the one that has named it.
            match proxies.trusts(ends.source.ip()) {
                true => client.trusted(proxies.clone()),
                false => client,
            }
        }
    })
}
