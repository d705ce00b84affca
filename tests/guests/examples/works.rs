//! Works for a while, and answers: so many thousand rounds as its query says.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let rounds: u64 = environ.query_string.parse().expect("a number of rounds");
    let mut n = 0_u64;
    for _ in 0..rounds * 1000 {
        n = std::hint::black_box(n.wrapping_add(1));
    }
    ok().write(b"done").map_err(Failure::Output)
}

guest!(handle);
