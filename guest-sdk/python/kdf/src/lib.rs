//! CPython's extension module `rhost._kdf`: the functions that derive keys of passwords,
//! which CPython has of OpenSSL alone, and WebAssembly has no OpenSSL.
//!
//! It is linked into each Python program that is built, so its loops are the guest's own: they
//! are charged to it, take its memory, and can be stopped at any round. It calls CPython by its
//! limited API (PEP 384). What it is given was checked in `kdf.py` of the adapter, which is the
//! only one who calls it; what is wrong all the same raises, and never reads what is not there.
#![no_std]

extern crate alloc;

mod allocator;
mod derive;
mod python;

use derive::{pbkdf2, scrypt};
use python::{Method, Module, Object};

static METHODS: [Method; 3] = [
    Method::new(c"pbkdf2", pbkdf2),
    Method::new(c"scrypt", scrypt),
    Method::END,
];

static MODULE: Module = Module::new(c"_kdf", &METHODS);

/// What CPython calls when the module is imported.
#[unsafe(no_mangle)]
pub extern "C" fn PyInit__kdf() -> Object {
    MODULE.create()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
