//! Writes to its standard streams: what the path says, or without end (/flood).
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    if environ.path_info == b"/flood" {
        for line in 0..200_000 {
            eprintln!("line {line} of a flood");
        }
    } else {
        println!("to stdout\r\n\u{1b}[31mred\u{1b}[0m 2026-01-01 forged request line");
        eprint!("to stderr, without an end");
    }
    ok().write(b"logged").map_err(Failure::Output)
}

guest!(handle);
