//! Answers at once (/answer), or begins an answer and then does not go on: it
//! spins (/spin), sleeps (/sleep), waits for the client to send (/read), or sends
//! more than any client takes at once (/write).
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(environ: Environ, input: Input) -> Result<(), Failure> {
    let output = ok();
    output.write(b"begun").map_err(Failure::Output)?;
    match environ.path_info.as_slice() {
        b"/answer" => {}
        b"/spin" => loop {
            std::hint::black_box(0);
        },
        b"/sleep" => std::thread::sleep(std::time::Duration::from_secs(1_000_000)),
        b"/read" => drop(input.read(1).map_err(Failure::Input)?),
        b"/write" => loop {
            output.write(&[b'x'; 16 * 1024]).map_err(Failure::Output)?;
        },
        _ => panic!("no such way to hang"),
    }
    Ok(())
}

guest!(handle);
