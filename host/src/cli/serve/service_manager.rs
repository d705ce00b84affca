//! What systemd is told of the server (sd_notify(3)), if it asked for it by
//! `NOTIFY_SOCKET`.

use sd_notify::NotifyState;

/// It serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Another process is started in its place.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!("there is no clock: {error}"),
    }
}

/// The process `pid` serves from here on. systemd then hears of the rest from that
/// one, as it listens to the main process only (`NotifyAccess=main`).
pub fn succeeded_by(pid: u32) {
    tell(&[NotifyState::MainPid(pid)]);
}

/// It stops.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("systemd cannot be told: {error} (NOTIFY_SOCKET)");
    }
}
