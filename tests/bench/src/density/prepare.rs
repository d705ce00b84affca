//! What is deployed before anything is measured: components, their compiled code, and
//! the records of all apps. It is written as the server writes it, by the same code, but
//! for the disk, which is not waited for.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result};
use rhost::compiled::Cache;
use rhost::compiler::Compiler;
use rhost::load::Loader;
use rhost::sandbox::{Details, Engines};
use rhost::store::{Digest, Disk, Store};

use super::{Density, generate};
use crate::artefacts::Artefacts;

/// Tells that all is there, for how many apps and components.
const DONE: &str = "done";

/// A disk that is told nothing of power that may be lost.
#[derive(Debug)]
struct Hasty;

impl Disk for Hasty {
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Makes `state` and `code` below `home`, unless they are there. `none` is a state
/// without apps.
pub fn all(args: &Density, artefacts: &Artefacts, home: &Path) -> Result<()> {
    let hello = fs::read(artefacts.example("hello")?)?;
    let digest = Digest::of(&hello);
    let done = format!("{} {} {digest}", args.deployed, args.components);
    if fs::read_to_string(home.join(DONE)).is_ok_and(|text| text == done) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(home);
    fs::create_dir_all(home)?;
    eprintln!("compiling {} components", args.components);
    compile(&hello, args.components, &home.join("code"))?;
    eprintln!("deploying {} apps", args.deployed);
    drop(Store::open(&home.join("none"))?);
    deploy(args, &hello, &home.join("state"))?;
    fs::write(home.join(DONE), done)?;
    Ok(())
}

fn compile(hello: &[u8], components: u32, cache: &Path) -> Result<()> {
    let cache = Arc::new(Cache::open(cache)?);
    let engines = Engines::new(1, Details::Names).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let loader = Loader {
        engines: &engines,
        compiler: &Compiler::Here,
        cache: Some(&cache),
    };
    let next = AtomicU32::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= components {
                return Ok(());
            }
            let component = generate::component(hello, number)?;
            loader.load(&component, || ())?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let done = worker.join();
            done.expect("compiling does not panic")
        })
    })
}

fn deploy(args: &Density, hello: &[u8], state: &Path) -> Result<()> {
    let store = Store::open_on(state, Arc::new(Hasty))?;
    let mut kept = Vec::new();
    for number in 0..args.components {
        let component = generate::component(hello, number)?;
        let mut upload = store.components().upload()?;
        upload.write(&component)?;
        store.put(upload.finish())?;
        kept.push((Digest::of(&component), component.len() as u64));
    }
    for number in 0..args.deployed {
        let (digest, octets) = kept
            .get((number % args.components) as usize)
            .context("there is no component")?;
        let settings = format!("hosts = \"{}\"\n", host(number));
        store.deploy(&format!("app-{number}"), *digest, *octets, &settings, 10)?;
    }
    Ok(())
}

/// The host of an app.
pub fn host(number: u32) -> String {
    format!("app-{number}.test")
}
