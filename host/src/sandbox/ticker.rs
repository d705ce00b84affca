//! The thread that ticks: without it no limit of time is enforced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::Engine;

/// How often guests are made to give way. Long against the cost of giving way,
/// short against what anyone waiting notices.
pub const TICK: Duration = Duration::from_millis(1);

/// The thread that moves every engine's epoch on, until it is dropped.
pub struct Ticker {
    engines: Arc<Mutex<Vec<Engine>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts it, without an engine yet.
    pub fn start() -> Self {
        let engines = Arc::new(Mutex::new(Vec::<Engine>::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("rhost-epoch".into())
            .spawn({
                let (engines, stop) = (engines.clone(), stop.clone());
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::park_timeout(TICK);
                        for engine in engines
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .iter()
                        {
                            engine.increment_epoch();
                        }
                    }
                }
            })
            .expect("the system starts a thread");
        Ticker {
            engines,
            stop,
            thread: Some(thread),
        }
    }

    /// Moves the epoch of `engine` on, too.
    pub fn add(&self, engine: &Engine) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.push(engine.clone());
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
