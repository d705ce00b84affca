//! Asks for memory until it is refused, and answers how many MiB it got.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    let mut block = Vec::new();
    while block.try_reserve_exact(1 << 20).is_ok() {
        block.resize(1 << 20, 1);
        held.push(std::mem::take(&mut block));
    }
    let got = held.len();
    drop(held);
    ok().write(got.to_string().as_bytes())
        .map_err(Failure::Output)
}

guest!(handle);
