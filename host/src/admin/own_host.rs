//! Whether a request means this listener by its Host. A page of another site can have its
//! own name lead to this machine (DNS rebinding), and a browser then lets it read what is
//! answered; but its requests say that name.

use crate::roster::{Refused, Why};
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Uri};
use std::net::IpAddr;

/// Fails unless the request means this listener.
pub(super) fn check(head: &Parts) -> Result<(), Refused> {
    match is_own(&head.uri, &head.headers) {
        true => Ok(()),
        false => Err(Refused::new(
            Why::Elsewhere,
            "the Host is another machine's; ask for localhost or 127.0.0.1, or give a token",
        )),
    }
}

/// Whether the host of a request, as its target and its fields name it, is this machine
/// for itself: `localhost`, a name below it, or a loopback address. No browser leaves it
/// out; who does is none.
fn is_own(target: &Uri, headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(HOST).iter();
    let (field, another) = (fields.next(), fields.next());
    let field = field.map(|field| Authority::try_from(field.as_bytes()));
    let is_right = match &field {
        None => true,
        Some(Ok(authority)) => is_this_machine(authority.host()),
        Some(Err(_)) => false,
    };
    let target = target.authority();
    is_right && another.is_none() && target.is_none_or(|target| is_this_machine(target.host()))
}

fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let ask = |target: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            is_own(&target.parse().unwrap(), &headers)
        };
        for host in [
            "localhost",
            "LocalHost:9000",
            "localhost.:1",
            "a.localhost",
            "127.0.0.1:9000",
            "127.8.8.8",
            "[::1]:9000",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(ask("/metrics", &[host]), "{host}");
            assert!(ask(&format!("http://{host}/metrics"), &[host]), "{host}");
            assert!(!ask("http://evil.test/metrics", &[host]), "{host}");
        }
        assert!(ask("/metrics", &[]));
        for host in [
            "evil.test",
            "localhost.evil.test",
            "evillocalhost",
            "127.0.0.1.evil.test",
            "10.0.0.1:9000",
            "[::2]",
            "0.0.0.0",
            "a b",
            "",
        ] {
            assert!(!ask("/metrics", &[host]), "{host}");
        }
        assert!(!ask("/metrics", &["localhost", "localhost"]));
    }
}
