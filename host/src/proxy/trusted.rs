//! Who is believed, and what of.

use ipnet::{IpNet, Ipv4Net};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A proxy, or several, by where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// The addresses of a network; a single one is a network of its own.
    Network(IpNet),
    /// Whoever can connect to a Unix socket.
    Unix,
}

/// Proxies in front of the server, and what is taken from them. By default
/// nobody is believed to be one.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// Who they are (`--trusted-proxy`).
    pub trusted: Vec<TrustedProxy>,
    /// In which fields they say who the client is (`--proxy-headers`).
    pub headers: ProxyHeaders,
    /// Whether each connection begins with a header of the PROXY protocol
    /// (`--proxy-protocol`).
    pub protocol: bool,
}

/// Fields in which proxies say who the client is. One kind only: a proxy that
/// writes the one hands on the other as the client wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// X-Forwarded-For, -Proto, -Host and -Port.
    #[default]
    XForwarded,
    /// Forwarded (RFC 7239).
    Forwarded,
}

impl Proxies {
    /// Whether it is a proxy's address.
    pub fn trusts(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        self.trusted.iter().any(|proxy| match proxy {
            TrustedProxy::Network(network) => network.contains(&addr),
            TrustedProxy::Unix => false,
        })
    }

    /// Whether peers over Unix sockets are proxies.
    pub fn trusts_unix(&self) -> bool {
        self.trusted.contains(&TrustedProxy::Unix)
    }
}

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(TrustedProxy::Unix);
        }
        let network = match text.parse::<IpAddr>() {
            Ok(addr) => IpNet::from(addr),
            Err(_) => text.parse().map_err(|_| {
                "expected an address, a network or unix, as 127.0.0.1, 10.0.0.0/8 or fd00::/8"
                    .to_owned()
            })?,
        };
        // Either a typing error, or one believes to trust fewer than one does.
        if network.addr() != network.network() {
            return Err(format!(
                "the address has bits that its prefix leaves out; write {} or {}",
                network.trunc(),
                network.addr()
            ));
        }
        Ok(TrustedProxy::Network(canonical(network)))
    }
}

/// A network of IPv4 addresses that was written as one of IPv6: peers are compared
/// by their IPv4 addresses.
fn canonical(network: IpNet) -> IpNet {
    match (network.addr().to_canonical(), network.prefix_len()) {
        (IpAddr::V4(addr), prefix @ 96..) if matches!(network, IpNet::V6(_)) => {
            Ipv4Net::new(addr, prefix - 96).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustedProxy::Network(network) => network.fmt(f),
            TrustedProxy::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(proxies: &[&str]) -> Proxies {
        Proxies {
            trusted: proxies.iter().map(|text| text.parse().unwrap()).collect(),
            ..Proxies::default()
        }
    }

    #[test]
    fn networks_and_single_addresses() {
        let proxies = trusting(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"]);
        for (addr, is_trusted) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(proxies.trusts(addr.parse().unwrap()), is_trusted, "{addr}");
        }
        assert!(!proxies.trusts_unix());
        assert!(trusting(&["unix"]).trusts_unix());
        assert!(!trusting(&["unix"]).trusts("::1".parse().unwrap()));
        assert!(!Proxies::default().trusts("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_mapped_network_is_one_of_ipv4() {
        let proxies = trusting(&["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"]);
        assert!(proxies.trusts("10.1.2.3".parse().unwrap()));
        assert!(proxies.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(proxies.trusts("192.0.2.7".parse().unwrap()));
        assert!(!proxies.trusts("11.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for text in ["", "*", "proxy.test", "10.0.0.0/33", "10.0.0/8", "unix:/x"] {
            let said = text.parse::<TrustedProxy>().unwrap_err();
            assert!(said.contains("10.0.0.0/8"), "{text}: {said}");
        }
        let said = "10.1.2.3/8".parse::<TrustedProxy>().unwrap_err();
        assert!(said.ends_with("write 10.0.0.0/8 or 10.1.2.3"), "{said}");
    }
}
