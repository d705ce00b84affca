//! Panics when headers and blocks have left.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    output.write(b"one").map_err(Failure::Output)?;
    output.write(b"two").map_err(Failure::Output)?;
    panic!("in the middle of a body");
}

guest!(handle);
