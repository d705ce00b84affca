//! What every guest may import: the gateway, and what the host lends. A linker is made
//! once for an engine, as it takes a millisecond and does not depend on the app: what a
//! guest gets of it stands in its sandbox's state.

use super::server;
use super::state::State;
use crate::capabilities;
use wasmtime::component::Linker;
use wasmtime::{Engine, Result};

/// The linker of an engine.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    server::link(&mut linker)?;
    capabilities::link(&mut linker)?;
    Ok(linker)
}
