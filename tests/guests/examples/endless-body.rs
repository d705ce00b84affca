//! Writes without end, as fast as it is let.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    let block = vec![b'x'; 64 * 1024];
    loop {
        output.write(&block).map_err(Failure::Output)?;
    }
}

guest!(handle);
