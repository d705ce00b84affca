//! Calls itself without end, and with each call has more in memory; or, at /calls, has
//! nothing there.
use rhost_test_guests::{Environ, Failure, Input, guest};

#[inline(never)]
#[allow(unconditional_recursion, reason = "that is what it is for")]
fn deeper(n: u64) -> u64 {
    let here = std::hint::black_box([n; 16]);
    deeper(n + 1) + std::hint::black_box(here)[3]
}

#[inline(never)]
fn calls(n: u64) -> u64 {
    match n {
        0 => 1,
        _ => calls(n - 1).rotate_left(5) ^ n,
    }
}

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    if environ.path_info == b"/calls" {
        std::hint::black_box(calls(std::hint::black_box(1 << 40)));
    }
    std::hint::black_box(deeper(0));
    Ok(())
}

guest!(handle);
