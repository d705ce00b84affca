//! What outlasts the process: apps that were deployed, their versions, and tokens.
//!
//! A directory of the server's own, of mode 700:
//!
//! - `store.redb`, records in [redb](https://docs.rs/redb): a B-tree that is never written in place,
//!   so a transaction is there whole or not at all, whenever the process or the
//!   machine ends. Each is committed in two phases and with `Durability::Immediate`:
//!   when it returns, the file was synced. (SQLite would do as well, at the price of
//!   C; sled has no release that promises its format.)
//! - `components/`, a file for each component, called by its SHA-256: written to
//!   another name, synced, renamed, and its directory synced, before any record names
//!   it.
//! - `lock`, which one process holds. At a handover the process before lets go of it
//!   before it starts its successor, and refuses changes from then on.
//!
//! Nothing is acknowledged before it is committed. After an error of the disk a store
//! takes nothing more until it is opened again, since nobody knows then what is on the
//! disk and what only in memory.

mod apps;
mod components;
mod disk;
mod guarded;
mod records;
mod sizes;
#[cfg(test)]
mod tests;
mod tokens;

pub use crate::digest::Digest;
pub use apps::{Chosen, Damaged, Listed, Version};
pub use components::{Components, Upload, Uploaded};
pub use disk::{Disk, Real};
pub use sizes::Size;
pub use tokens::{Good, Scope, Token, Tokens};

use disk::Pages;
use guarded::{Trouble, guarded};
use records::TokenRecord;
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};
use sizes::Sizes;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const APPS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("apps");
const VERSIONS: TableDefinition<'_, (&str, u32), &[u8]> = TableDefinition::new("versions");
/// Which version of which app needs a component.
const NEEDS: TableDefinition<'_, (&[u8], &str, u32), ()> = TableDefinition::new("needs");
const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");

/// Octets of pages that redb keeps in memory. Nothing is read from it while requests
/// are served.
const CACHE: usize = 4 << 20;

/// Why something is not kept, or not known.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or a directory of it.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others can read or write in it.
    #[error("the state directory {} is open to others ({problem}); choose one of your own, or `chmod 700` it", path.display())]
    Shared {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process has it.
    #[error("the state directory {} is another server's; stop that, or choose another", .0.display())]
    Locked(PathBuf),
    /// redb.
    #[error("{}: {error}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: Box<redb::Error>,
    },
    /// The file of all records is damaged.
    #[error(
        "{}: it is damaged ({why}); put a copy of it back, or move the directory away and deploy all apps again",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// There is no such app or version.
    #[error("{0}")]
    Missing(String),
    /// What there is of an app cannot be read.
    #[error("{0}")]
    Damaged(String),
    /// The system has no random numbers.
    #[error("no random numbers can be had: {0}")]
    Random(String),
}

/// A state directory that this process has.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    database: Guarded,
    components: Components,
    tokens: Tokens,
    sizes: Sizes,
    /// Held until the rest is closed.
    _lock: File,
}

impl Store {
    /// Opens the one in the directory at `path`, which is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Store::open_on(path, Arc::new(Real))
    }

    /// The same on another disk.
    pub fn open_on(path: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        own_directory(path)?;
        let lock = lock(path)?;
        let components = path.join("components");
        own_directory(&components)?;
        let failed = |error| StoreError::Io {
            path: path.to_owned(),
            error,
        };
        let (database, is_clean) = database(path, &disk)?;
        disk.sync_names(path).map_err(failed)?;
        let store = Store {
            path: path.to_owned(),
            database,
            components: Components::new(components, disk),
            tokens: Tokens::default(),
            sizes: Sizes::default(),
            _lock: lock,
        };
        store.read_tokens()?;
        store.read_sizes()?;
        // Of what was lost somebody may put a copy back, which needs its components.
        if is_clean {
            store.sweep()?;
        }
        Ok(store)
    }

    /// The same with `tokens`, which others know: those that are good did not change.
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Store { tokens, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where components are brought.
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// The tokens that are good now.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Makes a token for `scope`, and returns what it is called and what it is. It is
    /// not known to anybody after that.
    pub fn make_token(&self, scope: &Scope, note: &str) -> Result<(String, String), StoreError> {
        let (id, secret) = tokens::make()?;
        let record = TokenRecord {
            note: note.to_owned(),
            hash: Digest::of(secret.as_bytes()),
            tenant: match scope {
                Scope::All => None,
                Scope::Tenant(tenant) => Some(tenant.clone()),
            },
            at: records::now(),
        };
        self.change(|change| {
            let mut tokens = change.open_table(TOKENS)?;
            tokens.insert(&*id, &*records::written(&record))?;
            Ok(())
        })?;
        self.tokens.add(&id, &record);
        Ok((id, secret))
    }

    /// Makes the token called `id` worthless.
    pub fn revoke_token(&self, id: &str) -> Result<(), StoreError> {
        let was_there = self.change(|change| {
            let mut tokens = change.open_table(TOKENS)?;
            let was_there = tokens.remove(id)?.is_some();
            Ok(was_there)
        })?;
        self.tokens.remove(id);
        match was_there {
            true => Ok(()),
            false => Err(StoreError::Missing(format!(
                "there is no token `{id}`; `rhost token list` shows them"
            ))),
        }
    }

    /// Tokens whose records are damaged are good for nothing, and are told.
    fn read_tokens(&self) -> Result<(), StoreError> {
        self.read(|read| {
            for entry in read.open_table(TOKENS)?.iter()? {
                let (id, record) = entry?;
                match records::read::<TokenRecord>(record.value()) {
                    Ok(record) => self.tokens.add(id.value(), &record),
                    Err(why) => tracing::error!(
                        "{}: token {}: {why}; it is good for nothing, make another",
                        self.path.display(),
                        id.value()
                    ),
                }
            }
            Ok(())
        })
    }

    /// Removes components that no version needs.
    fn sweep(&self) -> Result<(), StoreError> {
        let swept = self.read(|read| {
            let needs = read.open_table(NEEDS)?;
            // Of one that cannot be looked up nothing is known, so it stays.
            let is_needed = |digest: &Digest| apps::is_needed(&needs, digest).unwrap_or(true);
            Ok(self.components.sweep(is_needed))
        })?;
        swept.map_err(|error| StoreError::Io {
            path: self.path.join("components"),
            error,
        })
    }

    /// What `look` finds in the records as they are.
    fn read<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let read = || look(&self.database.get().begin_read()?);
        guarded(read).map_err(|trouble| self.failed(trouble))
    }

    /// Commits what `change` does, or nothing of it.
    fn change<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let commit = || {
            let mut transaction = self.database.get().begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            // Else to open it after a crash would take a walk through all of it.
            transaction.set_quick_repair(true);
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        guarded(commit).map_err(|trouble| self.failed(trouble))
    }

    fn failed(&self, trouble: Trouble) -> StoreError {
        StoreError::of(&self.path.join(DATABASE), trouble)
    }
}

