//! Flags for whoever looks after a server: how it is, which process it is, and how
//! another takes its place.

use super::parse::{admin_address, duration};
use clap::Args;
use rhost::socket::Address;
use std::path::PathBuf;
use std::time::Duration;

/// A server's life.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looking after it")]
pub struct LifeArgs {
    /// Address of the admin listener, which has /live, /ready and /metrics:
    /// IP:PORT of this machine only, or unix:PATH
    #[arg(long, value_name = "ADDRESS", value_parser = admin_address)]
    pub admin: Option<Address>,

    /// File to keep the process's id in
    #[arg(long, value_name = "FILE", alias = "pid")]
    pub pid_file: Option<PathBuf>,

    /// How long a new process may take, at SIGUSR2, until it serves
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub handover_timeout: Duration,
}
