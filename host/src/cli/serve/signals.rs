//! Signals that ask the server to stop.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Ready at the first SIGINT or SIGTERM. A second one ends the process at once.
pub fn stop(quiet: bool) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    Ok(async move {
        next().await;
        if !quiet {
            eprintln!("rhost: stopping; requests in flight may finish, a second signal cuts them");
        }
        tokio::spawn(async move {
            let signal = next().await;
            // As a shell reports a process that a signal ended.
            std::process::exit(128 + signal.as_raw_value());
        });
    })
}
