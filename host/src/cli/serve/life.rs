//! From the moment that a server accepts connections to the one from which it
//! drains: told to stop, or succeeded by another process.

use super::pid_file::PidFile;
use super::reload::Reloads;
use super::service_manager;
use super::signals::{Asked, Signals};
use rhost::admin::{Admin, Health, Pages, Serving};
use rhost::handover::{Predecessor, Role, Successor};
use rhost::listener::Handed;
use rhost::roster::Steward;
use rhost::store::StoreError;
use std::path::PathBuf;
use std::time::Duration;

/// How often to look whether a process that was stopped has released the store, and
/// how long to wait in between.
const RELEASES: u32 = 500;
const RELEASE: Duration = Duration::from_millis(10);

/// What there is of a server besides connections.
pub struct Life {
    pub signals: Signals,
    pub health: Health,
    /// Sockets, to be handed over.
    pub sockets: Vec<(Role, Handed)>,
    pub pid_file: Option<PathBuf>,
    pub patience: Duration,
    /// Who applies a file again, if there is one.
    pub reloads: Option<Reloads>,
    /// Who has what is deployed, of which another process has to be left the files.
    pub steward: Option<Steward>,
    pub quiet: bool,
}

/// What another process can have in one place only; it goes with this.
#[derive(Default)]
pub struct Belongings {
    pub admin: Vec<Serving>,
    pub pid_file: Option<PidFile>,
}

impl Life {
    /// Takes the place of the process before, if there was any, and returns when it
    /// is time to drain. `belongings` are had from the beginning to the end, or to
    /// the moment at which another process has them.
    pub async fn live(
        mut self,
        predecessor: Option<Predecessor>,
        admin: Vec<(Admin, Pages)>,
        belongings: &mut Belongings,
    ) {
        let mut is_stopped = false;
        let is_relieved = match predecessor {
            None => true,
            Some(predecessor) => {
                let stop = async {
                    self.signals.stop().await;
                    is_stopped = true;
                };
                predecessor.relieve(stop).await.unwrap_or_else(|error| {
                    tracing::warn!("the process before cannot be told: {error}");
                    true
                })
            }
        };
        if is_relieved {
            for (admin, pages) in admin {
                match admin.serve(pages) {
                    Ok(serving) => belongings.admin.push(serving),
                    Err(error) => tracing::error!("the admin listener cannot be served: {error}"),
                }
            }
            if let (Some(path), None) = (&self.pid_file, &belongings.pid_file) {
                match PidFile::write(path) {
                    Ok(written) => belongings.pid_file = Some(written),
                    Err(error) => eprintln!("rhost: --pid-file {}: {error}", path.display()),
                }
            }
            service_manager::ready();
            if !is_stopped && self.until_relieved(belongings).await {
                self.signals.end_at_next();
                return;
            }
        }
        if !self.quiet {
            eprintln!("rhost: stopping; requests in flight may finish, a second signal cuts them");
        }
        self.health.draining();
        if is_relieved {
            service_manager::stopping();
        }
        self.signals.end_at_next();
    }

    /// Returns when this process is to stop; true if another has taken its place.
    async fn until_relieved(&mut self, belongings: &mut Belongings) -> bool {
        loop {
            match self.signals.next().await {
                Asked::Stop => return false,
                Asked::Upgrade => {}
                Asked::Reload => {
                    if let Some(reloads) = &self.reloads {
                        reloads.ask();
                    }
                    continue;
                }
            }
            if !self.quiet {
                eprintln!("rhost: starting a new process, to hand over to (SIGUSR2)");
            }
            service_manager::reloading();
            // Another opens what one has open no more.
            self.leave().await;
            let started = tokio::select! {
                started = Successor::start(&self.sockets, self.patience) => started,
                // It is stopped as well.
                () = self.signals.stop() => return false,
            };
            match started {
                Ok(successor) => {
                    if self.hand_over(successor, belongings).await {
                        return true;
                    }
                    eprintln!(
                        "rhost: the new process is gone; this one serves on, send SIGUSR2 again"
                    );
                }
                Err(error) => eprintln!("rhost: this process serves on: {error}"),
            }
            self.take_back().await;
            service_manager::ready();
        }
    }

    /// Waits for a change that is being made, which holds up no request.
    async fn leave(&self) {
        if let Some(steward) = self.steward.clone() {
            let _ = tokio::task::spawn_blocking(move || steward.leave()).await;
        }
    }

    /// The process that would have come after is gone.
    async fn take_back(&self) {
        let Some(steward) = self.steward.clone() else {
            return;
        };
        for _ in 0..RELEASES {
            let steward = steward.clone();
            match tokio::task::spawn_blocking(move || steward.take_back()).await {
                // It was stopped, and the kernel has yet to release what it had.
                Ok(Err(StoreError::Locked(_))) => tokio::time::sleep(RELEASE).await,
                Ok(Err(error)) => {
                    tracing::error!("{error}; nothing can be deployed until it is restarted");
                    return;
                }
                Ok(Ok(())) | Err(_) => return,
            }
        }
        tracing::error!("what is deployed is another process's; nothing can be deployed here");
    }

    /// Leaves all to `successor`. False if it is gone.
    async fn hand_over(&self, successor: Successor, belongings: &mut Belongings) -> bool {
        let pid = successor.pid();
        // Two processes must not take themselves for the owner of a file: for a
        // moment, none does.
        let files = || {
            self.sockets
                .iter()
                .filter_map(|(_, handed)| handed.file.as_ref())
        };
        files().for_each(|file| file.leave());
        service_manager::succeeded_by(pid);
        if !successor.take_over().await {
            files().for_each(|file| file.keep());
            service_manager::succeeded_by(std::process::id());
            return false;
        }
        // What is asked of the admin listener is asked of the new one from here on.
        // It may have an answer to finish, and nothing here waits for that.
        tokio::task::spawn_blocking({
            let admin = std::mem::take(&mut belongings.admin);
            move || drop(admin)
        });
        if let Some(pid_file) = belongings.pid_file.take() {
            pid_file.leave();
        }
        if !self.quiet {
            eprintln!("rhost: process {pid} has taken over; requests in flight may finish here");
        }
        true
    }
}
