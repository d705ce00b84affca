//! Asks for all that a number can say at each read, and answers how many octets came
//! and the most that came at a time.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

fn handle(_: Environ, input: Input) -> Result<(), Failure> {
    let (mut all, mut most) = (0, 0);
    loop {
        let block = input.read(u32::MAX).map_err(Failure::Input)?;
        if block.is_empty() {
            break;
        }
        all += block.len();
        most = most.max(block.len());
    }
    ok().write(format!("{all} {most}").as_bytes())
        .map_err(Failure::Output)
}

guest!(handle);
