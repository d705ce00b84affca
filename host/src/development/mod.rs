//! What a developer has of the server while an app is being written (`--dev`,
//! `--watch`): pages that say why a request failed or a crate does not build, and
//! a browser that loads a page again when the app has changed. All of it is only
//! for whoever sits at the same machine.

mod broken_build;
mod excerpt;
mod exhibit;
mod live;
mod page;
mod reload;

pub use exhibit::{Exhibit, Subject};
pub use live::Live;
pub use reload::{Reload, Visit};

use crate::environ::{Peer, server};
use http::header::{FORWARDED, VIA};
use http::request::Parts;
use std::net::IpAddr;

/// Whether a client sits at this machine, and not behind a proxy on it, and asks
/// for this machine: a page of somebody's whose name has come to mean this address
/// (DNS rebinding) asks by that name.
pub fn is_local(peer: &Peer, head: &Parts) -> bool {
    let headers = &head.headers;
    let (host, _) = server(head, peer);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let asks_here = match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    let forwarded = headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("x-forwarded-"))
        || headers.contains_key("x-real-ip");
    peer.is_loopback && asks_here && !forwarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_is_not_a_developer() {
        let peer =
            |address: &str| Peer::new(address.parse().unwrap(), "127.0.0.1:80".parse().unwrap());
        let asking = |name: &str, value: &str| {
            let request = http::Request::get("/").header(name, value);
            request.body(()).unwrap().into_parts().0
        };
        for local in ["127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            assert!(is_local(&peer(local), &asking("accept", "x")), "{local}");
            for name in ["forwarded", "via", "x-forwarded-for", "x-real-ip"] {
                assert!(!is_local(&peer(local), &asking(name, "x")), "{name}");
            }
            for host in [
                "localhost:8000",
                "127.0.0.1",
                "[::1]:8000",
                "shop.localhost",
            ] {
                assert!(is_local(&peer(local), &asking("host", host)), "{host}");
            }
            for host in ["evil.test:8000", "localhost.evil.test", "192.0.2.1"] {
                assert!(!is_local(&peer(local), &asking("host", host)), "{host}");
            }
        }
        let far = peer("192.0.2.1:9");
        assert!(!is_local(&far, &asking("host", "localhost")));
    }
}
