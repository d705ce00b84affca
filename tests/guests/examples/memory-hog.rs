//! Asks for memory until it is refused, and fails on that.
use rhost_test_guests::{Environ, Failure, Input, guest};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(vec![1; 1 << 20]);
        std::hint::black_box(&held);
    }
}

guest!(handle);
