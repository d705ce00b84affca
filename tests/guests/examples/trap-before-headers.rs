//! Panics before it has answered.
use rhost_test_guests::{Environ, Failure, Input, guest};

#[inline(never)]
fn fails_here(path: &[u8]) {
    assert!(path.is_empty(), "a message for the log");
}

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    fails_here(&environ.path_info);
    Ok(())
}

guest!(handle);
