//! Answers without reading what was sent.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    ok().write(b"not interested").map_err(Failure::Output)
}

guest!(handle);
