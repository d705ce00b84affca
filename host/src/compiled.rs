//! Compiled code, kept on disk by the digest of the component it was made from
//! and the engine that it fits.
//!
//! Compiled code runs as it is, outside any sandbox: whoever can choose it owns
//! the host. So the only code that is ever loaded is what this module wrote
//! itself, into a directory that is its owner's alone, with the seal of this
//! host.
#![expect(
    unsafe_code,
    reason = "wasmtime cannot check compiled code; the argument stands at each use"
)]

mod seal;
mod space;
#[cfg(test)]
mod tests;

pub use space::{Pin, Reason, SIZE};

use crate::compiler::{CompileError, Compiler, bulk};
use crate::digest::Digest;
use crate::sandbox::Engines;
use seal::{Seal, Tag};
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code that this program made, or that the cache kept.
pub struct Compiled(Origin);

enum Origin {
    Made(Vec<u8>),
    /// Open since it was found to fit its tag.
    Kept(File),
}

impl Compiled {
    /// Has `component` compiled for `engines`; `charge` is told the CPU time that it took.
    pub fn make(
        compiler: &Compiler,
        engines: &Engines,
        component: &[u8],
        charge: impl FnOnce(Duration),
    ) -> Result<Self, CompileError> {
        let code = compiler.compile(engines, component, charge)?;
        Ok(Compiled(Origin::Made(code)))
    }

    /// The code of a component that has been loaded.
    pub fn of(component: &Component) -> wasmtime::Result<Self> {
        Ok(Compiled(Origin::Made(component.serialize()?)))
    }

    /// Loads the code into `engine`, which maps it if it comes from a file.
    pub fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        match &self.0 {
            // SAFETY: these are the unchanged octets that `precompile_component`
            // returned, here or in a process of this same program that only this one
            // can write to, or those of a component that was loaded by this function;
            // `make` and `of` are the only places that build this variant.
            Origin::Made(code) => unsafe { Component::deserialize(engine, code) },
            // SAFETY: `Cache::get` opened this file and read all of it, and it had the tag
            // that only who knows this host's secret can make for these octets under this
            // name. So it is one that `Cache::put` wrote from the octets of a `Compiled`.
            // What is mapped is the file that was read, whatever has its name by now: it
            // is opened by its descriptor. Nobody writes to it any more: it was made with
            // a mode that lets nobody, and `put` replaces a file by renaming a new one
            // onto its name. Only who acts as this very user could still change it
            // between then and now, and could as well write to this process's memory.
            Origin::Kept(file) => unsafe {
                let opened = format!("/proc/self/fd/{}", file.as_raw_fd());
                Component::deserialize_file(engine, opened)
            },
        }
    }
}

/// The name under which compiled code is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The `digest` of a component, and what its code depends on: wasmtime's version, its
    /// settings and the processor's features, as `engine` says them, and how the component is
    /// rewritten before it is compiled.
    pub fn new(engine: &Engine, digest: &Digest) -> Self {
        let mut compatibility = DefaultHasher::new();
        engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        bulk::VERSION.hash(&mut compatibility);
        Key(format!("{digest}-{:016x}", compatibility.finish()))
    }

    /// The digest of a component, and what names the engine.
    fn parts(key: &str) -> Option<(Digest, &str)> {
        let (digest, engine) = key.split_once('-')?;
        Some((digest.parse().ok()?, engine))
    }
}

/// Why a directory cannot be the cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or looked at.
    #[error("the cache directory {} cannot be used: {error}; choose another with --cache-dir", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not a directory of this user's alone.
    #[error(
        "the cache directory {} is open to others ({problem}); compiled code is only loaded from a directory \
         of your own: choose another with --cache-dir, or empty it and `chmod 700` it",
        path.display()
    )]
    Shared {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A directory of compiled code. Each file is code and its tag.
pub struct Cache {
    path: PathBuf,
    seal: Seal,
    /// Bytes of code that are kept.
    size: u64,
    pins: space::Pins,
    /// How many files were begun.
    unfinished: AtomicU64,
}

impl Cache {
    /// Opens the cache in `path`, which is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let failed = |error| CacheError::Io {
            path: path.to_owned(),
            error,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        // Of the name itself, not of what a link of that name points to.
        let found = fs::symlink_metadata(path).map_err(failed)?;
        let shared = |problem: String| {
            Err(CacheError::Shared {
                path: path.to_owned(),
                problem,
            })
        };
        if !found.is_dir() {
            return shared("it is not a directory".into());
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return shared(format!("it belongs to user {}", found.uid()));
        }
        if found.mode() & 0o077 != 0 {
            return shared(format!("its mode is {:o}", found.mode() & 0o777));
        }
        Ok(Cache {
            path: path.to_owned(),
            seal: Seal::open(path).map_err(failed)?,
            size: SIZE,
            pins: space::Pins::default(),
            unfinished: AtomicU64::new(0),
        })
    }

    /// What was kept under `key`; none if there is nothing that can be trusted. What
    /// does not fit its tag is removed.
    pub fn get(&self, key: &Key) -> Option<Compiled> {
        let path = self.file(key);
        let file = seal::open(&path).ok()?;
        match self.fits(key, &file) {
            Ok(true) => {
                Cache::touch(&file);
                Some(Compiled(Origin::Kept(file)))
            }
            Ok(false) => {
                tracing::warn!(
                    "compiled code was damaged, or is not what this host wrote, and is made again: {}",
                    path.display()
                );
                self.remove(key);
                None
            }
            Err(error) => {
                tracing::warn!(
                    "compiled code cannot be read, and is made again: {}: {error}",
                    path.display()
                );
                None
            }
        }
    }

    /// Whether `file` is a plain one that nobody else can have written, and has the tag of
    /// code that is kept under `key`.
    fn fits(&self, key: &Key, mut file: &File) -> io::Result<bool> {
        let found = file.metadata()?;
        let own = found.uid() == rustix::process::geteuid().as_raw();
        let code = found.len().checked_sub(seal::LENGTH as u64);
        let (true, Some(code)) = (found.is_file() && own && found.mode() & 0o022 == 0, code) else {
            return Ok(false);
        };
        let tag = self.seal.of(&key.0, file.take(code))?;
        let mut found = [0; seal::LENGTH];
        file.read_exact(&mut found)?;
        Ok(tag == Tag::from_bytes(found))
    }

    /// Keeps `compiled` under `key`. It is there whole or not at all, whatever
    /// happens meanwhile. What was used least recently goes if there is too much.
    pub fn put(&self, key: &Key, compiled: &Compiled) -> io::Result<()> {
        let Origin::Made(code) = &compiled.0 else {
            return Ok(());
        };
        if (code.len() + seal::LENGTH) as u64 > self.size {
            let text = format!(
                "it is larger than the cache, {} bytes (--cache-size)",
                self.size
            );
            return Err(io::Error::other(text));
        }
        // Another thread may keep the same.
        let number = self.unfinished.fetch_add(1, Relaxed);
        let unfinished = self
            .path
            .join(format!("{}.{}.{number}.new", key.0, std::process::id()));
        let write = || {
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .mode(0o400)
                .open(&unfinished)?;
            file.write_all(code)?;
            file.write_all(self.seal.of(&key.0, &code[..])?.as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, self.file(key))
        };
        let written = write();
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written.and_then(|()| self.make_room(key))
    }

    /// Whether there is something under `key`. It is not read.
    pub fn has(&self, key: &Key) -> bool {
        self.file(key).exists()
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&self, key: &Key) {
        let _ = fs::remove_file(self.file(key));
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.path.join(format!("{}.cwasm", key.0))
    }
}
