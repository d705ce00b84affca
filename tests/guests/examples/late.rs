//! Reads the whole body, waits for as many milliseconds as the path says (/N), and answers
//! with the path and the body.
use rhost_test_guests::{Environ, Failure, Input, guest, ok, read_all};
use std::time::Duration;

fn handle(environ: Environ, input: Input) -> Result<(), Failure> {
    let body = read_all(&input).map_err(Failure::Input)?;
    let path = String::from_utf8(environ.path_info).unwrap();
    std::thread::sleep(Duration::from_millis(path[1..].parse().unwrap()));
    let answer = [format!("{path}: ").as_bytes(), &body, b"\n"].concat();
    ok().write(&answer).map_err(Failure::Output)
}

guest!(handle);
