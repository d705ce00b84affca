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
use std::sync::atomic::{AtomicU32, Ordering};

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
    let log = match descriptor {
        1 => &STDOUT,
        2 => &STDERR,
        _ => {
            let hint = "rhost-sdk: to write files, an app needs the feature `files` of rhost-sdk\n";
            STDERR.print(hint.as_bytes());
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
    log.print(block);
    length as isize
}

static STDOUT: Log = Log::new(stdout::get_stdout);
static STDERR: Log = Log::new(stderr::get_stderr);

/// A stream that leads to the log. It is asked for once in the life of an instance,
/// which may be that of many requests, and never given back: that is a function
/// more to import.
struct Log {
    get: fn() -> OutputStream,
    /// Its handle, once it was asked for.
    handle: AtomicU32,
}

/// No handle has this number: they are below 2^28 (the component model's Canonical
/// ABI).
const NONE: u32 = u32::MAX;

impl Log {
    const fn new(get: fn() -> OutputStream) -> Self {
        Log {
            get,
            handle: AtomicU32::new(NONE),
        }
    }

    /// A log that is gone is no reason to fail: libc's `write` would say that it is,
    /// and nobody who prints would hear of it.
    fn print(&self, block: &[u8]) {
        let stream = match self.handle.load(Ordering::Relaxed) {
            NONE => {
                let stream = (self.get)();
                self.handle.store(stream.handle(), Ordering::Relaxed);
                stream
            }
            // SAFETY: it was asked for above, is a stream's, and was never given
            // back, here or anywhere.
            handle => unsafe { OutputStream::from_handle(handle) },
        };
        mem::forget(stream.blocking_write_and_flush(block));
        mem::forget(stream);
    }
}
