//! A target that hyper does not take is given back as it was sent.
#![no_main]

use http::{Request, Uri};
use libfuzzer_sys::fuzz_target;
use rhost::gate::target::{SentTarget, blank, restore};

fuzz_target!(|octets: &[u8]| {
    let sent: Vec<u8> = [b"/", octets].concat();
    // What the gate refuses, or hyper for its length, percent-encoded as well.
    let is_target = |octet: &u8| !matches!(octet, 0..=b' ' | b'#' | 0x7f);
    if !sent.iter().all(is_target) || sent.len() > 16_000 {
        return;
    }
    let mut blanked = sent.clone();
    assert_eq!(&*blank(&mut blanked), sent);
    assert_eq!(blanked.len(), sent.len());
    let uri = Uri::try_from(blanked).expect("hyper takes it");
    let mut head = Request::get(uri).body(()).unwrap().into_parts().0;
    restore(&mut head, &sent).expect("it is short enough");
    let text = head.extensions.get::<SentTarget>().expect("it is kept");
    // Percent-encoded, it is what it was; and where a query begins is the same.
    let path = head.uri.path_and_query().expect("a path");
    let query = path.query().unwrap_or_default();
    assert_eq!(decoded(path.as_str()), decoded_octets(&sent));
    assert_eq!(decoded(query), decoded(text.query()));
    match std::str::from_utf8(&sent) {
        Ok(sent) => assert_eq!(text.as_str(), sent),
        Err(_) => assert_eq!(decoded(text.as_str()), decoded_octets(&sent)),
    }
});

fn decoded(text: &str) -> Vec<u8> {
    decoded_octets(text.as_bytes())
}

fn decoded_octets(octets: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(octets).collect()
}
