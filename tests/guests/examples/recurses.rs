//! Calls itself without end.
use rhost_test_guests::{Environ, Failure, Input, guest};

#[inline(never)]
#[allow(unconditional_recursion, reason = "that is what it is for")]
fn deeper(n: u64) -> u64 {
    let here = std::hint::black_box([n; 16]);
    deeper(n + 1) + std::hint::black_box(here)[3]
}

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    std::hint::black_box(deeper(0));
    Ok(())
}

guest!(handle);
