//! From a file to a component that is ready to run: what it is, whether it fits,
//! and its compiled code.

mod look;
mod needs;

pub use look::look;
pub use needs::Needs;

use crate::compiled::{Cache, Compiled, Key};
use crate::compiler::{CompileError, Compiler};
use crate::digest::Digest;
use crate::failure::Octets;
use crate::gateway;
use crate::imports;
use crate::metrics::{self, Event};
use crate::printable::{cut, list};
use crate::sandbox::{Again, Engines, LinkError, Linked, SizeClass};
use crate::settings::Limits;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// Octets in a page, the unit in which linear memory is measured.
const WASM_PAGE: u64 = 64 << 10;

/// Names that an error has, of those that a component may have by the thousand.
const NAMES: usize = 20;
/// The most bytes of what an error quotes of a component.
const SAID: usize = 1024;

/// A component in the engines of its class.
pub struct Loaded {
    /// The component, linked on each lane.
    pub linked: Vec<Arc<Linked>>,
    /// How big its sandboxes are.
    pub class: SizeClass,
    /// What its largest memory and table start with.
    least: Needs,
    /// All that its sandboxes start with, from when its file was looked at.
    needs: OnceLock<Needs>,
}

impl Loaded {
    /// Looks at what its sandboxes start with in `file`, which it was made of.
    pub fn know(&self, file: &[u8]) {
        self.needs.get_or_init(|| Needs::of(file));
    }

    /// Whether that was looked at.
    pub fn is_known(&self) -> bool {
        self.needs.get().is_some()
    }

    /// Fails if its sandboxes start with more than `limits` allow.
    pub fn fit(&self, limits: &Limits) -> Result<(), LoadError> {
        self.least.fit(limits)?;
        self.needs.get().map_or(Ok(()), |needs| needs.fit(limits))
    }

    /// Octets of its code.
    pub fn code(&self) -> u64 {
        let range = self
            .linked
            .first()
            .map(|linked| linked.component().image_range());
        range.map_or(0, |range| range.end as u64 - range.start as u64)
    }

    /// How many of its sandboxes can live at a time on each lane.
    pub fn capacity(&self) -> usize {
        let lanes = self.linked.len();
        let first = self.linked.first();
        first.map_or(1, |linked| linked.capacity(self.class, lanes))
    }
}

/// Why a component cannot be served. Each says what to do about it, in a line.
#[derive(Debug)]
pub enum LoadError {
    /// A core module.
    CoreModule,
    /// WebAssembly's text format.
    Text,
    /// Code that was compiled before, by whomever.
    Compiled,
    /// Not WebAssembly at all.
    NotWasm,
    /// It does not validate, or is not compiled.
    Compile(CompileError),
    /// It exports something else than an application; these are its exports.
    Exports(Vec<String>),
    /// It imports what the host does not have; these are the names.
    Imports(Vec<String>),
    /// What it imports or exports has another type than the gateway's.
    Types(String),
    /// It starts with more memory than it may have: so many octets, of so many.
    Memory(u64, u64),
    /// It starts with a larger table than it may have: of so many elements, of so many.
    Table(u64, u64),
    /// Its file, which was there, cannot be read any more.
    Unreadable(PathBuf, io::Error),
    /// Its file holds something else than it did.
    Damaged(PathBuf),
    /// The host's own failure.
    Engine(wasmtime::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::CoreModule => f.write_str(
                "a core WebAssembly module, not a component; build it for wasm32-wasip2, \
                 or wrap it with `wasm-tools component new`",
            ),
            LoadError::Text => f.write_str(
                "WebAssembly text; rhost serves binaries: convert it with `wasm-tools parse FILE -o app.wasm`",
            ),
            LoadError::Compiled => f.write_str(
                "precompiled code, which is never loaded since it cannot be checked; \
                 give the component it was made from",
            ),
            LoadError::NotWasm => f.write_str("not a WebAssembly component"),
            LoadError::Compile(error) => error.fmt(f),
            LoadError::Exports(found) => {
                write!(f, "the component does not export {}", gateway::APP)?;
                match found.iter().find_map(|name| other_kind(name)) {
                    Some(kind) => write!(f, ": {}", cut(&kind, SAID)),
                    None if found.is_empty() => f.write_str(": it exports nothing; see docs/gateway.md"),
                    None => write!(f, ": it exports {}; see docs/gateway.md", list(found.iter(), NAMES)),
                }
            }
            LoadError::Imports(names) => {
                f.write_str("the component imports what rhost does not lend: ")?;
                for (place, name) in names.iter().take(NAMES).enumerate() {
                    let comma = if place == 0 { "" } else { "; " };
                    write!(f, "{comma}{} ({})", cut(name, SAID), imports::provider(name))?;
                }
                match names.len().saturating_sub(NAMES) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            LoadError::Types(error) => write!(
                f,
                "the component does not fit the gateway: {}; rebuild it with an SDK for gateway 0.1",
                cut(error, SAID)
            ),
            LoadError::Memory(needed, limit) => write!(
                f,
                "it starts with {} of memory and may have {}; allow it more with --memory",
                Octets(*needed),
                Octets(*limit)
            ),
            LoadError::Table(needed, limit) => write!(
                f,
                "it starts with a table of {needed} elements and may have {limit}; \
                 allow it more with --table-elements"
            ),
            LoadError::Unreadable(path, error) => {
                write!(f, "the component {} cannot be read: {error}", path.display())
            }
            LoadError::Damaged(path) => write!(
                f,
                "the component {} is not the one that was deployed: it was changed or damaged; deploy it again",
                path.display()
            ),
            LoadError::Engine(error) => f.write_str(&cut(&format!("{error:#}"), SAID)),
        }
    }
}

