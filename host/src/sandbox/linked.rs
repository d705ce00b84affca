//! A component that is linked: in each lane's engine, ready to be instantiated, with
//! nothing in it that is one app's. All apps of the same component share it.

use super::cleaning;
use super::engine::Engines;
use super::handle::HandleExport;
use super::overflow::Overflow;
use super::pool::{self, SizeClass};
use super::state::State;
use super::ticker::Ticker;
use std::sync::Arc;
use tokio::sync::OnceCell;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Error, Result};

/// Loads a component once more, for another engine.
pub type Again = Arc<dyn Fn(&Component, &Engine) -> Result<Component> + Send + Sync>;

/// A component in the engine of one lane.
pub struct Linked {
    on_lane: Ready,
    /// Sandboxes of the lane's pool, each of which may wait for another request.
    slots: usize,
    /// Those that it has beside them.
    for_cleaning: usize,
    beyond: Option<Arc<Beyond>>,
    /// Enforces the limits of its guests, for as long as there can be any.
    _ticker: Arc<Ticker>,
}

/// A component in one engine.
pub(super) struct Ready {
    pub instance_pre: InstancePre<State>,
    /// Octets of its guests' stacks.
    pub stack: usize,
    pub handle: Arc<HandleExport>,
}

/// The same component for those who find no slot on their lane, from the first of them on.
struct Beyond {
    overflow: Arc<Overflow>,
    again: Again,
    /// None if it could not be loaded.
    ready: OnceCell<Option<Ready>>,
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
    /// of `class`. What it is loaded with `again` for is the engine of the overflow.
    pub fn on_each_lane(
        engines: &Engines,
        class: SizeClass,
        mut load: impl FnMut(&Engine) -> Result<Component>,
        again: &Again,
    ) -> std::result::Result<Vec<Linked>, LinkError> {
        let linkers = engines.linkers(class).map_err(LinkError::Engine)?;
        let beyond = engines.overflow(class).map(|overflow| {
            Arc::new(Beyond {
                overflow: overflow.clone(),
                again: again.clone(),
                ready: OnceCell::new(),
            })
        });
        linkers
            .iter()
            .map(|linker| {
                let component = load(linker.engine()).map_err(LinkError::Engine)?;
                Ok(Linked {
                    on_lane: Ready::new(linker, &component, class)?,
                    slots: class.warm_slots_of_lane(engines.lanes()),
                    for_cleaning: class.slots_for_cleaning(),
                    beyond: beyond.clone(),
                    _ticker: engines.ticker(),
                })
            })
            .collect()
    }

    /// The component.
    pub fn component(&self) -> &Component {
        self.on_lane.instance_pre.component()
    }

    /// Where a sandbox of it finds a slot, unless all of the lane are taken.
    pub(super) fn on_lane(&self) -> Option<&Ready> {
        let pool = self.on_lane.instance_pre.engine();
        let pool = pool.pooling_allocator_metrics();
        let most = self.slots + cleaning::ending().min(self.for_cleaning);
        let has_room = pool.is_none_or(|pool| pool.component_instances() < most as u64);
        has_room.then_some(&self.on_lane)
    }

    /// Where it finds one when they are, if there is such a place.
    pub(super) async fn beyond(&self) -> Option<&Ready> {
        self.beyond.as_ref()?.ready(self.component()).await
    }

    /// How many of its sandboxes can live at a time on each of `lanes`. It is of
    /// `class`.
    pub fn capacity(&self, class: SizeClass, lanes: usize) -> usize {
        let needs = self.component().resources_required();
        let (memories, tables) =
            needs.map_or((1, 1), |needs| (needs.num_memories, needs.num_tables));
        pool::capacity(class, lanes, memories as usize, tables as usize)
    }
}

impl Ready {
    fn new(
        linker: &Linker<State>,
        component: &Component,
        class: SizeClass,
    ) -> std::result::Result<Self, LinkError> {
        let handle =
            HandleExport::find(component).map_err(|why| LinkError::Types(Error::msg(why)))?;
        let instance_pre = linker.instantiate_pre(component);
        Ok(Ready {
            instance_pre: instance_pre.map_err(LinkError::Types)?,
            stack: class.stack(),
            handle: Arc::new(handle),
        })
    }
}

impl Beyond {
    /// Loads it for the first who asks. That may take as long as to read its code, so that it
    /// is done elsewhere.
    async fn ready(self: &Arc<Self>, component: &Component) -> Option<&Ready> {
        let load = || async {
            let (beyond, component) = (self.clone(), component.clone());
            let loaded = tokio::task::spawn_blocking(move || beyond.load(&component));
            let why = match loaded.await {
                Ok(Ok(ready)) => return Some(ready),
                Ok(Err(error)) => format!("{error:#}"),
                Err(error) => error.to_string(),
            };
            tracing::warn!("fewer sandboxes of a component can live at a time: {why}");
            None
        };
        self.ready.get_or_init(load).await.as_ref()
    }

    fn load(&self, component: &Component) -> Result<Ready> {
        let linker = self.overflow.linker()?;
        let component = (self.again)(component, linker.engine())?;
        Ready::new(linker, &component, SizeClass::Small).map_err(|error| match error {
            LinkError::Engine(error) | LinkError::Types(error) => error,
        })
    }
}
