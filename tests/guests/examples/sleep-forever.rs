//! Waits far longer than anyone will.
use rhost_test_guests::{Environ, Failure, Input, guest};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    std::thread::sleep(std::time::Duration::from_secs(1_000_000));
    Ok(())
}

guest!(handle);
