//! Gives the guest all the memory it will use to start with: its blocks are of 64
//! KiB, and growing during a request costs system calls in the host. What cargo
//! would give to the stack alone is more than that, so that is said too.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        for link in ["-zstack-size=32768", "--initial-memory=262144"] {
            println!("cargo::rustc-link-arg-cdylib={link}");
        }
    }
}
