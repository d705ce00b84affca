//! The guest's allocator is libc's.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

unsafe extern "C" {
    fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn free(place: *mut c_void);
}

struct Libc;

#[global_allocator]
static LIBC: Libc = Libc;

// SAFETY: libc's functions keep what this trait asks; a size is rounded up to a multiple of the
// alignment, which C11 wants.
unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let align = layout.align().max(size_of::<usize>());
        // SAFETY: the alignment is a power of two, and the size one of its multiples.
        unsafe { aligned_alloc(align, layout.size().next_multiple_of(align)).cast() }
    }

    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        // SAFETY: it came from `alloc`.
        unsafe { free(place.cast()) }
    }
}
