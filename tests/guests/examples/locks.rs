//! Locks as programs do that have only directories for it, and ends in the way that
//! it is asked to.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};
use std::fs;

const LOCK: &str = "/data/store.lock";

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    match environ.path_info.as_slice() {
        b"/take" => {
            let taken = fs::create_dir(LOCK).map_err(|error| error.kind());
            ok().write(format!("{taken:?}").as_bytes())
                .map_err(Failure::Output)
        }
        b"/many" => {
            for number in 0..100 {
                fs::create_dir(format!("/data/{number}.lock")).unwrap();
            }
            panic!("it holds too many");
        }
        b"/trap" => {
            fs::create_dir(LOCK).unwrap();
            fs::create_dir("/data/kept").unwrap();
            fs::create_dir("/data/full.lock").unwrap();
            fs::write("/data/full.lock/owner", "somebody").unwrap();
            panic!("it holds a lock");
        }
        // Somebody else's lock has the name of one that it gave back.
        b"/given-back" => {
            fs::create_dir(LOCK).unwrap();
            fs::remove_dir("/data/./store.lock").unwrap();
            ok().write(b"given back").map_err(Failure::Output)?;
            wait_for_ever();
        }
        _ => {
            fs::create_dir(LOCK).unwrap();
            ok().write(b"locked").map_err(Failure::Output)?;
            wait_for_ever();
        }
    }
}

/// Until it is stopped.
fn wait_for_ever() -> ! {
    loop {
        std::thread::sleep(std::time::Duration::MAX);
    }
}

guest!(handle);
