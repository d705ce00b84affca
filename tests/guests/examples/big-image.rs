//! Starts with an image of 24 MiB, as an interpreter does, and uses a little.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};

static IMAGE: [u8; 24 << 20] = {
    let mut image = [0; 24 << 20];
    let mut at = 0;
    while at < image.len() {
        image[at] = (at >> 12) as u8 | 1;
        at += 4096;
    }
    image
};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let image = std::hint::black_box(&IMAGE);
    let sum: u64 = image
        .iter()
        .step_by(1 << 20)
        .map(|&octet| u64::from(octet))
        .sum();
    ok().write(format!("sum {sum}").as_bytes())
        .map_err(Failure::Output)
}

guest!(handle);
