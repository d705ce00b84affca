//! What holds for the process.

use super::super::kind::{Key, Kind};
use super::{key, list};

const ANY: u64 = u64::MAX;
const MIB: u64 = 1 << 20;

/// The keys of `[server]`.
pub const SERVER: &[Key] = &[
    list(
        "addr",
        Kind::Address,
        "(what systemd passes, else 127.0.0.1:8000)",
        "Addresses to listen on: IP:PORT, unix:PATH or fd:N",
    ),
    key(
        "unix-mode",
        Kind::Mode,
        "\"600\"",
        "Mode of Unix sockets, in octal",
    ),
    key(
        "reuse-port",
        Kind::Switch,
        "false",
        "Let other processes listen on the same port",
    ),
    list(
        "tls-cert",
        Kind::Path,
        "(none)",
        "Certificates for TLS, in PEM, each for the names in it",
    ),
    list(
        "tls-key",
        Kind::Path,
        "(none)",
        "Their keys, in the same order",
    ),
    key(
        "tls-self-signed",
        Kind::Switch,
        "false",
        "TLS with a certificate made here, for development",
    ),
    key(
        "tls-client-ca",
        Kind::Path,
        "(none)",
        "Certificates of those who sign clients' certificates, in PEM",
    ),
    key(
        "handshake-timeout",
        Kind::Time,
        "\"10s\"",
        "For the handshake of TLS, and the header of the PROXY protocol",
    ),
    list(
        "trusted-proxy",
        Kind::Network,
        "(nobody)",
        "Proxies that are believed in who the client is: addresses, networks, or unix",
    ),
    key(
        "proxy-headers",
        Kind::Choice(&["x-forwarded", "forwarded"]),
        "\"x-forwarded\"",
        "Fields in which they say so; the other ones are dropped",
    ),
    key(
        "proxy-protocol",
        Kind::Switch,
        "false",
        "Every connection begins with a header of the PROXY protocol",
    ),
    key(
        "unknown-host",
        Kind::Choice(&["421", "404"]),
        "421",
        "What a request for a host gets that no app has",
    ),
    key(
        "max-connections",
        Kind::Count(0, ANY),
        "16384",
        "Connections at a time; 0 for any number",
    ),
    key(
        "max-connections-per-peer",
        Kind::Count(0, ANY),
        "0",
        "Connections of one address, or of one /64 of IPv6; 0 for any number",
    ),
    key(
        "max-requests-per-connection",
        Kind::Count(0, ANY),
        "0",
        "Requests over one connection, which then ends; 0 for any number",
    ),
    key(
        "http2-max-streams",
        Kind::Count(1, u32::MAX as u64),
        "128",
        "Requests at a time over one connection of HTTP/2",
    ),
    key(
        "http2-window",
        Kind::Size(65_535, 0x7fff_ffff),
        "\"1MiB\"",
        "What an HTTP/2 client may send of a body before the app reads it",
    ),
    key(
        "http2-connection-window",
        Kind::Size(65_535, 0x7fff_ffff),
        "\"1MiB\"",
        "The same over all requests of its connection",
    ),
    key(
        "http2-max-resets",
        Kind::Count(0, ANY),
        "20",
        "Requests that an HTTP/2 client may take back before they were looked at",
    ),
    key(
        "http2-max-stream-errors",
        Kind::Count(0, ANY),
        "1024",
        "Streams of an HTTP/2 client that may be reset for its faults",
    ),
    key(
        "http2-max-control-frames",
        Kind::Count(10, u32::MAX as u64),
        "1000",
        "Frames in a second with which an HTTP/2 client asks for nothing",
    ),
    key(
        "max-request-line",
        Kind::Size(256, MIB),
        "\"8KiB\"",
        "Size of the request line; beyond it, 414",
    ),
    key(
        "max-header-fields",
        Kind::Count(1, 10_000),
        "100",
        "Number of header fields; beyond it, 431",
    ),
    key(
        "max-header-size",
        Kind::Size(256, MIB),
        "\"64KiB\"",
        "Size of the whole head; beyond it, 431",
    ),
    key(
        "header-timeout",
        Kind::Time,
        "\"30s\"",
        "For the head of a request",
    ),
    key(
        "keep-alive",
        Kind::Time,
        "\"75s\"",
        "For the next request on a connection that was used",
    ),
    key(
        "body-timeout",
        Kind::Time,
        "\"30s\"",
        "For more of a request's body",
    ),
    key(
        "write-timeout",
        Kind::Time,
        "\"30s\"",
        "For a client to take what is being sent",
    ),
    key(
        "grace",
        Kind::Time,
        "\"30s\"",
        "For requests in flight when told to stop",
    ),
    key(
        "admin",
        Kind::AdminAddress,
        "(none)",
        "Address of the admin listener: IP:PORT of this machine only, or unix:PATH",
    ),
    key(
        "state",
        Kind::Path,
        "(none)",
        "Directory of what is deployed, by `rhost deploy`; a directory of your own",
    ),
    key(
        "max-component",
        Kind::Size(0, ANY),
        "\"64MiB\"",
        "Size of a component that is deployed; beyond it, 413",
    ),
    key(
        "pid-file",
        Kind::Path,
        "(none)",
        "File to keep the process's id in",
    ),
    key(
        "handover-timeout",
        Kind::Time,
        "\"60s\"",
        "How long a new process may take, at SIGUSR2, until it serves",
    ),
    key(
        "otlp",
        Kind::Collector,
        "(none)",
        "Collector of OpenTelemetry that spans are sent to: http://HOST:PORT",
    ),
    key(
        "otlp-ratio",
        Kind::Ratio,
        "1",
        "Part of the traces beginning here that is recorded, from 0 to 1",
    ),
    key(
        "threads",
        Kind::Count(1, 65_535),
        "(one for each core)",
        "Threads that serve requests",
    ),
    key(
        "cache-dir",
        Kind::Path,
        "(rhost in the user's cache directory)",
        "Where compiled code is kept; a directory of your own",
    ),
    key(
        "compile-cpu",
        Kind::Time,
        "\"120s\"",
        "Time on CPUs for compiling one component, in whole seconds",
    ),
    key(
        "compile-memory",
        Kind::Size(0, ANY),
        "\"4GiB\"",
        "Memory for compiling one component",
    ),
    key(
        "memory-budget",
        Kind::Size(1 << 20, ANY),
        "(half of the machine's memory)",
        "Memory that loaded apps may take together, beside their sandboxes; those used least recently are let go",
    ),
    key(
        "sandbox-memory",
        Kind::Size(0, ANY),
        "(half of the machine's memory)",
        "Memory of all sandboxes together; beyond it, 503",
    ),
    key(
        "watch",
        Kind::Switch,
        "false",
        "Apply the file when it, a component or a secret changes, as SIGHUP does",
    ),
    key(
        "dev",
        Kind::Switch,
        "false",
        "Show a client on this machine why a request failed",
    ),
    key(
        "quiet",
        Kind::Switch,
        "false",
        "Say nothing but what goes wrong",
    ),
    key(
        "access-log",
        Kind::Switch,
        "true",
        "Whether to write a line for each request",
    ),
    key(
        "log-format",
        Kind::Choice(&["text", "json"]),
        "\"text\"",
        "How lines of both logs are written",
    ),
    key(
        "access-log-format",
        Kind::Choice(&["text", "common", "combined", "json"]),
        "(as log-format says)",
        "How lines of the access log are written",
    ),
];
