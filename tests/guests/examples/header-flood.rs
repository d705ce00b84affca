//! Tries to send a hundred thousand fields, then says what it was told.
use rhost_test_guests::{Environ, Failure, Input, field, guest, ok, start_response};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let fields = vec![field("x", "y"); 100_000];
    let refused = start_response(200, &fields, None).err();
    ok().write(format!("{refused:?}").as_bytes())
        .map_err(Failure::Output)
}

guest!(handle);
