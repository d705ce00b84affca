//! Takes without end what the host has to remember for it, and gives nothing back:
//! outputs (/outputs), or open files (/files).
use rhost_test_guests::{Environ, Failure, Input, exception, guest, start_response};
use std::mem::forget;

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    loop {
        match environ.path_info.as_slice() {
            b"/outputs" => forget(start_response(200, &[], Some(&exception("again")))),
            // Refusals are ignored as well.
            b"/files" => forget(std::fs::File::open("/data/file")),
            _ => panic!("no such thing to keep"),
        }
    }
}

guest!(handle);
