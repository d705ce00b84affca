//! Whatever target and fields pass hyper's parser, the environ is a true account
//! of them.
#![no_main]

use http::Request;
use libfuzzer_sys::fuzz_target;
use rhost::environ::{Gathered, MountedPath, Peer};

/// Percent-decoding as RFC 3986, section 2.1, has it, in another way than ours.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| {
            let digit = |octet: u8| char::from(octet).to_digit(16);
            Some((digit(two[0])? * 16 + digit(two[1])?) as u8)
        });
        match hex {
            Some(octet) if first == b'%' => {
                decoded.push(octet);
                rest = &after[2..];
            }
            _ => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    decoded
}

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|octet| *octet == b'\n');
    let target = parts.next().unwrap_or_default();
    let mut request = Request::builder().uri(target);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(()) else {
        return;
    };
    let (head, ()) = request.into_parts();
    let ends = ["[::1]:7", "192.0.2.1:80"].map(|end| end.parse().expect("an address"));
    let peer = Peer::new(ends[0], ends[1]);
    let path = head.uri.path_and_query().map_or("", |target| target.path());
    for mount in ["", "/x", "/a%b"] {
        let Some(split) = MountedPath::split(&head.uri, mount) else {
            assert!(!mount.is_empty());
            continue;
        };
        let whole = [split.script_name.as_bytes(), &split.path_info].concat();
        assert_eq!(whole, decoded(path.as_bytes()));
        assert_eq!(split.script_name, mount);
        assert!(mount.is_empty() || split.path_info.is_empty() || split.path_info[0] == b'/');

        let gathered = Gathered::from(&head, &peer);
        let environ = gathered.environ(&head, &peer, &split, "id", true);
        assert!(!environ.server_name.is_empty());
        assert_eq!(environ.url_scheme, "http");
        assert_eq!(environ.remote_addr, "::1");
        for (name, _) in environ.headers {
            let forged = name.contains('_')
                || ["proxy", "forwarded", "content-length", "content-type"].contains(name)
                || name.starts_with("x-forwarded-");
            assert!(!forged, "{name} arrived");
        }
    }
});
