//! What a component may import: who lends it, and for what nobody does, where it
//! could come from.

use crate::capabilities::WASI_PACKAGES;

/// The interfaces that are lent, without their versions.
pub const LENT: [&str; 29] = [
    "rhost:gateway/server",
    "rhost:gateway/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// The version in which interfaces of a package are lent.
fn version(interface: &str) -> &'static str {
    match interface.starts_with("rhost:") {
        true => "0.1",
        false => "0.2",
    }
}

/// The interface that is lent and whose name is the nearest to `name`, with the
/// version in which it is; none when there is none like it.
pub fn nearest(name: &str) -> Option<String> {
    /// Below it two names have little more in common than their package.
    const ALIKE: f64 = 0.8;
    let interface = name.split('@').next().unwrap_or(name);
    let (alike, nearest) = LENT
        .iter()
        .map(|lent| {
            (
                strsim::normalized_damerau_levenshtein(interface, lent),
                lent,
            )
        })
        .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (alike >= ALIKE).then(|| format!("{nearest}@{}", version(nearest)))
}

/// What stands behind the import `name`, an interface with its version: the
/// flag, or whatever else an operator knows it by. None when nothing does.
pub fn lender(name: &str) -> Option<&'static str> {
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let (package, interface) = interface.split_once('/').unwrap_or((interface, ""));
    let known = LENT.contains(&name.split('@').next().unwrap_or(name));
    if package == "rhost:gateway" {
        return (known && version.starts_with("0.1.")).then_some("the gateway");
    }
    if !known || !version.starts_with("0.2.") {
        return None;
    }
    Some(match (package, interface) {
        ("wasi:cli", "environment") => "--env, nothing else",
        ("wasi:cli", "exit") => "ends the request",
        ("wasi:cli", "stdout" | "stderr") => "the log",
        ("wasi:cli", "stdin") => "empty",
        ("wasi:cli", _) => "no terminal",
        ("wasi:clocks", _) => "the host's clocks",
        ("wasi:filesystem", _) => "--dir, nothing else",
        ("wasi:random", _) => "the host's generator",
        ("wasi:sockets", _) => "every call is refused",
        _ => "streams of the above",
    })
}

/// What would provide the import `name`.
pub fn provider(name: &str) -> &'static str {
    let package = name.split(['/', '@']).next().unwrap_or(name);
    match package {
        "rhost:gateway" => {
            "built for another version of the gateway; rebuild it with an SDK for gateway 0.1"
        }
        "wasi:http" => "outbound HTTP is not lent; the request itself comes through rhost:gateway",
        "wasi:keyvalue" | "wasi:blobstore" | "wasi:messaging" | "wasi:sql" => {
            "there is no such store; a lent directory (--dir) can keep files"
        }
        "wasi:config" | "wasi:runtime-config" => "settings are environment variables here (--env)",
        "wasi:nn" | "wasi:tls" | "wasi:webgpu" | "wasi:logging" => {
            "not lent; standard error is logged"
        }
        package if WASI_PACKAGES.contains(&package) => {
            "only what is stable in WASI 0.2 is lent; build it for wasm32-wasip2"
        }
        _ => "compose the component with one that exports it, as `wac plug` does",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_finds_the_right_one() {
        for (name, right) in [
            (
                "wasi:cli/enviroment@0.2.0",
                Some("wasi:cli/environment@0.2"),
            ),
            (
                "wasi:cli/environment@0.3.0",
                Some("wasi:cli/environment@0.2"),
            ),
            (
                "rhost:gateway/serve@0.1.0",
                Some("rhost:gateway/server@0.1"),
            ),
            ("acme:db/sql", None),
            ("wasi:http/outgoing-handler@0.2.0", None),
        ] {
            assert_eq!(nearest(name).as_deref(), right, "{name}");
        }
        for interface in LENT {
            let name = format!("{interface}@{}.0", version(interface));
            assert!(lender(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_lent_has_a_lender() {
        for name in [
            "rhost:gateway/server@0.1.0",
            "wasi:io/streams@0.2.12",
            "wasi:cli/environment@0.2.0",
            "wasi:sockets/tcp@0.2.0",
        ] {
            assert!(lender(name).is_some(), "{name}");
        }
        for name in [
            "rhost:gateway/server@0.2.0",
            "wasi:cli/environment@0.3.0",
            "wasi:http/outgoing-handler@0.2.0",
            "acme:db/sql",
        ] {
            assert!(lender(name).is_none(), "{name}");
            assert!(!provider(name).is_empty());
        }
    }
}
