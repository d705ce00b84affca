//! Sends a block, then never gives up the processor.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    output.write(b"begun").map_err(Failure::Output)?;
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

guest!(handle);
