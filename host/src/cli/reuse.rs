//! Flags by which an app's owner gives up a little of the isolation for speed.

use super::parse::duration;
use clap::Args;
use rhost::settings::Reuse;
use std::time::Duration;

/// How long an instance lives.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reuse of instances")]
pub struct ReuseArgs {
    /// Requests that an instance serves, one after the other, before it is dropped;
    /// beyond 1, what the app leaves in memory is there in a later request
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    reuse: u32,

    /// How long an instance may serve, with --reuse
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, requires = "reuse")]
    reuse_for: Duration,
}

impl ReuseArgs {
    /// What they allow.
    pub fn reuse(&self) -> Reuse {
        Reuse {
            requests: self.reuse,
            age: self.reuse_for,
        }
    }
}
