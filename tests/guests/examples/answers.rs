//! Plain answers of every shape: the status is the path, the query says how many
//! blocks. Repeats a field twice.
use rhost_test_guests::{Environ, Failure, Input, field, guest, start_response};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let path = String::from_utf8_lossy(&environ.path_info).into_owned();
    let status = path.trim_start_matches('/').parse().expect("a status");
    let blocks: usize = environ.query_string.parse().expect("a number of blocks");
    let fields = [
        field("Set-Cookie", "a=1"),
        field("set-cookie", "b=2"),
        field("x-method", &environ.request_method),
    ];
    let output = start_response(status, &fields, None).expect("accepted");
    for _ in 0..blocks {
        output.write(b"block").map_err(Failure::Output)?;
    }
    Ok(())
}

guest!(handle);