impl std::error::Error for LoadError {}

/// What a component is that exports `name` instead of an application.
fn other_kind(name: &str) -> Option<String> {
    let interface = name.split('@').next().unwrap_or(name);
    match interface {
        "rhost:gateway/app" => {
            Some(format!("it was built for {name}; rebuild it with an SDK for gateway 0.1"))
        }
        "wasi:http/incoming-handler" | "wasi:http/handler" => Some(
            "it is an application of wasi:http; rhost speaks its own gateway, and an app that uses \
             rhost-sdk exports it"
                .into(),
        ),
        "wasi:cli/run" => Some(
            "it is a command with a main function; a web application is a library (crate-type = \
             [\"cdylib\"]) that lists its routes with rhost_sdk::app!"
                .into(),
        ),
        _ => None,
    }
}

/// Loads components for one host.
pub struct Loader<'a> {
    /// The engines they are to run in.
    pub engines: &'a Engines,
    /// What compiles.
    pub compiler: &'a Compiler,
    /// Where compiled code is kept; none to compile each time.
    pub cache: Option<&'a Arc<Cache>>,
}

impl Loader<'_> {
    /// Loads the component in `file`. `compiling` is called when it has to be
    /// compiled, which can take seconds; what it returns is dropped after.
    pub fn load<P>(&self, file: &[u8], compiling: impl FnOnce() -> P) -> Result<Loaded, LoadError> {
        recognise(file)?;
        let digest = Digest::of(file);
        if let Some(kept) = self.load_kept(&digest) {
            return kept.inspect(|loaded| loaded.know(file));
        }
        let _compiling = compiling();
        self.make(&digest, file, |_| ())
    }

    /// Loads the component with that `digest` without its file, if its code is kept.
    pub fn load_kept(&self, digest: &Digest) -> Option<Result<Loaded, LoadError>> {
        self.kept(&self.key(digest))
    }

    /// Compiles the component in `file`, which has this `digest`, keeps its code, and loads
    /// it; `charge` is told the CPU time that compiling took.
    pub fn make(
        &self,
        digest: &Digest,
        file: &[u8],
        charge: impl FnOnce(Duration),
    ) -> Result<Loaded, LoadError> {
        recognise(file)?;
        let needs = Needs::of(file);
        needs.possible()?;
        let key = self.key(digest);
        metrics::count(Event::CodeMissing);
        let begun = Instant::now();
        let compiled = Compiled::make(self.compiler, self.engines, file, charge);
        let compiled = compiled.map_err(LoadError::Compile)?;
        metrics::compiled(begun.elapsed());
        if let Some(cache) = self.cache
            && let Err(error) = cache.put(&key, &compiled)
        {
            tracing::warn!(
                "the compiled code cannot be kept and will be made again next time: {error}"
            );
        }
        let (engine, of) = self.engines.at_hand();
        let component = compiled.load(engine).map_err(LoadError::Engine)?;
        let mut loaded = self.link(key, &compiled, component, of)?;
        loaded.needs = needs.into();
        Ok(loaded)
    }

    /// Keeps the code of what is `loaded`, which has this `digest`, where it is not kept any
    /// more.
    pub fn keep(&self, digest: &Digest, loaded: &Loaded) {
        let key = self.key(digest);
        let (Some(cache), Some(linked)) = (self.cache, loaded.linked.first()) else {
            return;
        };
        if cache.has(&key) {
            return;
        }
        let kept = Compiled::of(linked.component())
            .map_err(|error| format!("{error:#}"))
            .and_then(|code| cache.put(&key, &code).map_err(|error| error.to_string()));
        if let Err(error) = kept {
            tracing::warn!(
                "the compiled code of what leaves memory cannot be kept and will be made again: {error}"
            );
        }
    }

    fn key(&self, digest: &Digest) -> Key {
        Key::new(self.engines.compiler(), digest)
    }

    /// What the cache has under `key`, if it loads. A file that was cut short,
    /// say by a full disk, is made again.
    fn kept(&self, key: &Key) -> Option<Result<Loaded, LoadError>> {
        let cache = self.cache?;
        let compiled = cache.get(key)?;
        let (engine, of) = self.engines.at_hand();
        match compiled.load(engine) {
            Ok(component) => {
                metrics::count(Event::CodeKept);
                Some(self.link(key.clone(), &compiled, component, of))
            }
            Err(_) => {
                cache.remove(key);
                None
            }
        }
    }

    /// Links `compiled`, which has this `key`, and of which `component` is what an engine has loaded, in which
    /// guests of the class `of` run, if any do.
    fn link(
        &self,
        key: Key,
        compiled: &Compiled,
        component: Component,
        of: Option<SizeClass>,
    ) -> Result<Loaded, LoadError> {
        check(&component)?;
        let needs = component.resources_required();
        let most = needs.as_ref();
        let pages = most.and_then(|needs| needs.max_initial_memory_size);
        let table = most.and_then(|needs| needs.max_initial_table_size);
        let least = Needs {
            memory: pages.unwrap_or(0) * WASM_PAGE,
            table: table.unwrap_or(0),
            ..Needs::default()
        };
        let class = SizeClass::of(least.memory);
        // The code fits every class; the component belongs to the engine that
        // loaded it.
        let mut first = (of == Some(class)).then_some(component);
        let load = |engine: &Engine| match first.take() {
            Some(component) => Ok(component),
            None => compiled.load(engine),
        };
        let cache = self.cache.cloned();
        let again: Again = Arc::new(move |component, engine| {
            // From its file it is mapped, and shares its pages.
            match cache.as_ref().and_then(|cache| cache.get(&key)) {
                Some(kept) => kept.load(engine),
                None => Compiled::of(component)?.load(engine),
            }
        });
        let linked = Linked::on_each_lane(self.engines, class, load, &again);
        let linked = linked.map_err(|error| match error {
            LinkError::Engine(error) => LoadError::Engine(error),
            LinkError::Types(error) => LoadError::Types(format!("{error:#}")),
        })?;
        Ok(Loaded {
            linked: linked.into_iter().map(Arc::new).collect(),
            class,
            least,
            needs: OnceLock::new(),
        })
    }
}

