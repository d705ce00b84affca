//! The thread on which sandboxes with much memory end.
//!
//! To hand 40 MiB back to the kernel takes some milliseconds that nothing interrupts. On a
//! thread that serves, all others would wait for them; here the kernel shares them out.

use super::state::State;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use wasmtime::Store;

/// Bytes of memory and tables from which on a sandbox ends here. Less is handed back sooner
/// than a thread is woken and the slot comes back to its own.
const MUCH: u64 = 16 << 20;

/// Sandboxes that may be here at a time. Each has its slot until it is cleaned, so that every
/// pool has so many more slots than sandboxes that may live.
pub const MOST: usize = 16;

/// Those of them whose memory counts no more. That of the others counts as their tenant's until
/// it is back: who has sandboxes end faster than they are cleaned would else have all of these
/// beside what there is for sandboxes.
const FREE: usize = 4;

/// Those that are here.
static HERE: AtomicUsize = AtomicUsize::new(0);

static THREAD: OnceLock<Option<SyncSender<Store<State>>>> = OnceLock::new();

/// Starts the thread, unless it runs. It stays as long as the process.
pub fn start() {
    THREAD.get_or_init(|| {
        // One is cleaned while the others wait.
        let (give, given) = sync_channel(MOST - 1);
        let clean = move || {
            for store in given {
                drop(store);
                HERE.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let begun = std::thread::Builder::new().name("rhost-cleaning".into());
        begun.spawn(clean).ok().map(|_| give)
    });
}

/// How many sandboxes end here now. They have slots, and live no more.
pub fn ending() -> usize {
    HERE.load(Ordering::Relaxed)
}

/// The store of a sandbox. When it is dropped its request is over, and it ends on the thread
/// for that if it has much memory and there is room for one more.
pub struct Cleaned(Option<Store<State>>);

impl Cleaned {
    /// Takes care of `store`.
    pub fn of(store: Store<State>) -> Self {
        Cleaned(Some(store))
    }
}

impl Deref for Cleaned {
    type Target = Store<State>;

    fn deref(&self) -> &Store<State> {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Cleaned {
    fn deref_mut(&mut self) -> &mut Store<State> {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Cleaned {
    fn drop(&mut self) {
        let is_large = |store: &mut Store<State>| store.data().space() >= MUCH;
        if let Some(mut store) = self.0.take_if(is_large) {
            // Who waits for the answer is not to wait for this.
            store.data_mut().forget();
            if let Some(Some(thread)) = THREAD.get() {
                let before = HERE.fetch_add(1, Ordering::Relaxed);
                if before < FREE {
                    store.data_mut().let_go_all();
                }
                // Where there is no room it comes back, and ends on this thread.
                if thread.try_send(store).is_err() {
                    HERE.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }
}
