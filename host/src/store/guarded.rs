//! redb behind a wall: a file that was damaged can make it panic, and what is wrong is
//! to be said in a line, not to end the process.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// Why redb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It said so.
    #[error("{0}")]
    Said(Box<redb::Error>),
    /// It came upon something that cannot be.
    #[error("{0}")]
    Panicked(String),
}

impl Trouble {
    /// Whether it is the file that is to blame, and not the disk or another process.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Trouble::Panicked(_) => true,
            Trouble::Said(error) => match &**error {
                redb::Error::Corrupted(_)
                | redb::Error::UpgradeRequired(_)
                | redb::Error::RepairAborted
                | redb::Error::TableTypeMismatch { .. }
                | redb::Error::TableIsMultimap(_)
                | redb::Error::TypeDefinitionChanged { .. }
                | redb::Error::TableDoesNotExist(_) => true,
                redb::Error::Io(error) => matches!(
                    error.kind(),
                    std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
                ),
                _ => false,
            },
        }
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        Trouble::Said(Box::new(error))
    }
}

thread_local! {
    /// Whether what panics on this thread is told by whoever catches it.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` comes to. A panic in it is an error, and says nothing by itself.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Trouble> {
    hush();
    let before = IS_GUARDED.replace(true);
    // redb takes no more changes after a panic in one, and reads what was committed.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    match done {
        Ok(done) => done.map_err(Trouble::from),
        Err(payload) => Err(Trouble::Panicked(said(&*payload))),
    }
}

/// Lets panics that are caught here say nothing, and all others what they did before.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            if !IS_GUARDED.get() {
                before(about);
            }
        }));
    });
}

/// What a panic said, in a line.
fn said(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    let line = text.unwrap_or_default().lines().next().unwrap_or_default();
    match line.trim() {
        "" => "something in it cannot be".to_owned(),
        line => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_line() {
        let panicked = guarded::<()>(|| panic!("one\ntwo {}", 3)).unwrap_err();
        assert_eq!(panicked.to_string(), "one");
        assert!(panicked.is_damage());
        let panicked = guarded::<()>(|| panic!("")).unwrap_err();
        assert_eq!(panicked.to_string(), "something in it cannot be");
        assert_eq!(guarded(|| Ok(1)).unwrap(), 1);
        assert!(!IS_GUARDED.get());
    }
}
