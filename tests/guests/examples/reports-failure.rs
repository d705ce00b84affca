//! Returns an error from handle: before its headers left, or after (/late).
use rhost_test_guests::{Environ, Failure, Input, exception, guest, ok};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    if environ.path_info == b"/late" {
        let output = ok();
        output.write(b"one").map_err(Failure::Output)?;
        output.write(b"two").map_err(Failure::Output)?;
    }
    Err(Failure::Exception(exception("could not go on")))
}

guest!(handle);
