//! Flags that bound an app and each of its requests.

use super::parse::{duration, octets};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of one request")]
pub(super) struct LimitArgs {
    /// Time on a CPU
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) cpu: Duration,

    /// Time from its start to the end of its answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(super) timeout: Duration,

    /// Memory
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = octets)]
    pub(super) memory: u64,

    /// Elements in a table
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(super) table_elements: usize,

    /// Size of a request's body
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = octets)]
    pub(super) max_request_body: u64,

    /// Size of a response's body
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = octets)]
    pub(super) max_response_body: u64,

    /// Size of a response's header fields
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = octets)]
    pub(super) max_response_headers: u64,

    /// Log that the app may write in a second
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = octets, help_heading = "Limits of the app")]
    pub(super) log_rate: u64,

    /// Requests that run at a time [default: what memory allows for an app of its size, at most 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits of the app")]
    pub(super) concurrency: Option<u32>,

    /// Requests that wait for a place; beyond them, 503
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1024,
        help_heading = "Limits of the app"
    )]
    pub(super) queue: usize,

    /// How long a request waits for a place before it gets 503
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = "Limits of the app")]
    pub(super) queue_timeout: Duration,
}
