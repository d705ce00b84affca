//! Guests by name: built once, loaded once, shared by all tests of a process.

use crate::command::crate_target;
use crate::python;
use rhost::compiled::Cache;
use rhost::compiler::Compiler;
use rhost::load::{Loaded, Loader};
use rhost::package::Build;
use rhost::python::Built;
use rhost::sandbox::{Details, Engines, SizeClass};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wasmtime::component::types::ComponentItem;

/// The component of the guest called `name`, ready to be served.
pub fn load(name: &str) -> Arc<Loaded> {
    static LOADED: Mutex<Option<HashMap<String, Arc<Loaded>>>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    if let Some(found) = loaded.get(name) {
        return found.clone();
    }
    let made = Arc::new(load_in(engines(), name));
    loaded.insert(name.to_owned(), made.clone());
    made
}

/// The same in `engines`, each time anew.
pub fn load_in(engines: &Engines, name: &str) -> Loaded {
    let (path, file) = (path(name), file(name));
    // Compiled guests stay beside the components, from one run to the next.
    let cache = Cache::open(&path.with_file_name("compiled"));
    let cache = Arc::new(cache.expect("the target directory is ours"));
    Loader {
        engines,
        compiler: &Compiler::Here,
        cache: Some(&cache),
    }
    .load(&file, || ())
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A component that is no guest of the repository, ready to be served.
pub(crate) fn load_file(component: &[u8]) -> Loaded {
    let loader = Loader {
        engines: engines(),
        compiler: &Compiler::Here,
        cache: None,
    };
    let loaded = loader.load(component, || ());
    loaded.unwrap_or_else(|error| panic!("{error}"))
}

/// The component of the guest called `name`.
pub fn file(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the component of the guest called `name` is.
pub fn path(name: &str) -> PathBuf {
    match program(name) {
        Some(built) => built.component,
        None => component(name),
    }
}

/// The size class in which the guest called `name` runs.
pub fn size_class(name: &str) -> SizeClass {
    load(name).class
}

/// The functions that the component of the guest called `name` imports, each with
/// its interface.
pub fn imported_functions(name: &str) -> Vec<String> {
    let loaded = load(name);
    let component = loaded.linked[0].component();
    let engine = component.engine();
    let ty = component.component_type();
    ty.imports(engine)
        .flat_map(|(interface, item)| {
            let functions: Vec<String> = match item.ty {
                ComponentItem::ComponentInstance(instance) => instance
                    .exports(engine)
                    .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
                    .map(|(function, _)| format!("{interface} {function}"))
                    .collect(),
                _ => Vec::new(),
            };
            functions
        })
        .collect()
}

/// The guest called `name`, if it is a WSGI program that can be built here.
pub fn program(name: &str) -> Option<Built> {
    let dir = places(name)
        .into_iter()
        .find(|dir| dir.join("pyproject.toml").is_file())?;
    python::build(&dir)
}

/// Where a guest called `name` may be that has a directory of its own.
fn places(name: &str) -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../examples", "guests"].map(|place| here.join(place).join(name))
}

/// The directory that the guest called `name` is built from: a crate, or a program in
/// Python. For an example of the crate of guests a crate is made.
pub(crate) fn source(name: &str) -> PathBuf {
    let mut places = places(name).into_iter();
    let has = |dir: &PathBuf, file: &str| dir.join(file).is_file();
    let own = places.find(|dir| has(dir, "Cargo.toml") || has(dir, "pyproject.toml"));
    own.unwrap_or_else(|| crate_of(name))
}

/// A crate whose library is the example called `name`, made once.
fn crate_of(name: &str) -> PathBuf {
    static MADE: Mutex<()> = Mutex::new(());
    let _making = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let code = guests.join("examples").join(name).with_extension("rs");
    assert!(
        code.is_file(),
        "no guest is called {name}; see tests/guests/examples"
    );
    let dir = crate_target().join("sources").join(name);
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"cdylib\"]\npath = {code:?}\n\
         [dependencies]\nrhost-test-guests = {{ path = {guests:?} }}\n\
         [profile.release]\nlto = \"thin\"\ncodegen-units = 1\n[workspace]\n"
    );
    let file = dir.join("Cargo.toml");
    if std::fs::read_to_string(&file).is_ok_and(|made| made == manifest) {
        return dir;
    }
    std::fs::create_dir_all(&dir).expect("the target directory is ours");
    // The versions that are here already.
    let lock = guests.join("../../Cargo.lock");
    std::fs::copy(lock, dir.join("Cargo.lock")).expect("it is copied");
    std::fs::write(&file, manifest).expect("it is written");
    dir
}

/// One set of engines for all tests: each reserves terabytes of addresses.
pub fn engines() -> &'static Arc<Engines> {
    static ENGINES: OnceLock<Arc<Engines>> = OnceLock::new();
    ENGINES.get_or_init(|| Arc::new(Engines::new(2, Details::Lines).expect("engines start")))
}

/// Builds it, if it is not: an example, an app of the SDK that only tests need, or
/// one of the guests that do without the SDK.
fn component(name: &str) -> PathBuf {
    let apps = places(name);
    if let Some(app) = apps.iter().find(|app| app.join("Cargo.toml").is_file()) {
        let built = Build::release(app)
            .run()
            .unwrap_or_else(|error| panic!("{error}"));
        return built.into_iter().next().expect("an app is one component");
    }
    static GUESTS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let guests = GUESTS.get_or_init(|| {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
        let mut build = Build::release(&guests);
        build.cargo_args.push("--examples".to_owned());
        build.run().unwrap_or_else(|error| panic!("{error}"))
    });
    let file = name.replace('-', "_");
    guests
        .iter()
        .find(|path| path.file_stem().is_some_and(|stem| stem == file.as_str()))
        .unwrap_or_else(|| panic!("no guest is called {name}; see tests/guests/examples"))
        .clone()
}
