//! Whatever a guest sends as a head, what is taken of it cannot be read as anything
//! but one head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::start_response::ResponseHead;

fuzz_target!(|input: (u16, Vec<(String, Vec<u8>)>)| {
    let (status, fields) = input;
    let Ok(mut head) = ResponseHead::new(status, fields.len()) else {
        assert!(!(200..600).contains(&status));
        return;
    };
    assert!((200..600).contains(&status));
    let mut taken = 0;
    for (index, (name, value)) in (0..).zip(&fields) {
        let is_length = name.eq_ignore_ascii_case("content-length");
        if head.push(index, name, value).is_ok() && !is_length {
            taken += 1;
        }
    }
    // Each stays apart, and none is the server's own.
    assert_eq!(head.headers.len(), taken);
    for (name, value) in &head.headers {
        assert!(
            ![
                "connection",
                "transfer-encoding",
                "content-length",
                "upgrade",
                "te"
            ]
            .contains(&name.as_str())
        );
        assert!(
            name.as_str()
                .bytes()
                .all(|octet| octet.is_ascii_graphic() && !b":\"(),/".contains(&octet))
        );
        let octets = value.as_bytes();
        assert!(
            octets
                .iter()
                .all(|octet| *octet == b'\t' || (*octet >= b' ' && *octet != 0x7f))
        );
        assert_eq!(octets, octets.trim_ascii());
    }
});
