//! Where small guests go that find no slot on their lane: a pool that keeps nothing.
//!
//! A slot of a lane's pool keeps what its guests touched, for the next one. Had each of a
//! thousand slots done so, the host would hold on to what a moment with a thousand guests
//! took: 43 MiB were 140 after 10,000 requests that slept. A slot here is handed back to the
//! kernel when its guest ends, and the next guest pays for each page that it touches.

use super::cleaning;
use super::linker::linker;
use super::pool::{self, Details, SizeClass};
use super::state::State;
use super::ticker::Ticker;
use crate::metrics;
use std::sync::{Arc, OnceLock};
use wasmtime::Result;
use wasmtime::component::Linker;

/// The pool, which all lanes share: who comes here waits, as a rule. It is made when it is
/// needed first.
pub struct Overflow {
    details: Details,
    ticker: Arc<Ticker>,
    made: OnceLock<Linker<State>>,
}

impl Overflow {
    /// None yet. The `ticker` will tick for its guests.
    pub fn new(details: Details, ticker: Arc<Ticker>) -> Self {
        Overflow {
            details,
            ticker,
            made: OnceLock::new(),
        }
    }

    /// What links its guests to the host, with its engine.
    pub fn linker(&self) -> Result<&Linker<State>> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let class = SizeClass::Small;
        let made = linker(&pool::keeping_nothing(
            self.details,
            class.slots() + cleaning::MOST,
        )?)?;
        // Of two that come at once, one is dropped unused.
        Ok(self.made.get_or_init(|| {
            // The slots of the class are told of with its lanes; those that are taken here
            // are taken of them.
            metrics::watch_pool(class.name(), 0, made.engine().weak());
            self.ticker.add(made.engine());
            made
        }))
    }
}