impl StoreError {
    /// Of the file at `path`.
    fn of(path: &Path, trouble: Trouble) -> Self {
        let path = path.to_owned();
        match trouble {
            trouble if trouble.is_damage() => StoreError::Broken {
                path,
                why: trouble.to_string(),
            },
            Trouble::Said(error) => StoreError::Database { path, error },
            Trouble::Panicked(why) => StoreError::Broken { path, why },
        }
    }
}

/// A database that closes without a panic, whatever is in it.
#[derive(Debug)]
struct Guarded(Option<Database>);

impl Guarded {
    fn get(&self) -> &Database {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let database = self.0.take();
        // What was committed is on the disk; there is nobody to tell of the rest.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

const DATABASE: &str = "store.redb";

/// The records in the directory at `path`, and whether nothing of them was lost. A new
/// file gets its name when it is whole.
fn database(path: &Path, disk: &Arc<dyn Disk>) -> Result<(Guarded, bool), StoreError> {
    let there = path.join(DATABASE);
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| StoreError::Io { path, error }
    };
    if !there.try_exists().map_err(at(&there))? {
        let new = path.join("store.new");
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(at(&new)(error));
        }
        drop(open(&new, disk)?);
        disk.rename(&new, &there).map_err(at(&there))?;
    }
    // Nobody makes an empty one: to begin anew with it were to forget all that there is.
    if fs::metadata(&there).map_err(at(&there))?.len() == 0 {
        return Err(StoreError::Broken {
            path: there,
            why: "it is empty".into(),
        });
    }
    open(&there, disk)
}

fn open(path: &Path, disk: &Arc<dyn Disk>) -> Result<(Guarded, bool), StoreError> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let file = file.map_err(|error| StoreError::Io {
        path: path.to_owned(),
        error,
    })?;
    let disk = disk.clone();
    let opened = || -> Result<(Database, bool), redb::Error> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        let mut database = builder.create_with_backend(Pages { file, disk })?;
        // All of it is looked at: nothing that is damaged is taken for what was deployed.
        let is_clean = database.check_integrity()?;
        if !is_clean {
            tracing::warn!(
                "{}: it was damaged, and is mended; the last change may be lost, see `rhost apps`",
                path.display()
            );
        }
        let mut transaction = database.begin_write()?;
        let has_all = transaction.list_tables()?.count() >= 4;
        match has_all {
            true => transaction.abort()?,
            false => {
                transaction.set_quick_repair(true);
                transaction.open_table(APPS)?;
                transaction.open_table(VERSIONS)?;
                transaction.open_table(NEEDS)?;
                transaction.open_table(TOKENS)?;
                transaction.commit()?;
            }
        }
        Ok((database, is_clean))
    };
    let opened = guarded(opened);
    let opened = opened.map(|(database, is_clean)| (Guarded(Some(database)), is_clean));
    opened.map_err(|trouble| StoreError::of(path, trouble))
}

/// Makes sure that there is a directory at `path`, and that it is this user's alone.
fn own_directory(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::Io {
        path: path.to_owned(),
        error,
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(failed)?;
    let found = fs::metadata(path).map_err(failed)?;
    let shared = |problem: String| StoreError::Shared {
        path: path.to_owned(),
        problem,
    };
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(shared(format!("it is user {}'s", found.uid())));
    }
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => Err(shared(format!("its mode is {:03o}", found.mode() & 0o777))),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&name);
    let file = file.map_err(|error| StoreError::Io {
        path: name.clone(),
        error,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::Io { path: name, error }),
    }
}
