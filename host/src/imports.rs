//! What a component may import: who lends it, and for what nobody does, where it
//! could come from.

use crate::capabilities::WASI_PACKAGES;

/// What stands behind the import `name`, an interface with its version: the
/// flag, or whatever else an operator knows it by. None when nothing does.
pub fn lender(name: &str) -> Option<&'static str> {
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let (package, interface) = interface.split_once('/').unwrap_or((interface, ""));
    if package == "rhost:gateway" {
        return version.starts_with("0.1.").then_some("the gateway");
    }
    if !WASI_PACKAGES.contains(&package) || !version.starts_with("0.2.") {
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
            "only WASI 0.2 is lent; build it for wasm32-wasip2"
        }
        _ => "compose the component with one that exports it, as `wac plug` does",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
