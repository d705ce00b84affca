//! What whoever runs rhost decides: limits, time-outs and what an app is lent.
//! Plain data, checked where it is parsed; nothing here touches the world.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What one request may use. All are on by default, and the same in development
/// as in production. Each names the command's flag that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time on a CPU, waiting on the host not counted (`--cpu`).
    pub cpu: Duration,
    /// Time from the start of the guest to the end of its answer (`--timeout`).
    pub wall: Duration,
    /// Octets of linear memory, over all memories of the sandbox (`--memory`).
    pub memory: u64,
    /// Elements in a table (`--table-elements`).
    pub table_elements: usize,
    /// Octets of request body (`--max-request-body`).
    pub request_body: u64,
    /// Octets of response body (`--max-response-body`).
    pub response_body: u64,
    /// Octets of response fields, names and values together; it also bounds
    /// their number (`--max-response-headers`).
    pub response_headers: u64,
    /// Octets of log that an app may write in a second, with as much again in
    /// one burst (`--log-rate`).
    pub log_rate: u64,
    /// Requests of an app that run at a time (`--concurrency`). None: as many as
    /// the app's size class has slots.
    pub concurrency: Option<usize>,
    /// Requests that wait for one of those (`--queue`).
    pub queue: usize,
    /// How long one of them waits before it is answered 503 (`--queue-timeout`).
    pub queue_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            cpu: Duration::from_secs(10),
            wall: Duration::from_secs(60),
            memory: 256 * MIB,
            table_elements: 100_000,
            request_body: 2 * GIB,
            response_body: 2 * GIB,
            response_headers: 64 * KIB,
            log_rate: MIB,
            concurrency: None,
            queue: 1024,
            queue_timeout: Duration::from_secs(5),
        }
    }
}

/// How long an instance lives, in requests and in time. By default it serves one
/// request, and nothing that the guest has in memory is ever another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Requests that an instance serves, one after the other (`--reuse`).
    pub requests: u32,
    /// Time from its start, after which it serves no other request, and is dropped
    /// should it wait for one (`--reuse-for`).
    pub age: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Reuse {
            requests: 1,
            age: Duration::from_secs(60),
        }
    }
}

impl Reuse {
    /// Whether an instance may serve more than one request.
    pub fn is_on(&self) -> bool {
        self.requests > 1
    }
}

/// How sockets are bound.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Whether others may bind the same port beside this process
    /// (`--reuse-port`).
    pub reuse_port: bool,
    /// Who may connect to a Unix socket, as a mode of files (`--unix-mode`).
    pub unix_mode: u32,
}

impl Default for Listening {
    fn default() -> Self {
        Listening {
            reuse_port: false,
            unix_mode: 0o600,
        }
    }
}

/// How large the head of a request may be. What is beyond is refused before an app
/// is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// Octets of the request line; over HTTP/2, of the path with its query
    /// (`--max-request-line`). Beyond them: 414.
    pub request_line: usize,
    /// Header fields (`--max-header-fields`). Beyond them: 431.
    pub fields: usize,
    /// Octets of the whole head (`--max-header-size`). Beyond them: 431.
    pub octets: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        HeadLimits {
            request_line: 8 << 10,
            fields: 100,
            octets: 64 << 10,
        }
    }
}

/// How many connections there may be, and what may be done over one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections in all (`--max-connections`). Beyond them none is accepted
    /// until one ends. 0 for any number.
    pub connections: usize,
    /// Connections of one address, or of one /64 of IPv6
    /// (`--max-connections-per-peer`). Beyond them they are closed. 0 for any
    /// number, which is what a proxy in front needs: to the host it is one peer.
    pub per_peer: usize,
    /// Requests over one connection, which then ends
    /// (`--max-requests-per-connection`). 0 for any number: nothing gathers over a
    /// connection's life.
    pub requests: u64,
    /// HTTP/2.
    pub http2: Http2Limits,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        ConnectionLimits {
            connections: 16_384,
            per_peer: 0,
            requests: 0,
            http2: Http2Limits::default(),
        }
    }
}

/// What a client may do over a connection of HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2Limits {
    /// Requests at a time (`--http2-max-streams`). Beyond them a stream is
    /// refused (RFC 9113, section 5.1.2).
    pub streams: u32,
    /// Octets of a request's body that may be sent before the app reads them
    /// (`--http2-window`; RFC 9113, section 5.2).
    pub window: u32,
    /// The same over all streams (`--http2-connection-window`).
    pub connection_window: u32,
    /// Streams that were reset by the client before anyone looked at them
    /// (`--http2-max-resets`). Beyond them the connection ends.
    pub resets: usize,
    /// Streams that had to be reset because of the client's faults
    /// (`--http2-max-stream-errors`). Beyond them the connection ends.
    pub stream_errors: usize,
    /// Frames in a second that ask for nothing and carry nothing
    /// (`--http2-max-control-frames`). Beyond them the connection ends.
    pub control_frames: u32,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Http2Limits {
            streams: 128,
            window: 1 << 20,
            connection_window: 1 << 20,
            resets: 20,
            stream_errors: 1024,
            control_frames: 1000,
        }
    }
}

