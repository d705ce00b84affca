//! Computes for several ticks before each of its blocks of 64 KiB, for ever.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

/// Steps before a block: some 8 ms.
const STEPS: u64 = 16_000_000;

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let output = ok();
    let block = vec![b'.'; 64 << 10];
    let mut n = 0_u64;
    loop {
        for _ in 0..STEPS {
            n = std::hint::black_box(n.wrapping_add(1));
        }
        output.write(&block).map_err(Failure::Output)?;
    }
}

guest!(handle);
