//! Whatever a file has whose text is a secret, it is that or refused; and whatever stands
//! where a secret should be named, no error repeats it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::config::{Config, SecretSource, told, toml_of};
use serde_json::{Map, Value, json};

/// Shorter ones may be words of the error by chance.
const LEAST: usize = 8;

fuzz_target!(|input: &[u8]| {
    of_a_file(input);
    if let Ok(text) = std::str::from_utf8(input) {
        in_the_settings(text);
    }
});

fn of_a_file(octets: &[u8]) {
    let path = std::env::temp_dir().join(format!("rhost-fuzz-secrets-{}", std::process::id()));
    std::fs::write(&path, octets).expect("it can be written");
    match SecretSource::File(path).reveal() {
        Ok(secret) => {
            let value = secret.reveal();
            assert!(!value.contains('\0'));
            let end = octets.strip_prefix(value.as_bytes()).expect("it begins so");
            assert!([&b""[..], b"\n", b"\r\n", b"\r"].contains(&end), "{end:?}");
            assert_eq!(format!("{secret:?}"), "Secret(***)");
        }
        Err(why) => {
            assert!(!why.is_empty() && !why.contains('\n'), "{why}");
            assert!(octets.contains(&0) || std::str::from_utf8(octets).is_err(), "{why}");
        }
    }
}

fn in_the_settings(text: &str) {
    for source in [
        json!(text),
        json!([text]),
        json!({ "file": [text] }),
        json!({ "env": { "x": text } }),
        json!({ "value": text }),
        json!({ "file": "a", "env": text }),
    ] {
        let secrets: Map<String, Value> = [("A".to_owned(), source)].into_iter().collect();
        let settings: Map<String, Value> =
            [("secrets".to_owned(), Value::from(secrets))].into_iter().collect();
        let planned = Config::of_no_file().deployed("a", 0, &toml_of(&settings));
        let problems = planned.expect_err("it names no file and no variable");
        let said = told(&problems);
        assert!(!said.is_empty() && !said.contains('\n'), "{said}");
        let is_plain = text.len() >= LEAST && text.bytes().all(|octet| octet.is_ascii_digit());
        assert!(!is_plain || !said.contains(text), "{said}");
    }
}
