//! X-Forwarded-For, -Proto, -Host and -Port. No RFC has them; this is how nginx,
//! Apache, HAProxy and the clouds write them.

use super::{Told, is_host, scheme, walk};
use http::{HeaderMap, HeaderName};
use std::borrow::Cow;
use std::net::IpAddr;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Whether a field of this name goes into the environ.
pub fn is_read(name: &HeaderName) -> bool {
    [FOR, PROTO, HOST, PORT].contains(name)
}

/// What they say, of addresses that `trusts` knows as proxies'.
///
/// Each may be a list, to which every proxy adds at the right, and several fields
/// are one list. Of the others that one counts which stands where the client does
/// in X-Forwarded-For, counted from the right, or the first of a shorter list: what
/// stands before it was written by the client. A value that is none is as if it
/// were not there.
pub fn told(headers: &HeaderMap, trusts: impl Fn(IpAddr) -> bool) -> Told<'_> {
    let (client, place) = walk(elements(headers, &FOR), trusts);
    let at = |name| elements(headers, name).take(place.max(1)).last();
    Told {
        client,
        scheme: at(&PROTO).and_then(|text| scheme(&text)),
        host: at(&HOST).filter(|text| is_host(text)),
        port: at(&PORT).and_then(|text| port(&text)),
    }
}

/// The elements of a list, from the right. Empty ones are none (RFC 9110, section
/// 5.6.1).
fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    let fields = headers.get_all(name).into_iter().rev();
    fields
        .flat_map(|field| field.as_bytes().rsplit(|&octet| octet == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
        .map(String::from_utf8_lossy)
}

fn port(text: &str) -> Option<u16> {
    let is_digits = text.bytes().all(|octet| octet.is_ascii_digit());
    let port = is_digits.then(|| text.parse().ok())??;
    (port > 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::node::Node;
    use http::HeaderValue;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    /// Proxies are those of 10/8.
    fn is_proxy(addr: IpAddr) -> bool {
        matches!(addr, IpAddr::V4(addr) if addr.octets()[0] == 10)
    }

    fn client(lists: &[&str]) -> Option<Node> {
        let fields: Vec<_> = lists
            .iter()
            .map(|list| ("x-forwarded-for", *list))
            .collect();
        told(&headers(&fields), is_proxy).client
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy() {
        for (lists, addr) in [
            (&["192.0.2.1"][..], Some("192.0.2.1")),
            (&["6.6.6.6, 192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.1, 10.0.0.1, 10.0.0.2"], Some("192.0.2.1")),
            (&["6.6.6.6,192.0.2.1,\t10.0.0.1"], Some("192.0.2.1")),
            // Several fields are one list.
            (&["6.6.6.6", "192.0.2.1", "10.0.0.1"], Some("192.0.2.1")),
            // Empty elements are none.
            (&["192.0.2.1, , 10.0.0.1,,", "", " , "], Some("192.0.2.1")),
            // All are proxies: the first is the client.
            (&["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
            // Nobody is named: as far as is known, the last proxy asks.
            (&["192.0.2.1, unknown, 10.0.0.1"], Some("10.0.0.1")),
            (&["192.0.2.1, \"10.0.0.2\", 10.0.0.1"], Some("10.0.0.1")),
            (&["192.0.2.1, unknown"], None),
            (&["192.0.2.1, \u{fc}"], None),
            (&["192.0.2.1 10.0.0.1"], None),
            (&[""], None),
            (&[], None),
        ] {
            let expected = addr.map(|addr| addr.parse().unwrap());
            assert_eq!(client(lists).map(|node| node.addr), expected, "{lists:?}");
        }
        assert_eq!(client(&["[2001:db8::1]:99"]).unwrap().port, 99);
    }

    #[test]
    fn the_others_are_of_the_same_place() {
        let said = |list, proto, host, port| {
            let fields = [
                ("x-forwarded-for", list),
                ("x-forwarded-proto", proto),
                ("x-forwarded-host", host),
                ("x-forwarded-port", port),
            ];
            let headers = headers(&fields);
            let told = told(&headers, is_proxy);
            (told.scheme, told.host.map(Cow::into_owned), told.port)
        };
        let (chain, shop) = ("192.0.2.1, 10.0.0.1", Some("shop.test".to_owned()));
        assert_eq!(
            said(chain, "https, http", "shop.test, inner", "443, 80"),
            (Some("https"), shop.clone(), Some(443))
        );
        // What the client wrote before them does not count.
        assert_eq!(
            said(
                chain,
                "http, https, http",
                "evil, shop.test, inner",
                "1,443,80"
            ),
            (Some("https"), shop.clone(), Some(443))
        );
        // One proxy alone has written it.
        assert_eq!(
            said(chain, "HTTPS", "shop.test", "8443"),
            (Some("https"), shop.clone(), Some(8443))
        );
        assert_eq!(
            said("", "http, https", "evil, shop.test", "1, 443"),
            (Some("https"), shop, Some(443))
        );
    }

    #[test]
    fn what_is_no_value_is_not_there() {
        for (name, values) in [
            ("x-forwarded-proto", &["ftp", "", "https://", "\u{fc}"][..]),
            (
                "x-forwarded-host",
                &["a b", "a/b", ":80", "", "a:b", "user@a", "[::1", "\u{fc}"],
            ),
            ("x-forwarded-port", &["0", "65536", "+80", "x", "", "-1"]),
        ] {
            for value in values {
                let fields = headers(&[(name, value)]);
                assert!(told(&fields, is_proxy).is_nothing(), "{name}: {value}");
            }
        }
    }
}
