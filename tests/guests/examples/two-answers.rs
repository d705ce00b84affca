//! Calls start-response twice without exc-info, and ignores what it is told.
use rhost_test_guests::{Environ, Failure, Input, guest, ok, start_response};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    let second = start_response(404, &[], None);
    assert!(second.is_err());
    let _ = output.write(b"should not arrive");
    Ok(())
}

guest!(handle);
