//! Compiled code, kept on disk by the digest of the component it was made from
//! and the engine that it fits.
//!
//! Compiled code runs as it is, outside any sandbox: whoever can choose it owns
//! the host. So the only code that is ever loaded is what this module wrote
//! itself, into a directory that is its owner's alone.
#![expect(
    unsafe_code,
    reason = "wasmtime cannot check compiled code; the argument stands at each use"
)]

use crate::compiler::{CompileError, Compiler};
use crate::digest::Digest;
use crate::sandbox::Engines;
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code that this program made, or that the cache kept.
pub struct Compiled(Origin);

enum Origin {
    Made(Vec<u8>),
    Kept(PathBuf),
}

impl Compiled {
    /// Has `component` compiled for `engines`.
    pub fn make(
        compiler: &Compiler,
        engines: &Engines,
        component: &[u8],
    ) -> Result<Self, CompileError> {
        let code = compiler.compile(engines, component)?;
        Ok(Compiled(Origin::Made(code)))
    }

    /// Loads the code into `engine`, which maps it if it comes from a file.
    pub fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        match &self.0 {
            // SAFETY: these are the unchanged octets that `precompile_component`
            // returned, here or in a process of this same program that only this one
            // can write to; `make` is the one place that builds this variant.
            Origin::Made(code) => unsafe { Component::deserialize(engine, code) },
            // SAFETY: `Cache::get` made sure that the file is a plain one of this
            // user's, that nobody else can write, in a directory that nobody else
            // can enter; so it is one that `Cache::put` wrote from the octets of
            // a `Compiled`. It is not written again while it is mapped: `put`
            // replaces a file by renaming a new one onto its name.
            Origin::Kept(file) => unsafe { Component::deserialize_file(engine, file) },
        }
    }
}

/// The name under which compiled code is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The `digest` of a component, and what `engine` says its code depends
    /// on: wasmtime's version, its settings, the processor's features.
    pub fn new(engine: &Engine, digest: &Digest) -> Self {
        let mut compatibility = DefaultHasher::new();
        engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        Key(format!("{digest}-{:016x}", compatibility.finish()))
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

/// A directory of compiled code.
pub struct Cache {
    path: PathBuf,
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
        })
    }

    /// What was kept under `key`; none if there is nothing that can be trusted.
    pub fn get(&self, key: &Key) -> Option<Compiled> {
        let file = self.file(key);
        let found = fs::symlink_metadata(&file).ok()?;
        let own = found.uid() == rustix::process::geteuid().as_raw();
        let trusted = found.is_file() && own && found.mode() & 0o022 == 0;
        trusted.then_some(Compiled(Origin::Kept(file)))
    }

    /// Keeps `compiled` under `key`. It is there whole or not at all, whatever
    /// happens meanwhile.
    pub fn put(&self, key: &Key, compiled: &Compiled) -> io::Result<()> {
        let Origin::Made(code) = &compiled.0 else {
            return Ok(());
        };
        let unfinished = self
            .path
            .join(format!("{}.{}.new", key.0, std::process::id()));
        let write = || {
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(code)?;
            file.sync_all()?;
            fs::rename(&unfinished, self.file(key))
        };
        let written = write();
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&self, key: &Key) {
        let _ = fs::remove_file(self.file(key));
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.path.join(format!("{}.cwasm", key.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Details;
    use std::os::unix::fs::PermissionsExt;

    /// The smallest component there is.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    /// What it is kept under here: any digest will do.
    const EMPTY_DIGEST: Digest = Digest([0; 32]);

    fn empty(engines: &Engines) -> Compiled {
        Compiled::make(&Compiler::Here, engines, EMPTY).unwrap()
    }

    #[test]
    fn what_was_put_is_got() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("a/rhost")).unwrap();
        let engines = Engines::new(1, Details::Names).unwrap();
        let engine = engines.compiler();
        let key = Key::new(engine, &EMPTY_DIGEST);
        assert!(cache.get(&key).is_none());
        cache.put(&key, &empty(&engines)).unwrap();
        cache.get(&key).unwrap().load(engine).unwrap();
        let mode = fs::metadata(home.path().join("a/rhost")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
        cache.remove(&key);
        assert!(cache.get(&key).is_none());
    }

    #[test]
    fn a_directory_of_others_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(Cache::open(&open), Err(CacheError::Shared { .. })));
        let own = home.path().join("own");
        Cache::open(&own).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(matches!(Cache::open(&link), Err(CacheError::Shared { .. })));
    }

    #[test]
    fn files_that_others_could_have_written_are_not_loaded() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("rhost")).unwrap();
        let engines = Engines::new(1, Details::Names).unwrap();
        let key = Key::new(engines.compiler(), &EMPTY_DIGEST);
        cache.put(&key, &empty(&engines)).unwrap();
        let file = cache.file(&key);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.get(&key).is_none());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(cache.get(&key).is_some());
        let elsewhere = home.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert!(cache.get(&key).is_none());
    }

    #[test]
    fn keys_follow_the_component_and_the_engine() {
        let plain = Engine::default();
        let ticking = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        assert_eq!(
            Key::new(&plain, &EMPTY_DIGEST),
            Key::new(&plain, &EMPTY_DIGEST)
        );
        assert_ne!(
            Key::new(&plain, &EMPTY_DIGEST),
            Key::new(&plain, &Digest([1; 32]))
        );
        assert_ne!(
            Key::new(&plain, &EMPTY_DIGEST),
            Key::new(&ticking, &EMPTY_DIGEST)
        );
    }
}
