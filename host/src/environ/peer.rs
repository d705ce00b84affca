//! Who asks: the client at the other end of a connection, or the one that a
//! trusted proxy there asks for.

use super::authority::{authority, host_and_port};
use crate::proxy::{Proxies, Told};
use crate::tls::Facts;
use http::{HeaderMap, HeaderName, Uri};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

/// The two ends of a connection, as text made once for all its requests; or of the
/// one that a proxy was asked on, made for each request.
#[derive(Debug)]
pub struct Peer {
    /// The client's address, without a port; empty for a Unix socket.
    pub remote_addr: String,
    /// The client's port; 0 where it is not known.
    pub remote_port: u16,
    /// Whether the client sits at this machine.
    pub is_loopback: bool,
    /// `http`, or `https` under TLS.
    scheme: &'static str,
    /// What TLS says of the connection; nothing in the clear.
    facts: Option<Arc<Facts>>,
    /// The address that the connection came in at: the server's name for a
    /// client that gives none.
    local_addr: Arc<str>,
    local_port: u16,
    /// The host that a proxy was asked for, which it then asks for by another
    /// name.
    asked_host: Option<String>,
    /// What to believe of its requests, if it is a trusted proxy.
    proxies: Option<Arc<Proxies>>,
    /// The proxy that said who it is.
    via: Option<Arc<Peer>>,
}

impl Peer {
    /// A connection from `remote` to `local`.
    pub fn new(remote: SocketAddr, local: SocketAddr) -> Self {
        Peer {
            // A client of IPv4 is called by its IPv4 address on a socket that
            // takes both.
            remote_addr: remote.ip().to_canonical().to_string(),
            remote_port: remote.port(),
            is_loopback: remote.ip().to_canonical().is_loopback(),
            local_addr: local.ip().to_canonical().to_string().into(),
            local_port: local.port(),
            ..Peer::unix()
        }
    }

    /// A connection over a Unix socket, which has no address: most likely that of
    /// a proxy, and so of anyone.
    pub fn unix() -> Self {
        Peer {
            remote_addr: String::new(),
            remote_port: 0,
            is_loopback: false,
            scheme: "http",
            facts: None,
            local_addr: "localhost".into(),
            local_port: 80,
            asked_host: None,
            proxies: None,
            via: None,
        }
    }

    /// The same under TLS.
    pub fn under_tls(self, facts: Facts) -> Self {
        Peer {
            scheme: "https",
            facts: Some(Arc::new(facts)),
            ..self
        }
    }

    /// The same, which is one of `proxies`.
    pub fn trusted(self, proxies: Arc<Proxies>) -> Self {
        Peer {
            proxies: Some(proxies),
            ..self
        }
    }

    /// The same, which `proxy` has named, and which thus sits elsewhere.
    pub fn named_by(self, proxy: Peer) -> Self {
        Peer {
            is_loopback: false,
            via: Some(Arc::new(proxy)),
            ..self
        }
    }

    /// The same, of which nobody knows whom it asks for.
    pub fn for_anyone(self) -> Self {
        Peer {
            is_loopback: false,
            ..self
        }
    }

    /// Who asks in a request that came over this connection: the peer itself, or
    /// whom a trusted proxy asks for.
    pub fn asking<'a>(self: &'a Arc<Self>, uri: &Uri, headers: &HeaderMap) -> Cow<'a, Arc<Peer>> {
        let Some(proxies) = &self.proxies else {
            return Cow::Borrowed(self);
        };
        let told = proxies.told(headers);
        if told.is_nothing() {
            return Cow::Borrowed(self);
        }
        let (remote_addr, remote_port) = match told.client {
            Some(node) => (node.addr.to_string(), node.port),
            None => (self.remote_addr.clone(), self.remote_port),
        };
        let scheme = told.scheme.unwrap_or(self.scheme);
        Cow::Owned(Arc::new(Peer {
            remote_addr,
            remote_port,
            is_loopback: false,
            scheme,
            facts: self.facts.clone(),
            local_addr: self.local_addr.clone(),
            local_port: self.local_port,
            asked_host: asked_host(told, scheme, uri, headers),
            proxies: self.proxies.clone(),
            via: Some(self.clone()),
        }))
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// What TLS says of the connection.
    pub fn facts(&self) -> &[(&'static str, String)] {
        self.facts.as_ref().map_or(&[], |facts| &facts.0)
    }

    /// The host that the client itself named in the handshake of TLS. A trusted proxy
    /// names whom it likes there.
    pub fn sni(&self) -> Option<&str> {
        match self.proxies {
            Some(_) => None,
            None => self.facts.as_ref()?.sni(),
        }
    }

    /// The host that a proxy was asked for, with a port if it is not the scheme's
    /// own, where that is not what the request says.
    pub fn asked_host(&self) -> Option<&str> {
        self.asked_host.as_deref()
    }

    /// Whether fields of this name, which begins with `x-forwarded-`, are shown to
    /// the app.
    pub fn passes(&self, name: &HeaderName) -> bool {
        self.proxies
            .as_ref()
            .is_some_and(|proxies| proxies.pass(name))
    }

    /// Whether what its requests say comes from a trusted proxy.
    pub fn is_vouched_for(&self) -> bool {
        self.proxies.is_some()
    }

    /// The proxy that said who it is.
    pub fn via(&self) -> Option<&Peer> {
        self.via.as_deref()
    }

    /// The address and port that the connection came in at.
    pub fn local(&self) -> (&str, u16) {
        (&self.local_addr, self.local_port)
    }

    /// The port that a host is asked for at when none is named (RFC 9110, section
    /// 4.2).
    pub fn default_port(&self) -> u16 {
        default_port(self.scheme)
    }
}

fn default_port(scheme: &str) -> u16 {
    match scheme {
        "https" => 443,
        _ => 80,
    }
}

/// The host that a proxy was asked for, with the port that it was asked at. None
/// if the request itself says the same.
fn asked_host(
    told: Told<'_>,
    scheme: &'static str,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<String> {
    let Some(port) = told.port else {
        return told.host.map(Cow::into_owned);
    };
    let host = match &told.host {
        Some(host) => host,
        None => authority(uri, headers)?,
    };
    let (name, _) = host_and_port(host, 0)?;
    Some(match port == default_port(scheme) {
        true => name.to_owned(),
        false => format!("{name}:{port}"),
    })
}

#[cfg(test)]
mod tests;
