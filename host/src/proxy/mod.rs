//! Proxies in front: which are believed, and what they say of the client.
//!
//! Whoever says who the client is decides who it is. So nothing is believed but
//! what a peer says that was named as a proxy ([`Proxies`]), and of a list that
//! several have written only the part that such peers wrote: it is read from the
//! right, where each adds whom it serves, and up to the first address that is no
//! proxy's. What stands before that is the client's own.

pub mod forwarded;
pub mod node;
pub mod protocol;
mod trusted;
pub mod x_forwarded;

pub use trusted::{Proxies, ProxyHeaders, TrustedProxy};

use crate::gate::octets;
use http::{HeaderMap, HeaderName};
use node::Node;
use std::borrow::Cow;

/// What proxies said of a request; of what they did not say, the connection
/// tells.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told<'a> {
    /// Whom they serve.
    pub client: Option<Node>,
    /// `http` or `https`, as the client speaks it.
    pub scheme: Option<&'static str>,
    /// The host that the client asked for, with a port if it named one.
    pub host: Option<Cow<'a, str>>,
    /// The port that the client asked at.
    pub port: Option<u16>,
}

impl Told<'_> {
    /// Whether they said nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Told::default()
    }
}

impl Proxies {
    /// What a request from a proxy that is believed says of its client.
    pub fn told<'a>(&self, headers: &'a HeaderMap) -> Told<'a> {
        match self.headers {
            ProxyHeaders::XForwarded => x_forwarded::told(headers, |addr| self.trusts(addr)),
            ProxyHeaders::Forwarded => forwarded::told(headers, |addr| self.trusts(addr)),
        }
    }

    /// Whether the app is shown a field of this name, which begins with
    /// `x-forwarded-`, from a proxy that is believed. What has gone into the
    /// environ has not to be worked out once more, and maybe in another way; and
    /// of a family that the proxy does not write, the client does.
    pub fn pass(&self, name: &HeaderName) -> bool {
        self.headers == ProxyHeaders::XForwarded && !x_forwarded::is_read(name)
    }
}

/// Whom a list leads to, and at which element, counted from the right and from 1:
/// the first that is no proxy's, or the last that there is. It ends as well at one
/// that names nobody; its writer, which is a proxy, is then the client as far as
/// is known.
fn walk<'a>(
    from_the_right: impl Iterator<Item = Cow<'a, str>>,
    trusts: impl Fn(std::net::IpAddr) -> bool,
) -> (Option<Node>, usize) {
    let (mut last, mut place) = (None, 0);
    for element in from_the_right {
        place += 1;
        let Some(node) = Node::parse(&element) else {
            break;
        };
        last = Some(node);
        if !trusts(node.addr) {
            break;
        }
    }
    (last, place)
}

/// A scheme, if it is one that is served.
fn scheme(text: &str) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|scheme| text.eq_ignore_ascii_case(scheme))
}

/// Whether it is a host, with or without a port.
fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(':') && octets::is_authority(text.as_bytes())
}
