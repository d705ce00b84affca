//! Never answers, and never waits for anything.
use rhost_test_guests::{Environ, Failure, Input, guest};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

guest!(handle);
