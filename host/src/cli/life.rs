//! Flags for whoever looks after a server: how it is, which process it is, and how
//! another takes its place.

use super::parse::duration;
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
    #[arg(long, value_name = "ADDRESS", value_parser = admin)]
    pub admin: Option<Address>,

    /// File to keep the process's id in
    #[arg(long, value_name = "FILE", alias = "pid")]
    pub pid_file: Option<PathBuf>,

    /// How long a new process may take, at SIGUSR2, until it serves
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub handover_timeout: Duration,
}

/// An address that nobody but this machine reaches: the listener asks for no
/// password.
fn admin(text: &str) -> Result<Address, String> {
    match text.parse()? {
        Address::Tcp(addr) if !addr.ip().to_canonical().is_loopback() => Err(
            "others could reach it, and it asks for no password; give an address of this machine only as 127.0.0.1:9000, or unix:PATH".into(),
        ),
        Address::Inherited(_) => Err("give IP:PORT as 127.0.0.1:9000, or unix:PATH".into()),
        address => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reaches_the_admin_listener() {
        for text in [
            "127.0.0.1:9000",
            "127.1.2.3:0",
            "[::1]:9000",
            "[::ffff:127.0.0.1]:1",
            "unix:/run/admin.sock",
        ] {
            assert!(admin(text).is_ok(), "{text}");
        }
        for text in [
            "0.0.0.0:9000",
            "[::]:9000",
            "10.0.0.1:9000",
            "[::ffff:10.0.0.1]:1",
            "fd:3",
            "localhost:1",
            "",
        ] {
            assert!(admin(text).is_err(), "{text}");
        }
    }
}
