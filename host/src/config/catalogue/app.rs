//! What holds for an app, or for all of a tenant's.

use super::super::kind::{Key, Kind};
use super::{key, list};

const ANY: u64 = u64::MAX;

const ENV: Key = key(
    "env",
    Kind::Variables,
    "(none)",
    "Environment variables, each name with its value",
);
const CPU: Key = key("cpu", Kind::Time, "\"10s\"", "Time of a request on a CPU");
const TIMEOUT: Key = key(
    "timeout",
    Kind::Time,
    "\"60s\"",
    "Time of a request from its start to the end of its answer",
);
const MEMORY: Key = key(
    "memory",
    Kind::Size(0, ANY),
    "\"256MiB\"",
    "Memory of a request",
);
const TABLE_ELEMENTS: Key = key(
    "table-elements",
    Kind::Count(0, ANY),
    "100000",
    "Elements in a table",
);
const MAX_REQUEST_BODY: Key = key(
    "max-request-body",
    Kind::Size(0, ANY),
    "\"2GiB\"",
    "Size of a request's body",
);
const MAX_RESPONSE_BODY: Key = key(
    "max-response-body",
    Kind::Size(0, ANY),
    "\"2GiB\"",
    "Size of a response's body",
);
const MAX_RESPONSE_HEADERS: Key = key(
    "max-response-headers",
    Kind::Size(0, ANY),
    "\"64KiB\"",
    "Size of a response's header fields",
);
const LOG_RATE: Key = key(
    "log-rate",
    Kind::Size(0, ANY),
    "\"1MiB\"",
    "Log that the app may write in a second",
);
const CONCURRENCY: Key = key(
    "concurrency",
    Kind::Count(1, u32::MAX as u64),
    "(what memory allows for an app of its size, at most 1000)",
    "Requests that run at a time",
);
const QUEUE: Key = key(
    "queue",
    Kind::Count(0, ANY),
    "1024",
    "Requests that wait for a place; beyond them, 503",
);
const QUEUE_TIMEOUT: Key = key(
    "queue-timeout",
    Kind::Time,
    "\"5s\"",
    "How long a request waits for a place before it gets 503",
);

const REUSE: Key = key(
    "reuse",
    Kind::Count(1, u32::MAX as u64),
    "1",
    "Requests that an instance serves, one after the other; beyond 1 they share its memory",
);
const REUSE_FOR: Key = key(
    "reuse-for",
    Kind::Time,
    "\"60s\"",
    "How long an instance may serve, with reuse",
);

/// The keys of `[defaults]`.
pub const DEFAULTS: &[Key] = &[
    ENV,
    CPU,
    TIMEOUT,
    MEMORY,
    TABLE_ELEMENTS,
    MAX_REQUEST_BODY,
    MAX_RESPONSE_BODY,
    MAX_RESPONSE_HEADERS,
    LOG_RATE,
    CONCURRENCY,
    QUEUE,
    QUEUE_TIMEOUT,
    REUSE,
    REUSE_FOR,
];

/// The keys of an app, `[apps.NAME]`.
pub const APP: &[Key] = &[
    key(
        "component",
        Kind::Path,
        "(it has to be there)",
        "The component that is served",
    ),
    key(
        "tenant",
        Kind::Name,
        "(none)",
        "Whose app it is: a name from [tenants]",
    ),
    list(
        "hosts",
        Kind::Host,
        "(every host that no other app has)",
        "Hosts that it has: shop.example, or *.shop.example for all below",
    ),
    key(
        "mount",
        Kind::Mount,
        "\"/\"",
        "Path under which it is mounted (its script-name)",
    ),
    ENV,
    key(
        "secrets",
        Kind::Secrets,
        "(none)",
        "Environment variables that are shown nowhere, each from a file or a variable of this process",
    ),
    list(
        "dir",
        Kind::Dir,
        "(none)",
        "Directories to lend to it, HOST:GUEST or HOST:GUEST:ro",
    ),
    CPU,
    TIMEOUT,
    MEMORY,
    TABLE_ELEMENTS,
    MAX_REQUEST_BODY,
    MAX_RESPONSE_BODY,
    MAX_RESPONSE_HEADERS,
    LOG_RATE,
    CONCURRENCY,
    QUEUE,
    QUEUE_TIMEOUT,
    REUSE,
    REUSE_FOR,
];

/// The keys of a tenant, `[tenants.NAME]`.
pub const TENANT: &[Key] = &[
    key(
        "concurrency",
        Kind::Count(1, 1_000_000),
        "(as its apps may)",
        "Requests of all its apps that run at a time, or wait for a place of their app",
    ),
    key(
        "queue",
        Kind::Count(0, ANY),
        "1024",
        "Requests that wait for one of those; beyond them, 429",
    ),
    key(
        "queue-timeout",
        Kind::Time,
        "\"5s\"",
        "How long one of them waits before it gets 429",
    ),
    key(
        "weight",
        Kind::Count(1, 10_000),
        "100",
        "Its part of CPU time when that is scarce: twice the weight is twice the time",
    ),
    key(
        "memory",
        Kind::Size(0, ANY),
        "(a share of sandbox-memory)",
        "Memory of all its sandboxes together; beyond it, 429",
    ),
    key(
        "followers",
        Kind::Count(0, 1000),
        "8",
        "Logs that its tokens follow at a time; beyond them, 429",
    ),
    key(
        "uploads",
        Kind::Count(0, 1000),
        "4",
        "Components that its tokens deploy at a time; beyond them, 429",
    ),
    key(
        "log-rate",
        Kind::Size(0, ANY),
        "\"4MiB\"",
        "Log that all its apps may write in a second",
    ),
    list(
        "hosts",
        Kind::Host,
        "(those that nobody else has, and no public suffix)",
        "Hosts that it may deploy to, and no other tenant may: shop.example, or *.shop.example for all below",
    ),
    key(
        "max-apps",
        Kind::Count(0, u32::MAX as u64),
        "100",
        "Apps that it may have deployed",
    ),
    key(
        "max-versions",
        Kind::Count(1, u32::MAX as u64),
        "10",
        "Versions of each of its apps that are kept; the oldest goes",
    ),
    key(
        "max-hosts",
        Kind::Count(0, u32::MAX as u64),
        "1000",
        "Hosts of all its deployed apps together",
    ),
    key(
        "max-state",
        Kind::Size(0, ANY),
        "\"2GiB\"",
        "Components and settings that are kept for it, all versions together; beyond it, 507",
    ),
    key(
        "max-deploys",
        Kind::Count(1, 10_000),
        "4",
        "Deploys and other changes of its apps at a time; beyond them, 429",
    ),
    key(
        "deploys-per-minute",
        Kind::Count(1, 1_000_000),
        "60",
        "Deploys and other changes of its apps in a minute; beyond them, 429",
    ),
    key(
        "compile-time",
        Kind::Time,
        "\"60s\"",
        "CPU time for compiling its components in a minute; beyond it, 429",
    ),
];
