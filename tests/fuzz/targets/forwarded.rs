//! Whatever a client writes into the fields of proxies, it is not believed in the
//! place of what the proxy adds behind it.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use rhost::proxy::{forwarded, x_forwarded};
use rhost::request_id::RequestId;

fuzz_target!(|written: &[u8]| {
    if let Some(id) = RequestId::given(written) {
        assert_eq!(id.as_str().as_bytes(), written);
        assert!(!id.as_str().contains(['"', '\\', ' ', '<', '&']));
    }
    let Ok(by_client) = HeaderValue::from_bytes(written) else {
        return;
    };
    let client = "198.51.100.7".parse().ok();
    let trusts = |addr: std::net::IpAddr| addr.to_string().starts_with("10.");
    // As a field of its own before the proxy's, and in one field with it.
    for joined in [false, true] {
        let mut headers = HeaderMap::new();
        for (name, by_proxy) in [
            ("forwarded", "for=198.51.100.7;proto=https;host=shop"),
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop"),
        ] {
            if joined {
                let both = [by_client.as_bytes(), b", ", by_proxy.as_bytes()].concat();
                headers.append(
                    name,
                    HeaderValue::from_bytes(&both).expect("both are right"),
                );
            } else {
                headers.append(name, by_client.clone());
                headers.append(name, HeaderValue::from_static(by_proxy));
            }
        }
        for told in [
            forwarded::told(&headers, trusts),
            x_forwarded::told(&headers, trusts),
        ] {
            assert_eq!(told.client.map(|node| node.addr), client);
            assert_eq!(told.scheme, Some("https"));
            assert_eq!(told.host.as_deref(), Some("shop"));
        }
    }
});
