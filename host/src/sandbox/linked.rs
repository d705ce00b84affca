//! A component that is linked: in each lane's engine, ready to be instantiated, with
//! nothing in it that is one app's. All apps of the same component share it.

use super::engine::{self, Engines, SizeClass, Ticker};
use super::handle::HandleExport;
use super::state::State;
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre};
use wasmtime::{Engine, Error, Result};

/// A component in the engine of one lane.
pub struct Linked {
    pub(super) instance_pre: InstancePre<State>,
    pub(super) handle: HandleExport,
    /// Enforces the limits of its guests, for as long as there can be any.
    _ticker: Arc<Ticker>,
}

/// Why a component cannot be linked.
#[derive(Debug)]
pub enum LinkError {
    /// The host's own failure.
    Engine(Error),
    /// The component imports or exports something of another type than the gateway's
    /// or WASI's.
    Types(Error),
}

impl Linked {
    /// Links the component that `load` gives for an engine, once for each lane. It is
    /// of `class`.
    pub fn on_each_lane(
        engines: &Engines,
        class: SizeClass,
        mut load: impl FnMut(&Engine) -> Result<Component>,
    ) -> std::result::Result<Vec<Linked>, LinkError> {
        let linkers = engines.linkers(class).map_err(LinkError::Engine)?;
        linkers
            .iter()
            .map(|linker| {
                let component = load(linker.engine()).map_err(LinkError::Engine)?;
                let handle = HandleExport::find(&component)
                    .map_err(|why| LinkError::Types(Error::msg(why)))?;
                let instance_pre = linker
                    .instantiate_pre(&component)
                    .map_err(LinkError::Types)?;
                Ok(Linked {
                    instance_pre,
                    handle,
                    _ticker: engines.ticker(),
                })
            })
            .collect()
    }

    /// The component.
    pub fn component(&self) -> &Component {
        self.instance_pre.component()
    }

    /// How many of its sandboxes can live at a time on each of `lanes`. It is of
    /// `class`.
    pub fn capacity(&self, class: SizeClass, lanes: usize) -> usize {
        let needs = self.component().resources_required();
        let (memories, tables) =
            needs.map_or((1, 1), |needs| (needs.num_memories, needs.num_tables));
        engine::capacity(class, lanes, memories as usize, tables as usize)
    }
}
