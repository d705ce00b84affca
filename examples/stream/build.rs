//! Gives the guest all the memory it will use to start with: its blocks are of 64
//! KiB, and growing during a request costs system calls in the host.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!(
            "cargo::rustc-link-arg-cdylib=--initial-memory={}",
            4 * 65536
        );
    }
}
