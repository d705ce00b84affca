//! Calls start-response again with exc-info: before the headers left, or after
//! (/late).
use rhost_test_guests::{
    Environ, Failure, Input, StartError, exception, field, guest, start_response,
};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let first = start_response(200, &[field("x-first", "1")], None).expect("accepted");
    first.write(b"half an answer").map_err(Failure::Output)?;
    if environ.path_info == b"/late" {
        first.write(b" and more").map_err(Failure::Output)?;
        let refused = start_response(500, &[], Some(&exception("too late")));
        assert!(matches!(refused, Err(StartError::HeadersSent)));
        return Ok(());
    }
    let second = start_response(
        503,
        &[field("x-second", "2")],
        Some(&exception("changed my mind")),
    )
    .expect("accepted");
    assert!(first.write(b"no more").is_err());
    second.write(b"replaced").map_err(Failure::Output)
}

guest!(handle);
