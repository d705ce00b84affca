use super::*;
use http::request::{Builder, Parts};

fn head(request: Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

fn proxy() -> Arc<Peer> {
    let peer = Peer::new(
        "10.0.0.1:40000".parse().unwrap(),
        "10.0.0.9:8000".parse().unwrap(),
    );
    let proxies = Proxies {
        trusted: vec!["10.0.0.0/8".parse().unwrap()],
        ..Proxies::default()
    };
    Arc::new(peer.trusted(Arc::new(proxies)))
}

/// Name and port of the server, and Host, as they are told of a request with
/// these fields.
fn server_of(fields: &[(&str, &str)]) -> (String, u16, Option<String>) {
    let request = http::Request::builder().uri("/");
    let add = |request: Builder, (name, value): &(&str, &str)| request.header(*name, *value);
    let head = head(fields.iter().fold(request, add));
    let proxy = proxy();
    let peer = proxy.asking(&head.uri, &head.headers);
    let (name, port) = crate::environ::server(&head, &peer);
    let gathered = crate::environ::Gathered::from(&head, &peer);
    let host = gathered.headers.iter().find(|(name, _)| *name == "host");
    let host = host.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    (name.to_owned(), port, host)
}

#[test]
fn a_peer_that_is_no_proxy_asks_for_itself() {
    let peer = Arc::new(Peer::unix());
    let request = http::Request::builder().header("x-forwarded-for", "192.0.2.1");
    let head = head(request);
    assert!(matches!(
        peer.asking(&head.uri, &head.headers),
        Cow::Borrowed(_)
    ));
}

#[test]
fn a_proxy_that_says_nothing_asks_for_itself() {
    let head = head(http::Request::builder().header("x-forwarded-for", "nobody"));
    assert!(matches!(
        proxy().asking(&head.uri, &head.headers),
        Cow::Borrowed(_)
    ));
}

#[test]
fn host_and_port_are_those_of_the_client() {
    let (host, proto) = ("x-forwarded-host", "x-forwarded-proto");
    let port = "x-forwarded-port";
    for (fields, expected) in [
        (&[("host", "in:81")][..], ("in", 81, "in:81")),
        (&[("host", "in"), (proto, "https")], ("in", 443, "in")),
        (
            &[("host", "in:81"), (host, "shop.test")],
            ("shop.test", 80, "shop.test"),
        ),
        (
            &[("host", "in"), (host, "shop.test:99"), (proto, "https")],
            ("shop.test", 99, "shop.test:99"),
        ),
        (
            &[("host", "in:81"), (proto, "https"), (port, "443")],
            ("in", 443, "in"),
        ),
        (
            &[("host", "in"), (host, "[::1]:1"), (port, "8443")],
            ("[::1]", 8443, "[::1]:8443"),
        ),
    ] {
        let (name, port, host) = server_of(fields);
        assert_eq!(
            (name.as_str(), port, host.as_deref()),
            (expected.0, expected.1, Some(expected.2)),
            "{fields:?}"
        );
    }
    assert_eq!(
        server_of(&[(port, "443")]),
        ("10.0.0.9".into(), 8000, None),
        "no host is named at all"
    );
}
