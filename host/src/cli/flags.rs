//! What `rhost serve` takes on its command line.

use super::app::AppArgs;
use super::life::LifeArgs;
use super::limits::{ConnectionArgs, SandboxArgs};
use super::listen::ListenArgs;
use super::parse::{duration, head_size, time_or_none};
use super::proxy::ProxyArgs;
use super::traces::TraceArgs;
use clap::{Args, ValueEnum};
use rhost::access_log;
use rhost::log::Format;
use rhost::settings::{HeadLimits, Timeouts};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// File that says what is served, and how: many apps, by host and path; flags beside it
    /// win over its [server]. See `rhost config --help`
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Show a client on this machine why a request failed
    /// [default: on for what is built, off for a component]
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(super) dev: Option<Switch>,

    /// Build and load the app again when what it is made from changes; requests
    /// go on, and with --dev a browser loads its page again. With -c: apply the file
    /// when it, a component or a secret changes
    #[arg(long)]
    pub(super) watch: bool,

    /// Say nothing but what goes wrong; the access log has its own flag
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Whether to write a line for each request
    #[arg(long, value_name = "WHEN", default_value = "on")]
    pub(super) access_log: Switch,

    /// How lines of both logs are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,

    /// How lines of the access log are written [default: as --log-format says]
    #[arg(long, value_name = "FORMAT")]
    pub(super) access_log_format: Option<AccessLogFormat>,

    /// Threads that serve requests [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,

    // What comes after it comes under its last heading.
    #[command(flatten)]
    pub(super) app: AppArgs,

    #[command(flatten)]
    pub(super) listen: ListenArgs,

    #[command(flatten)]
    pub(super) proxy: ProxyArgs,

    #[command(flatten)]
    pub(super) head: HeadArgs,

    #[command(flatten)]
    pub(super) connections: ConnectionArgs,

    #[command(flatten)]
    pub(super) sandboxes: SandboxArgs,

    #[command(flatten)]
    pub(super) timeouts: TimeoutArgs,

    #[command(flatten)]
    pub(super) life: LifeArgs,

    #[command(flatten)]
    pub(super) traces: TraceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// An object a line, for programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AccessLogFormat {
    /// For people
    Text,
    /// The Common Log Format, as Apache writes it
    Common,
    /// The same with Referer and User-Agent
    Combined,
    /// An object a line, for programs
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of a request's head")]
pub(super) struct HeadArgs {
    /// Size of the request line; beyond it, 414
    #[arg(long, value_name = "SIZE", default_value = "8KiB", value_parser = head_size)]
    pub(super) max_request_line: usize,

    /// Number of header fields; beyond it, 431
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) max_header_fields: u16,

    /// Size of the whole head; beyond it, 431
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = head_size)]
    pub(super) max_header_size: usize,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How long to wait")]
pub(super) struct TimeoutArgs {
    /// For the head of a request
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) header_timeout: Duration,

    /// For the next request on a connection that was used
    #[arg(long, value_name = "TIME", default_value = "75s", value_parser = duration)]
    pub(super) keep_alive: Duration,

    /// For more of a request's body
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) body_timeout: Duration,

    /// For a client to take what is being sent
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) write_timeout: Duration,

    /// For more of an answer to a client that has closed its sending side
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time_or_none)]
    pub(super) half_close: Duration,

    /// For requests in flight when told to stop
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) grace: Duration,
}

impl Serve {
    pub(super) fn log_format(&self) -> Format {
        match self.log_format {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        }
    }

    pub(super) fn access_log_format(&self) -> access_log::Format {
        match (self.access_log_format, self.log_format) {
            (Some(AccessLogFormat::Common), _) => access_log::Format::Common,
            (Some(AccessLogFormat::Combined), _) => access_log::Format::Combined,
            (Some(AccessLogFormat::Json), _) | (None, LogFormat::Json) => access_log::Format::Json,
            (Some(AccessLogFormat::Text), _) | (None, LogFormat::Text) => access_log::Format::Text,
        }
    }

    pub(super) fn head_limits(&self) -> HeadLimits {
        HeadLimits {
            request_line: self.head.max_request_line,
            fields: usize::from(self.head.max_header_fields),
            octets: self.head.max_header_size,
        }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        Timeouts {
            handshake: self.listen.handshake_timeout,
            header: self.timeouts.header_timeout,
            keep_alive: self.timeouts.keep_alive,
            body: self.timeouts.body_timeout,
            write: self.timeouts.write_timeout,
            half_close: self.timeouts.half_close,
            grace: self.timeouts.grace,
        }
    }
}
