//! Tries heads that must be refused, and answers with what it was told, a line
//! each.
use rhost_test_guests::{Environ, Failure, Input, field, guest, start_response};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mut told = String::new();
    for status in [0, 99, 100, 199, 600, 65535] {
        told += &format!("{:?}\n", start_response(status, &[], None).err());
    }
    let fields = [
        ("x-a", "a\r\nset-cookie: stolen=1"),
        ("x-a", "a\nb"),
        ("x-a", "a\0b"),
        ("x a", "b"),
        ("", "b"),
        ("transfer-encoding", "chunked"),
        ("Connection", "close"),
        ("trailer", "x-a"),
        ("content-length", "five"),
    ];
    for (name, value) in fields {
        told += &format!(
            "{:?}\n",
            start_response(200, &[field("x-good", "1"), field(name, value)], None).err()
        );
    }
    let output = start_response(200, &[field("x-a", " trimmed\t")], None)
        .expect("a good one is accepted after all");
    output.write(told.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
