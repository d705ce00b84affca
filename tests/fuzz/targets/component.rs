//! Whatever a component is made of: what the host looks at itself, before the process
//! that compiles, is looked at without a panic, and what is valid is not called broken. Made
//! into pieces, what is valid stays valid.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use rhost::compiler::{CompileError, bounds, bulk};
use wasm_mutate::WasmMutate;
use wasm_smith::{Component, Config, Module};
use wasmparser::{Validator, WasmFeatures};

const HEAD: &[u8] = b"\0asm\x0d\0\x01\0";

fuzz_target!(|octets: &[u8]| {
    look(octets);
    look(&[HEAD, octets].concat());
    let mut chance = Unstructured::new(octets);
    if let Ok(component) = Component::new(Config::default(), &mut chance) {
        let component = component.to_bytes();
        valid(&component);
        broken(&component, &mut chance);
    }
    let mut chance = Unstructured::new(octets);
    let Ok(module) = Module::new(Config::default(), &mut chance) else {
        return;
    };
    let module = module.to_bytes();
    let mut mutate = WasmMutate::default();
    mutate.seed(octets.len() as u64).fuel(100);
    if let Ok(mutants) = mutate.run(&module) {
        for mutant in mutants.flatten().take(4) {
            valid(&around(&mutant));
        }
    }
});

/// Looks at `component` in all ways.
fn look(component: &[u8]) {
    let _ = rhost::load::recognise(component);
    if bounds::check(component).is_ok() {
        let _ = bulk::in_pieces(component);
    }
    let _ = rhost::load::look(component);
    let _ = rhost::inspect::inspect(component);
}

/// The same for one that is valid: it may be too much, but it can be read.
fn valid(component: &[u8]) {
    look(component);
    let refused = bounds::check(component);
    assert!(
        !matches!(refused, Err(CompileError::Invalid(_))),
        "{refused:?}"
    );
    if validate(component).is_ok() {
        let pieces = bulk::in_pieces(component).expect("what is valid can be read");
        validate(&pieces).expect("it stays valid");
        let again = bulk::in_pieces(&pieces).expect("what is valid can be read");
        validate(&again).expect("it stays valid");
    }
}

/// Whether it may be compiled at all, with whatever proposals.
fn validate(component: &[u8]) -> wasmparser::Result<()> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(component).map(drop)
}

/// The same for what is left of `component`, and for what others bits make of it.
fn broken(component: &[u8], chance: &mut Unstructured<'_>) {
    let Ok(place) = chance.choose_index(component.len()) else {
        return;
    };
    look(&component[..place]);
    let mut changed = component.to_vec();
    changed[place] ^= chance.arbitrary::<u8>().unwrap_or(1);
    look(&changed);
}

/// A component that has this module and nothing else.
fn around(module: &[u8]) -> Vec<u8> {
    let (mut length, mut section) = (module.len(), vec![1]);
    while length >= 0x80 {
        section.push(length as u8 | 0x80);
        length >>= 7;
    }
    section.push(length as u8);
    [HEAD, &section, module].concat()
}
