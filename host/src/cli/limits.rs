//! Flags that bound connections, what is done over one, and all sandboxes together.

use super::parse::{octets, window};
use clap::Args;
use rhost::commons::Sizes;
use rhost::settings::{ConnectionLimits, Http2Limits};

/// Limits of connections.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of connections")]
pub struct ConnectionArgs {
    /// Connections at a time; beyond them clients wait to be accepted; 0 for any number
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    max_connections: usize,

    /// Connections of one address at a time, or of one /64 of IPv6; beyond them, closed;
    /// 0 for any number
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_connections_per_peer: usize,

    /// Requests over one connection, which then ends; 0 for any number
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_requests_per_connection: u64,

    /// Requests at a time over one connection of HTTP/2
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    http2_max_streams: u32,

    /// What an HTTP/2 client may send of a body before the app reads it
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = window)]
    http2_window: u32,

    /// The same over all requests of its connection
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = window)]
    http2_connection_window: u32,

    /// Requests that an HTTP/2 client may take back before they were looked at; beyond
    /// them its connection is ended
    #[arg(long, value_name = "N", default_value_t = 20)]
    http2_max_resets: usize,

    /// Streams of an HTTP/2 client that may be reset for its faults; beyond them its
    /// connection is ended
    #[arg(long, value_name = "N", default_value_t = 1024)]
    http2_max_stream_errors: usize,

    /// Frames in a second with which an HTTP/2 client asks for nothing; beyond them its
    /// connection is ended
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..))]
    http2_max_control_frames: u32,
}

/// Limits of all sandboxes together.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of all sandboxes")]
pub struct SandboxArgs {
    /// Memory of all sandboxes together, beyond the first MiB of each; beyond it, 503
    /// [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE", value_parser = octets)]
    sandbox_memory: Option<u64>,
}

impl SandboxArgs {
    /// What they may have together, beside so many connections.
    pub fn sizes(&self, connections: &ConnectionLimits) -> Sizes {
        Sizes::of_this_machine(self.sandbox_memory, connections.connections)
    }
}

impl ConnectionArgs {
    /// The limits.
    pub fn limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections: self.max_connections,
            per_peer: self.max_connections_per_peer,
            requests: self.max_requests_per_connection,
            http2: Http2Limits {
                streams: self.http2_max_streams,
                window: self.http2_window,
                connection_window: self.http2_connection_window,
                resets: self.http2_max_resets,
                stream_errors: self.http2_max_stream_errors,
                control_frames: self.http2_max_control_frames,
            },
        }
    }
}
