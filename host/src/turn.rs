//! Guests that keep a thread busy take turns.
//!
//! A guest that runs on past a tick gives way. If it merely queued up again, a
//! newcomer would wait for a tick of every such guest there is. So of those on a
//! thread only one at a time is let run on, and before it does, the thread looks
//! at its sockets and serves what has come: a newcomer waits for one tick at the
//! most.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to run on until the next tick; the next guest's when dropped.
pub struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Turn {
    /// Gives way, and waits for this guest's turn on the thread that asks.
    pub async fn next() -> Self {
        thread_local! {
            static TURNS: Arc<Semaphore> = Arc::new(Semaphore::new(1));
        }
        let turns = TURNS.with(Arc::clone);
        let turn = turns.acquire_owned().await.expect("turns never end");
        // Tokio comes back to a task that yields after it has looked at sockets
        // and run whatever else is ready.
        tokio::task::yield_now().await;
        Turn(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn one_at_a_time_and_each_in_its_turn() {
        let ran = Arc::new(Mutex::new(Vec::new()));
        let guests = ["a", "b", "c"].map(|name| {
            let ran = ran.clone();
            tokio::spawn(async move {
                for _ in 0..2 {
                    let turn = Turn::next().await;
                    ran.lock().unwrap().push(name);
                    drop(turn);
                }
            })
        });
        for guest in guests {
            guest.await.unwrap();
        }
        assert_eq!(*ran.lock().unwrap(), ["a", "b", "c", "a", "b", "c"]);
    }
}
