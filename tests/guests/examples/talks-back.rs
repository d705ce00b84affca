//! Sends a block, then one for each that it reads: what it sends cannot come
//! after the end of the request unless it was held back.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, input: Input) -> Result<(), Failure> {
    let output = ok();
    output.write(b"ready\n").map_err(Failure::Output)?;
    loop {
        let block = input.read(1024).map_err(Failure::Input)?;
        if block.is_empty() {
            return Ok(());
        }
        output.write(&block).map_err(Failure::Output)?;
    }
}

guest!(handle);