/// What a file is, by its first octets; fails if it is no component.
pub fn recognise(file: &[u8]) -> Result<(), LoadError> {
    let text = file.trim_ascii_start();
    match file {
        // Version 13, layer 1: the component model's binary format.
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule),
        [0x7f, b'E', b'L', b'F', ..] => Err(LoadError::Compiled),
        _ if text.starts_with(b"(module") || text.starts_with(b"(component") => {
            Err(LoadError::Text)
        }
        _ => Err(LoadError::NotWasm),
    }
}

/// Whether a component's imports and exports are those of an application.
fn check(component: &Component) -> Result<(), LoadError> {
    let (ty, engine) = (component.component_type(), component.engine());
    let app = component
        .get_export_index(None, gateway::APP)
        .and_then(|app| component.get_export_index(Some(&app), gateway::HANDLE));
    if app.is_none() {
        return Err(LoadError::Exports(
            ty.exports(engine)
                .map(|(name, _)| name.to_owned())
                .collect(),
        ));
    }
    let unmet: Vec<String> = ty
        .imports(engine)
        // A type by itself needs nothing behind it.
        .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)))
        .filter(|(name, _)| imports::lender(name).is_none())
        .map(|(name, _)| name.to_owned())
        .collect();
    if unmet.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Imports(unmet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(file: &[u8]) -> String {
        recognise(file).unwrap_err().to_string()
    }

    #[test]
    fn files_are_told_apart() {
        assert!(recognise(b"\0asm\x0d\0\x01\0").is_ok());
        assert!(error(b"\0asm\x01\0\0\0").contains("wasm32-wasip2"));
        assert!(error(b"\x7fELF\x02").contains("precompiled"));
        assert!(error(b"\n (component)").contains("text"));
        assert!(error(b"").contains("not a WebAssembly component"));
        assert!(error(b"#!/bin/sh").contains("not a WebAssembly component"));
    }

    #[test]
    fn every_error_is_one_line() {
        let errors = [
            LoadError::CoreModule,
            LoadError::Text,
            LoadError::Compiled,
            LoadError::NotWasm,
            LoadError::Exports(vec![]),
            LoadError::Exports(vec!["wasi:cli/run@0.2.3".into()]),
            LoadError::Exports(vec!["wasi:http/incoming-handler@0.2.3".into()]),
            LoadError::Imports(vec![
                "wasi:http/outgoing-handler@0.2.3".into(),
                "acme:db/sql".into(),
            ]),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(!text.contains('\n') && text.len() > 20, "{text}");
        }
    }
}
