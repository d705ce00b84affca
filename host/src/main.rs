//! The command `rhost`.

mod cli;

use rhost::compiler::child::{self, ChildError, Job};
use std::process::ExitCode;

/// A sandbox is made of many small allocations, and made anew for each request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long freed memory is kept for its next use before the kernel gets it back,
/// in milliseconds. mimalloc's own 10 are short enough that a steady load gives
/// back and takes again what it uses all the time.
const KEEP_FREED: i64 = 1000;

/// Sets what `MIMALLOC_PURGE_DELAY` in the environment does not.
#[expect(
    unsafe_code,
    reason = "mimalloc's options are set through its functions of C; the argument stands at the call"
)]
fn keep_freed_memory() {
    /// `mi_option_purge_delay` of mimalloc 2, which the bindings do not name.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: options may be set while no other thread runs, and none was started.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, KEEP_FREED) };
}

/// Gives the system what this thread freed some time ago. mimalloc looks for that only when
/// it is called, which after a burst it may not be for long.
#[expect(
    unsafe_code,
    reason = "mimalloc is told through a function of C; the argument stands at the call"
)]
fn give_back_memory() {
    // SAFETY: it looks at the heap of the calling thread, which is not in use meanwhile, and
    // at what belongs to all threads under mimalloc's own locks.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

fn main() -> ExitCode {
    if let Some(job) = Job::of_this_process() {
        return compile(&job);
    }
    keep_freed_memory();
    match cli::run(give_back_memory) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rhost: {error}");
            error.exit_code()
        }
    }
}

/// This process is one that compiles for another.
fn compile(job: &Job) -> ExitCode {
    match child::run(job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            match error {
                ChildError::Invalid(_) => ExitCode::from(child::INVALID),
                ChildError::Io(_) => ExitCode::FAILURE,
            }
        }
    }
}
