//! Signals that ask something of the server.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that are heeded. Each is, from the moment that this is made.
pub struct Signals {
    stop: Stop,
    upgrade: Signal,
    /// None where there is nothing to reload; SIGHUP then ends the process, as it
    /// does when a terminal goes.
    reload: Option<Signal>,
}

struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// SIGINT or SIGTERM.
    Stop,
    /// SIGUSR2.
    Upgrade,
    /// SIGHUP.
    Reload,
}

impl Signals {
    /// Within a runtime. `reloads` says whether there is something to reload.
    pub fn new(reloads: bool) -> io::Result<Self> {
        let reload = match reloads {
            true => Some(signal(SignalKind::hangup())?),
            false => None,
        };
        Ok(Signals {
            stop: Stop {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            },
            upgrade: signal(SignalKind::user_defined2())?,
            reload,
        })
    }

    /// The next of them.
    pub async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.reload {
                Some(reload) => reload.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.stop.next() => Asked::Stop,
            _ = self.upgrade.recv() => Asked::Upgrade,
            _ = hangup => Asked::Reload,
        }
    }

    /// The next that asks to stop.
    pub async fn stop(&mut self) {
        self.stop.next().await;
    }

    /// From here on one that asks to stop ends the process at once.
    pub fn end_at_next(self) {
        tokio::spawn(async move {
            let Signals { mut stop, .. } = self;
            let signal = stop.next().await;
            // As a shell reports a process that a signal ended.
            std::process::exit(128 + signal.as_raw_value());
        });
    }
}

impl Stop {
    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        }
    }
}
