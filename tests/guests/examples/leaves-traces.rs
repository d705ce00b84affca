//! Looks for what an earlier request may have left, then leaves a mark of its
//! own in every place it has: a static, the heap, memory that it grew, the stack,
//! and the directory it is lent, if any. Answers what it found.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};
use std::sync::atomic::{AtomicU64, Ordering};

static VISITS: AtomicU64 = AtomicU64::new(0);
static MARKS: [AtomicU64; 512] = [const { AtomicU64::new(0) }; 512];

/// Built when it runs, so that the mark itself is nowhere in the code or the
/// data of a fresh instance.
fn mark() -> u64 {
    std::hint::black_box(0x0123_4567_89ab_cdef_u64).rotate_left(13)
        ^ std::hint::black_box(0x5eed_5eed_5eed_5eed)
}

#[allow(
    unsafe_code,
    reason = "reads its own linear memory from end to end, which is all there for the instance"
)]
fn marks_in_memory(mark: u64) -> usize {
    #[cfg(target_family = "wasm")]
    let pages = core::arch::wasm32::memory_size(0);
    #[cfg(not(target_family = "wasm"))]
    let pages = 0;
    let words = pages * 65536 / 8;
    (1..words)
        .filter(|word| unsafe { std::ptr::read_volatile((word * 8) as *const u64) } == mark)
        .count()
}

#[inline(never)]
fn mark_stack(mark: u64) {
    std::hint::black_box([mark; 1024]);
}

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mark = mark();
    // The one in this frame's own variables does not count.
    let found = marks_in_memory(mark).saturating_sub(1);
    let visits = VISITS.fetch_add(1, Ordering::Relaxed);
    let statics = MARKS
        .iter()
        .filter(|place| place.load(Ordering::Relaxed) != 0)
        .count();
    MARKS
        .iter()
        .for_each(|place| place.store(mark, Ordering::Relaxed));
    mark_stack(mark);
    let heap = std::hint::black_box(vec![mark; 4096]);
    let grown = std::hint::black_box(vec![mark; 64 * 1024]);
    std::mem::forget((heap, grown));
    let text = format!(
        "visits {visits}, statics {statics}, marks {}",
        if found > 1 { found } else { 0 }
    );
    ok().write(text.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
