//! Flags for whoever looks after a server: how it is, which process it is, and how
//! another takes its place.

use super::parse::{admin_address, duration, octets};
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

    /// Show at /metrics, over TCP and without a token, what tenants used too
    #[arg(long)]
    pub metrics_public: bool,

    /// Directory of what is deployed, by `rhost deploy`; a directory of your own. Beside it the admin
    /// listener is at DIR/admin.sock too
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Size of a component that is deployed; beyond it, 413
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = octets)]
    pub max_component: u64,

    /// File to keep the process's id in
    #[arg(long, value_name = "FILE", alias = "pid")]
    pub pid_file: Option<PathBuf>,

    /// How long a new process may take, at SIGUSR2, until it serves
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub handover_timeout: Duration,
}

impl LifeArgs {
    /// Where the admin listener is to be: at the address that is named, and in the
    /// state directory, where tokens can be made.
    pub fn admin_addresses(&self) -> Vec<Address> {
        let own = self.state.as_ref();
        let own = own.map(|state| Address::Unix(state.join("admin.sock")));
        let mut all: Vec<_> = self.admin.iter().cloned().chain(own).collect();
        all.dedup();
        all
    }
}
