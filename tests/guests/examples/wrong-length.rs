//! Announces 5 octets and writes as many as the path says, in one block or, with
//! a query, one by one.
use rhost_test_guests::{Environ, Failure, Input, field, guest, start_response};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let path = String::from_utf8_lossy(&environ.path_info).into_owned();
    let octets: usize = path.trim_start_matches('/').parse().expect("a number");
    let output = start_response(200, &[field("content-length", "5")], None).expect("accepted");
    let body = vec![b'x'; octets];
    let size = if environ.query_string.is_empty() {
        octets.max(1)
    } else {
        1
    };
    for block in body.chunks(size) {
        output.write(block).map_err(Failure::Output)?;
    }
    Ok(())
}

guest!(handle);
