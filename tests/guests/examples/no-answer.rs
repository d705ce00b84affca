//! Returns without having called start-response.
use rhost_test_guests::{Environ, Failure, Input, guest};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    Ok(())
}

guest!(handle);
