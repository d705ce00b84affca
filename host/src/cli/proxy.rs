//! Flags that say what stands in front of the server.

use clap::{Args, ValueEnum};
use rhost::proxy::{Proxies, ProxyHeaders, TrustedProxy};

/// Proxies in front.
#[derive(Debug, Args)]
#[command(next_help_heading = "Behind a proxy")]
pub struct ProxyArgs {
    /// Proxy that is believed in who the client is: an address, a network, or unix for
    /// peers over Unix sockets; may be repeated, or be a list with commas
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<TrustedProxy>,

    /// Fields in which it says so; the other ones are dropped
    #[arg(
        long,
        value_name = "KIND",
        default_value = "x-forwarded",
        requires = "trusted_proxy"
    )]
    proxy_headers: Headers,

    /// Every connection begins with a header of the PROXY protocol, version 1 or 2; those of
    /// others than trusted proxies are refused
    #[arg(long, requires = "trusted_proxy")]
    proxy_protocol: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Headers {
    /// X-Forwarded-For, -Proto, -Host and -Port
    XForwarded,
    /// Forwarded (RFC 7239)
    Forwarded,
}

impl ProxyArgs {
    /// The proxies, and what is taken from them.
    pub fn proxies(&self) -> Proxies {
        Proxies {
            trusted: self.trusted_proxy.clone(),
            headers: match self.proxy_headers {
                Headers::XForwarded => ProxyHeaders::XForwarded,
                Headers::Forwarded => ProxyHeaders::Forwarded,
            },
            protocol: self.proxy_protocol,
        }
    }
}
