//! What pieces cost, for docs/security.md: `cargo test --lib what_pieces_cost -- --ignored --nocapture`.

use super::module::rewritten;
use crate::sandbox::{Details, compiling_engine};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

/// Bytes of 230 MiB.
const MUCH: i32 = 230 << 20;

/// A memory of 256 MiB, once each thing and a million times.
const MODULE: &str = r#"(module
    (memory 1 4096)
    (func (export "grow") (drop (memory.grow (i32.const 4095))))
    (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 7) (local.get 0)))
    (func (export "copy") (param i32)
        (memory.copy (i32.const 0) (i32.const 1) (local.get 0)))
    (func (export "fills") (param i32) (local $times i32)
        (loop $again
            (memory.fill (i32.const 0) (i32.const 7) (local.get 0))
            (local.set $times (i32.add (local.get $times) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $times) (i32.const 1000000)))))
    (func (export "copies") (param i32) (local $times i32)
        (loop $again
            (memory.copy (i32.const 4096) (i32.const 0) (local.get 0))
            (local.set $times (i32.add (local.get $times) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $times) (i32.const 1000000))))))"#;

/// CPU time that `work` takes.
fn time(work: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let begun = now();
    work();
    now() - begun
}

fn measure(engine: &Engine, what: &str, module: &[u8]) {
    let module = Module::new(engine, module).unwrap();
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let grow: TypedFunc<(), ()> = instance.get_typed_func(&mut store, "grow").unwrap();
    let grown = time(|| grow.call(&mut store, ()).unwrap());
    println!("{what}: memory.grow to 256 MiB {grown:?}");
    for (name, length) in [
        ("fill", MUCH),
        ("fill", MUCH),
        ("copy", MUCH),
        ("fills", 16),
        ("fills", 4096),
        ("copies", 16),
        ("copies", 4096),
    ] {
        let function: TypedFunc<i32, ()> = instance.get_typed_func(&mut store, name).unwrap();
        let took = time(|| function.call(&mut store, length).unwrap());
        println!("{what}: {name} of {length} bytes {took:?}");
    }
    let cleaned = time(|| drop(store));
    println!("{what}: the end of an instance that wrote to 230 MiB {cleaned:?}");
}

#[test]
#[ignore = "it measures"]
fn what_pieces_cost() {
    let engine = compiling_engine(Details::Names).unwrap();
    let plain = wat::parse_str(MODULE).unwrap();
    let pieces = rewritten(&plain).unwrap().unwrap();
    for _ in 0..3 {
        measure(&engine, "plain", &plain);
        measure(&engine, "pieces", &pieces);
    }
    let code = |module: &[u8]| engine.precompile_module(module).unwrap().len();
    println!("compiled {} and {} bytes", code(&plain), code(&pieces));
}
