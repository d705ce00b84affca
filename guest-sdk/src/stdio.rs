//! stdout and stderr without the rest of POSIX.
//!
//! The standard library prints through libc's `write`, and that one knows every
//! kind of file: it brings fourteen functions of WASI's into a component that
//! prints a panic's message at most. A function that is imported is tied anew in
//! every sandbox, so that these cost a request more than its routing does. The
//! `write` here serves the two descriptors that lead to the log, and takes
//! libc's place when a component is linked.
//!
//! Files can be read all the same. To write them takes libc's `write`, which the
//! feature `files` leaves in its place; without it a write to a file fails, and
//! the log says why.
#![expect(
    unsafe_code,
    reason = "a function of C's is defined by its name and takes an address; the argument stands there"
)]

use std::mem;
use std::slice;

use wasip2::cli::{stderr, stdout};
use wasip2::io::streams::OutputStream;

/// The most that `blocking-write-and-flush` takes at once (`wasi:io/streams`).
const MOST: usize = 4096;

/// `ENOSYS` of this target's libc: the number that WASI 0.1 gave it.
const ENOSYS: i32 = 52;

unsafe extern "C" {
    /// Why the last function of libc's failed.
    static mut errno: i32;
}

/// libc's `write`, for the descriptors that lead to the log.
///
/// # Safety
///
/// As POSIX has it: `length` octets can be read at `block`.
// SAFETY: the name is libc's, and so is the type.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(descriptor: i32, block: *const u8, length: usize) -> isize {
    let stream = match descriptor {
        1 => stdout::get_stdout(),
        2 => stderr::get_stderr(),
        _ => {
            let hint = "rhost-sdk: to write files, an app needs the feature `files` of rhost-sdk\n";
            print(stderr::get_stderr(), hint.as_bytes());
            // SAFETY: a component has one thread.
            unsafe { errno = ENOSYS };
            return -1;
        }
    };
    let length = length.min(MOST);
    let block = match length {
        // The address of nothing may be null.
        0 => &[],
        // SAFETY: the caller's promise; not more octets than it promised.
        _ => unsafe { slice::from_raw_parts(block, length) },
    };
    print(stream, block);
    length as isize
}

/// A log that is gone is no reason to fail: libc's `write` would say that it is,
/// and nobody who prints would hear of it.
fn print(stream: OutputStream, block: &[u8]) {
    mem::forget(stream.blocking_write_and_flush(block));
    // To give a handle back is a function more to import.
    mem::forget(stream);
}
