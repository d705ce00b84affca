//! Reads the whole body and answers its length, or what went wrong.
use rhost_test_guests::{Environ, Failure, Input, guest, ok, read_all};

fn handle(_: Environ, input: Input) -> Result<(), Failure> {
    let text = match read_all(&input) {
        Ok(body) => {
            // Past the end there is nothing, however often it is asked for.
            assert!(input.read(1).expect("still the end").is_empty());
            format!("{} octets", body.len())
        }
        Err(error) => {
            assert!(input.read(1).is_err(), "an error stays");
            eprintln!("read failed: {error:?}");
            return Err(Failure::Input(error));
        }
    };
    ok().write(text.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
