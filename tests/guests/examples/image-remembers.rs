//! Counts its requests, and starts with as much memory as an interpreter.
use rhost_test_guests::{Environ, Failure, Input, guest, ok, read_all};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

static REQUESTS: AtomicU32 = AtomicU32::new(0);
static MEMORY: [AtomicU8; 17 << 20] = [const { AtomicU8::new(0) }; 17 << 20];

fn handle(_: Environ, input: Input) -> Result<(), Failure> {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let used = std::hint::black_box(&MEMORY)[number as usize].fetch_add(1, Ordering::Relaxed);
    read_all(&input).map_err(Failure::Input)?;
    let text = format!("{}", number + u32::from(used));
    ok().write(text.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
