//! The command `rhost`.

mod cli;

use std::process::ExitCode;

/// A sandbox is made of many small allocations, and made anew for each request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rhost: {error}");
            ExitCode::FAILURE
        }
    }
}
