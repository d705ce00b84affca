//! How a crate is compiled for production: settings of cargo's profile
//! `release`, in so far as the crate leaves them open.

use serde::Serialize;
use toml_edit::DocumentMut;

/// What makes components small and fast. Measured with rustc 1.95 on
/// examples/hello and on a new site: against cargo's defaults these two take a
/// quarter off the file (137,144 octets to 104,669, and 168,535 to 129,747) and 7
/// % off the user time of a request for a kilobyte of JSON (16.4 to 15.3 µs);
/// `lto = "thin"` takes off half as much of the file, and the same time.
/// `opt-level` is left at cargo's 3: `"s"` would save another 2 to 3 % of the
/// file and cost that request 18.9 µs; `"z"` costs 22.4, and saves nothing.
const SETTINGS: [(&str, Value); 2] = [
    ("lto", Value::Text("fat")),
    ("codegen-units", Value::Number(1)),
];

/// What a setting is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A word.
    Text(&'static str),
    /// A number.
    Number(u32),
}

/// A setting that is given to cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in a profile.
    pub key: &'static str,
    /// What it is set to.
    pub value: Value,
}

impl Setting {
    /// As an argument of cargo's `--config`.
    pub fn argument(&self) -> String {
        let Setting { key, value } = self;
        match value {
            Value::Text(text) => format!("profile.release.{key}=\"{text}\""),
            Value::Number(number) => format!("profile.release.{key}={number}"),
        }
    }
}

/// The settings that a crate leaves open: neither the manifest of its workspace
/// has them in `[profile.release]`, nor does the environment, as
/// `CARGO_PROFILE_RELEASE_LTO`. Those of `.cargo/config.toml` cannot be known
/// here, and are overridden.
pub fn open(manifest: &str, in_environment: impl Fn(&str) -> bool) -> Vec<Setting> {
    // What cannot be read is cargo's to complain of.
    let manifest: DocumentMut = manifest.parse().unwrap_or_default();
    let release = manifest
        .get("profile")
        .and_then(|profiles| profiles.get("release"));
    let is_set = |key: &str| {
        release
            .and_then(|release| release.get(key))
            .is_some_and(|item| !item.is_none())
    };
    SETTINGS
        .into_iter()
        .map(|(key, value)| Setting { key, value })
        .filter(|setting| !is_set(setting.key) && !in_environment(&variable(setting.key)))
        .collect()
}

/// The variable of the environment that sets it too.
fn variable(key: &str) -> String {
    let key = key.to_uppercase().replace('-', "_");
    format!("CARGO_PROFILE_RELEASE_{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(manifest: &str, environment: &str) -> Vec<String> {
        let settings = open(manifest, |name| name == environment);
        settings.iter().map(Setting::argument).collect()
    }

    #[test]
    fn what_is_left_open_is_set() {
        let all = [
            "profile.release.lto=\"fat\"",
            "profile.release.codegen-units=1",
        ];
        assert_eq!(arguments("", ""), all);
        assert_eq!(arguments("[profile.dev]\nlto = false", ""), all);
        assert_eq!(
            arguments("[profile.release.package.x]\ncodegen-units = 4", ""),
            all
        );
        assert_eq!(arguments("not toml", ""), all);
    }

    #[test]
    fn what_the_crate_sets_stays() {
        assert_eq!(
            arguments("[profile]\nrelease = { lto = false }", ""),
            ["profile.release.codegen-units=1"]
        );
        assert_eq!(
            arguments("[profile.release]\nlto = \"off\"\ncodegen-units = 16", ""),
            [""; 0]
        );
        assert_eq!(
            arguments("", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS"),
            ["profile.release.lto=\"fat\""]
        );
    }
}
