//! What the host lends an app beyond the gateway: WASI 0.2's clocks, random
//! numbers, environment, standard streams and the directories that its settings
//! name. Nothing else: no network, and no other file.

mod file_streams;
mod files;
mod guest_log;
mod listing;
mod lock_dirs;
mod locking;
mod open;
mod streams;

pub use files::{Borrower, FileWork};
pub use guest_log::{GuestLog, Stream};
pub use lock_dirs::LockDirs;

use crate::app_log::AppLog;
use crate::commons::{Good, Held, Room, Short};
use crate::failure::Limit;
use crate::file_threads::Bill;
use crate::request_id::RequestId;
use crate::settings::{AppSettings, LentDir};
use std::sync::Arc;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

/// Files that are open for a sandbox which is lent directories for as long as a call of
/// WASI takes, and stand nowhere: a path is followed from one directory to the next.
const OPEN_IN_A_CALL: usize = 2;

/// The most random bytes that one call gives: the host makes them one by one.
const MOST_RANDOM: u64 = 64 << 10;

/// What one app is lent, made once and shared by its sandboxes.
pub struct Lent {
    log: Arc<AppLog>,
    env: Vec<(String, String)>,
    dirs: Vec<LentDir>,
    room: Arc<Room>,
}

impl Lent {
    /// What `settings` name. What its sandboxes take of what all have together comes out
    /// of `room`.
    pub fn new(settings: &AppSettings, log: Arc<AppLog>, room: Arc<Room>) -> Self {
        let secrets = settings.secrets.iter();
        let secrets = secrets.map(|(name, secret)| (name.clone(), secret.reveal().to_owned()));
        Lent {
            log,
            env: settings.env.iter().cloned().chain(secrets).collect(),
            dirs: settings.dirs.clone(),
            room,
        }
    }

    /// Where the app's lines go.
    pub fn log(&self) -> &AppLog {
        &self.log
    }

    /// What its sandboxes take out of.
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// The loan to a sandbox that serves `request`, and the log among it. It asks for
    /// it when its guest first uses WASI: making one allocates and seeds generators
    /// of random numbers, and most requests never need it.
    pub fn to_sandbox(&self, request: RequestId) -> Loan {
        let log = GuestLog::new(self.log.clone(), request);
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(&self.env)
            .stdout(log.stream(Stream::Stdout))
            .stderr(log.stream(Stream::Stderr))
            // The interfaces of sockets exist so that C libraries link; each
            // call in them answers access-denied, and no socket is ever made.
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MOST_RANDOM)
            // What is asked of files is done on other threads as a whole.
            .allow_blocking_current_thread(true);
        let mut files = Held::nothing_of(Good::Files);
        let (dirs, refused) = match files.set(self.files_of_dirs(), &self.room) {
            Ok(()) => (&*self.dirs, None),
            // The guest finds them missing.
            Err(short) => {
                let limit = Limit::OpenFiles(short);
                let text = format!("the lent directories cannot be opened: {limit}");
                self.log.host_lines(request, &text);
                (&[][..], Some(limit))
            }
        };
        for dir in dirs {
            let perms = if dir.read_only {
                FsPerms::ReadOnly
            } else {
                FsPerms::ReadWrite
            };
            if let Err(error) = wasi.preopened_dir(&dir.host, &dir.guest, perms) {
                // It was there at the start. The guest finds it missing.
                let text = format!(
                    "the lent directory {} cannot be opened: {error:#}",
                    dir.host.display()
                );
                self.log.host_lines(request, &text);
            }
        }
        Loan {
            wasi: wasi.build(),
            log,
            locks: LockDirs::default(),
            bill: self.room.files().bill(),
            files,
            refused,
        }
    }

    /// The files that are open for a sandbox whose guest has opened none.
    fn files_of_dirs(&self) -> u64 {
        match self.dirs.len() {
            0 => 0,
            dirs => (dirs + OPEN_IN_A_CALL) as u64,
        }
    }

    /// From here on the guest of `loan` has what is in `table`, and so many `more`, each of
    /// which may be an open file. If that is too many, it has what it had.
    pub fn count(
        &self,
        loan: &mut Loan,
        table: &mut ResourceTable,
        more: usize,
    ) -> Result<(), Short> {
        if self.dirs.is_empty() {
            return Ok(());
        }
        let files = table.iter_mut().count() + more + loan.locks.count();
        loan.files
            .set(self.files_of_dirs() + files as u64, &self.room)
    }
}

/// What one sandbox is lent.
pub struct Loan {
    /// Clocks, chance, variables, streams and directories.
    pub wasi: WasiCtx,
    /// Where its streams lead.
    pub log: GuestLog,
    /// What its guest locks.
    pub locks: LockDirs,
    /// What the threads for files did for its guest.
    pub bill: Arc<Bill>,
    /// What it has of the files that all sandboxes may have open. The last to be dropped:
    /// those above are files.
    files: Held,
    /// Why its directories are missing, if they are.
    pub refused: Option<Limit>,
}

/// Defines WASI for guests. What a guest does with it depends on its [`Lent`].
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    files::link(linker)?;
    file_streams::link(linker)?;
    listing::link(linker)?;
    locking::link(linker)?;
    open::link(linker)?;
    streams::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The interfaces that [`link`] defines, by package, for messages about those
/// that it does not.
pub const WASI_PACKAGES: [&str; 6] = [
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
];
