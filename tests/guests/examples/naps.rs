//! Sleeps for no time at all, again and again (/naps), or asks what time it is (/clock).
use rhost_test_guests::{Environ, Failure, Input, guest};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    match environ.path_info.as_slice() {
        b"/naps" => loop {
            std::thread::sleep(Duration::from_nanos(1));
        },
        b"/clock" => loop {
            black_box(Instant::now());
        },
        _ => panic!("no such thing to do"),
    }
}

guest!(handle);
