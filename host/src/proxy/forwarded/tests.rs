use super::*;
use http::HeaderValue;

fn said(fields: &[&str]) -> (Option<String>, Option<&'static str>, Option<String>) {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(
            FORWARDED,
            HeaderValue::from_bytes(field.as_bytes()).unwrap(),
        );
    }
    // Proxies are those of 10/8.
    let is_proxy = |addr: IpAddr| matches!(addr, IpAddr::V4(addr) if addr.octets()[0] == 10);
    let told = told(&headers, is_proxy);
    (
        told.client.map(|node| match node.port {
            0 => node.addr.to_string(),
            port => format!("{}+{port}", node.addr),
        }),
        told.scheme,
        told.host.map(Cow::into_owned),
    )
}

fn client(fields: &[&str]) -> Option<String> {
    said(fields).0
}

#[test]
fn the_first_from_the_right_that_is_no_proxy() {
    for (fields, expected) in [
        (&["for=192.0.2.1"][..], Some("192.0.2.1")),
        (&["For=192.0.2.1;By=10.0.0.9"], Some("192.0.2.1")),
        (
            &["for=6.6.6.6, for=192.0.2.1,for=10.0.0.1"],
            Some("192.0.2.1"),
        ),
        (
            &["for=6.6.6.6", "for=192.0.2.1", "for=10.0.0.1"],
            Some("192.0.2.1"),
        ),
        (&["for=\"[2001:db8::1]:99\""], Some("2001:db8::1+99")),
        (&["for=\"192.0.2.1:99\""], Some("192.0.2.1+99")),
        (&["for=\"192.0.2.1:_x\""], Some("192.0.2.1")),
        (&["for=\"\\1\\92.0.2.1\""], Some("192.0.2.1")),
        (&[", for=192.0.2.1 , ,for=10.0.0.1,", ""], Some("192.0.2.1")),
        (&["for=10.0.0.2, for=10.0.0.1"], Some("10.0.0.2")),
        // Nobody is named.
        (
            &["for=192.0.2.1, for=unknown, for=10.0.0.1"],
            Some("10.0.0.1"),
        ),
        (&["for=192.0.2.1, for=_hidden"], None),
        (&["for=192.0.2.1, proto=https"], None),
        (&[], None),
    ] {
        assert_eq!(client(fields).as_deref(), expected, "{fields:?}");
    }
}

#[test]
fn a_client_cannot_take_in_what_proxies_add() {
    for forged in [
        "for=\"",
        "for=\"6.6.6.6",
        "for=6.6.6.6;x=\"",
        "for=6.6.6.6;x=\"\\",
        "for=\"\\\"",
        "\"",
        "for=6.6.6.6;x=\"a,b\"",
        "=,;",
    ] {
        for added in ["for=192.0.2.1", "for=\"192.0.2.1\";x=\"a, \\\"b\\\\\""] {
            let joined = format!("{forged}, {added}");
            for fields in [&[joined.as_str()][..], &[forged, added]] {
                assert_eq!(client(fields).as_deref(), Some("192.0.2.1"), "{fields:?}");
            }
        }
    }
}

/// The same with whatever a client may think of.
#[test]
fn nothing_takes_in_what_proxies_add() {
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % below
    };
    let octets = b"\"\"\"\\\\,;=  \tfor_[]:.1x\xfc";
    for _ in 0..20_000 {
        let length = next(24);
        let mut field: Vec<u8> = (0..length).map(|_| octets[next(octets.len())]).collect();
        field.extend_from_slice(b", for=\"192.0.2.1:7\";x=\"\\\",\", for=10.0.0.1");
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_bytes(&field).unwrap());
        let is_proxy = |addr: IpAddr| addr == IpAddr::from([10, 0, 0, 1]);
        let client = told(&headers, is_proxy).client;
        let text = String::from_utf8_lossy(&field);
        let client = client.unwrap_or_else(|| panic!("nobody in {text}"));
        assert_eq!(client.addr, IpAddr::from([192, 0, 2, 1]), "{text}");
        assert_eq!(client.port, 7, "{text}");
    }
}

#[test]
fn scheme_and_host_are_of_the_same_element() {
    let https = Some("https");
    let shop = Some("shop.test:8443".to_owned());
    assert_eq!(
        said(&[
            "for=6.6.6.6;proto=http;host=evil, for=192.0.2.1;PROTO=HTTPS;host=\"shop.test:8443\", for=10.0.0.1;proto=http;host=inner"
        ]),
        (Some("192.0.2.1".into()), https, shop.clone())
    );
    assert_eq!(
        said(&["for=unknown ; proto=https;; host=\"shop.test:8443\";"]),
        (None, https, shop)
    );
    assert_eq!(
        said(&["for=192.0.2.1;proto=gopher;host=\"a b\""]),
        (Some("192.0.2.1".into()), None, None)
    );
}

#[test]
fn what_breaks_the_grammar_says_nothing() {
    for broken in [
        "192.0.2.1",
        "for",
        "for=",
        "for =192.0.2.1",
        "for= 192.0.2.1",
        "for=192.0.2.1;for=192.0.2.2",
        "proto=https;PROTO=http",
        "for=192.0.2.1 proto=https",
        "for=[2001:db8::1]",
        "for=\"192.0.2.1",
        "for=\"192.0.2.1\\",
        "for=\"192.0.2.1\"x",
        "=x",
        "for=\u{fc}",
        "for=\"\u{fc}\"x",
    ] {
        assert_eq!(element(broken.as_bytes()), None, "{broken}");
        assert_eq!(said(&[broken]), (None, None, None), "{broken}");
    }
}
