//! How many files the process may have open, each connection being one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the number as far as it may be. The lower one is kept for programs that
/// still call select(2), which the kernel cannot know; this one does not.
pub fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it fewer connections fit, and the rest wait.
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}
