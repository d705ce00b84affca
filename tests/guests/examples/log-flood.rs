//! Writes to its standard streams: what the path says, or without end (/flood). Or it
//! has the host write: of exceptions that it tells of (/told), without end (/tells),
//! and with the one that it fails with (/fails).
use rhost_test_guests::{Environ, ExcInfo, Failure, Input, exception, guest, ok, start_response};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    match environ.path_info.as_slice() {
        b"/flood" => {
            for line in 0..200_000 {
                eprintln!("line {line} of a flood");
            }
        }
        b"/told" => {
            let forged = "told\r\n\u{1b}[31mred\u{1b}[0m 2026-01-01 forged request line";
            let output = start_response(200, &[], Some(&exception(forged))).expect("accepted");
            return output.write(b"logged").map_err(Failure::Output);
        }
        b"/tells" => {
            for _ in 0..100_000 {
                start_response(200, &[], Some(&exception("of a flood"))).expect("accepted");
            }
            let last = exception("the last");
            let output = start_response(200, &[], Some(&last)).expect("accepted");
            return output.write(b"logged").map_err(Failure::Output);
        }
        b"/fails" => {
            return Err(Failure::Exception(ExcInfo {
                traceback: "a line of a flood\n".repeat(200_000),
                ..exception("for no reason")
            }));
        }
        _ => {
            println!("to stdout\r\n\u{1b}[31mred\u{1b}[0m 2026-01-01 forged request line");
            eprint!("to stderr, without an end");
        }
    }
    ok().write(b"logged").map_err(Failure::Output)
}

guest!(handle);
