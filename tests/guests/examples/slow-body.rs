//! Writes a block every 20 ms, for ever.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    loop {
        output.write(b"tick\n").map_err(Failure::Output)?;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

guest!(handle);
