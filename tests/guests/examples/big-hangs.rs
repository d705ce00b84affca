//! Has an image of 24 MiB, answers at once (/answer), or begins an answer and sleeps.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

static IMAGE: [u8; 24 << 20] = [7; 24 << 20];

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let at = environ.path_info.len();
    let output = ok();
    output
        .write(&[std::hint::black_box(&IMAGE)[at]])
        .map_err(Failure::Output)?;
    if environ.path_info != b"/answer" {
        std::thread::sleep(std::time::Duration::from_secs(1_000_000));
    }
    Ok(())
}

guest!(handle);
