//! Panics when its first block is written, but has not left.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    ok().write(b"held").map_err(Failure::Output)?;
    panic!("after the first block");
}

guest!(handle);
