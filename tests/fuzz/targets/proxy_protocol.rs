//! A header of the PROXY protocol names the ends that are written in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::proxy::protocol::{Ends, parse};

/// How a header of version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fuzz_target!(|header: &[u8]| {
    let Ok(Some(Ends {
        source,
        destination,
    })) = parse(header)
    else {
        return;
    };
    assert_eq!(source.is_ipv4(), destination.is_ipv4());
    // One of version 2 may be text as well.
    if !header.starts_with(SIGNATURE)
        && let Ok(text) = str::from_utf8(header)
        && let Some(line) = text.strip_suffix("\r\n")
    {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words.len(), 6);
        assert_eq!(words[0], "PROXY");
        let ends = [source.ip(), destination.ip()].map(|addr| Some(addr));
        assert_eq!([words[2].parse().ok(), words[3].parse().ok()], ends);
        assert_eq!(
            [words[4], words[5]],
            [source.port(), destination.port()].map(|port| port.to_string())
        );
        assert!(header.len() <= 107);
    }
});
