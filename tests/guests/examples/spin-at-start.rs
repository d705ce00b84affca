//! Spins while it is being instantiated, before any request is handed over.
use rhost_test_guests::{Environ, Failure, Input, guest};

#[allow(
    unsafe_code,
    reason = "the only way to run before main; nothing else is there yet to disturb"
)]
#[unsafe(link_section = ".init_array")]
#[used]
static SPIN: extern "C" fn() = {
    extern "C" fn spin() {
        let mut n = 0_u64;
        while std::hint::black_box(n) < u64::MAX {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
    spin
};

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    Ok(())
}

guest!(handle);