/// How long the server waits for a client.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For the handshake of TLS, and before it for the header of the PROXY protocol
    /// (`--handshake-timeout`).
    pub handshake: Duration,
    /// For the whole head of a request, from its first octet; of the first one,
    /// from the beginning of the connection (`--header-timeout`).
    pub header: Duration,
    /// For the next request on a connection that was used (`--keep-alive`).
    pub keep_alive: Duration,
    /// For the next octets of a request's body (`--body-timeout`).
    pub body: Duration,
    /// For a client to take what is being sent (`--write-timeout`).
    pub write: Duration,
    /// For more of an answer to a client that has closed its sending side
    /// (`--half-close`). Zero takes such a client for one that has left.
    pub half_close: Duration,
    /// For requests in flight when the server is told to stop (`--grace`).
    pub grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(30),
            // Longer than the minute for which a balancer in front may keep it, so
            // that it is not this end that closes as a request is on its way.
            keep_alive: Duration::from_secs(75),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            // Clients that do so wait for an answer that takes a moment; one that has
            // left for good looks the same until something is sent to it.
            half_close: Duration::from_secs(5),
            grace: Duration::from_secs(30),
        }
    }
}

/// What is answered to a request for a host that no app has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownHost {
    /// 421: this server is not the one for it (RFC 9110, section 15.5.20). A client
    /// that came over a connection for another host asks again over one of its own.
    #[default]
    Misdirected,
    /// 404, as a server does that has a page for every host.
    NotFound,
}

/// The weight of who has none of its own: a tenant, or an app that is no tenant's.
pub const COMMON_WEIGHT: u32 = 100;

/// What all apps of one tenant may use together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSettings {
    /// Requests of its apps that run at a time, those that wait for a place of their
    /// app included. None: as many as its apps may.
    pub concurrency: Option<usize>,
    /// Requests that wait for one of those.
    pub queue: usize,
    /// How long one of them waits before it is answered 429.
    pub queue_timeout: Duration,
    /// Its part of the time on CPUs when that is scarce, beside the weights of others.
    pub weight: u32,
    /// Octets of memory that its sandboxes may have together, beyond the little that is
    /// not counted. None: a share of what there is.
    pub memory: Option<u64>,
    /// What its tokens may ask of the admin API at a time.
    pub api: ApiQuota,
    /// Bytes of log that its apps may write in a second, all together, with as much again
    /// in one burst.
    pub log_rate: u64,
}

/// What the tokens of one tenant may ask of the admin API at a time. Beyond it: 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiQuota {
    /// Logs that are followed.
    pub followers: usize,
    /// Components that are deployed.
    pub uploads: usize,
}

impl Default for ApiQuota {
    fn default() -> Self {
        ApiQuota {
            followers: 8,
            uploads: 4,
        }
    }
}

impl Default for TenantSettings {
    fn default() -> Self {
        let Limits {
            queue,
            queue_timeout,
            ..
        } = Limits::default();
        TenantSettings {
            concurrency: None,
            queue,
            queue_timeout,
            weight: COMMON_WEIGHT,
            memory: None,
            api: ApiQuota::default(),
            log_rate: 4 * MIB,
        }
    }
}

/// What a tenant may have and do by deploying. The operator is bound by none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Apps that are deployed.
    pub apps: usize,
    /// Versions of each app that are kept. The oldest goes when there is one more.
    pub versions: usize,
    /// Hosts of all its deployed apps together.
    pub hosts: usize,
    /// Bytes of all components and settings that are kept for it.
    pub state: u64,
    /// Deploys and other changes at a time.
    pub deploys: usize,
    /// Deploys and other changes in a minute, with as many in one burst.
    pub deploys_per_minute: u32,
    /// CPU time of compiling in a minute.
    pub compile_time: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        Quotas {
            apps: 100,
            versions: 10,
            hosts: 1000,
            state: 2 * GIB,
            deploys: 4,
            deploys_per_minute: 60,
            compile_time: Duration::from_secs(60),
        }
    }
}

/// A value that is shown to the app it is for, and nowhere else: neither in a log nor
/// by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `value`.
    pub fn new(value: String) -> Self {
        Secret(value)
    }

    /// The value, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A directory of the host that an app is lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LentDir {
    /// Where it is on the host.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// An app: its name and what it is lent. Nothing that is not named here reaches
/// a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppSettings {
    /// What logs call it.
    pub name: String,
    /// Whose it is, if anybody's.
    pub tenant: Option<String>,
    /// The path under which it is mounted: empty, or `/x` without a slash at the
    /// end.
    pub mount: String,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Environment variables that nobody else is to see.
    pub secrets: Vec<(String, Secret)>,
    /// Directories.
    pub dirs: Vec<LentDir>,
    /// What each of its requests may use.
    pub limits: Limits,
    /// How often its instances may serve.
    pub reuse: Reuse,
    /// Whether it is being developed: a client at this machine then sees why a
    /// request failed (`--dev`).
    pub dev: bool,
    /// The directory of the crate that it was built from, of which a developer is
    /// shown the lines that failed.
    pub source: Option<PathBuf>,
}
