//! Components that apps share, each in memory once, as long as any app uses it.

use crate::admission::{self, Stock};
use crate::commons::{Commons, Room};
use crate::compiled::Cache;
use crate::compiler::Compiler;
use crate::digest::Digest;
use crate::load::{LoadError, Loaded, Loader};
use crate::regular_file;
use crate::residency::{Residency, Share};
use crate::sandbox::{Engines, SizeClass};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What a component takes beside its code, in octets on each lane: types, and tables of
/// functions. Measured: 300 components like the example hello took 110 KB each on two
/// lanes, and all of their code.
const BESIDE_CODE: u64 = 56 << 10;

/// The sandboxes of a host, by the class of their size.
pub type Sandboxes = Stock<{ SizeClass::ALL.len() }>;

/// One that a party has.
pub type Seat = admission::Seat<{ SizeClass::ALL.len() }>;

/// One of those who share a host: a tenant, or an app that is no tenant's.
pub struct Party {
    sandboxes: Arc<admission::Party<{ SizeClass::ALL.len() }>>,
    room: Arc<Room>,
}

/// The components of a host.
pub struct Components {
    engines: Arc<Engines>,
    compiler: Compiler,
    cache: Option<Cache>,
    residency: Arc<Residency>,
    sandboxes: Arc<Sandboxes>,
    commons: Arc<Commons>,
    live: Mutex<HashMap<Digest, Weak<Component>>>,
    /// Held by who compiles for a request: one at a time.
    compiling: Mutex<()>,
}

/// A component in memory.
pub struct Component {
    /// It, on each lane.
    pub loaded: Loaded,
    _share: Share,
}

/// Where an app has its component from, as often as it needs it.
#[derive(Clone)]
pub struct Supply {
    /// Where all have theirs from.
    pub components: Arc<Components>,
    /// The component's.
    pub digest: Digest,
    /// Where its file is.
    pub path: PathBuf,
}

impl Components {
    /// None yet. They are loaded for `engines`, and count towards `residency`; their
    /// sandboxes have `commons` together.
    pub fn new(
        engines: Arc<Engines>,
        compiler: Compiler,
        cache: Option<Cache>,
        residency: Arc<Residency>,
        commons: Arc<Commons>,
    ) -> Self {
        let lanes = engines.lanes();
        Components {
            sandboxes: Stock::new(
                SizeClass::ALL.map(|class| class.slots_of_lane(lanes)),
                lanes,
            ),
            engines,
            compiler,
            cache,
            residency,
            commons,
            live: Mutex::default(),
            compiling: Mutex::new(()),
        }
    }

    /// Who counts what is in memory.
    pub fn residency(&self) -> &Arc<Residency> {
        &self.residency
    }

    /// One more who shares the sandboxes, and what they have together.
    pub fn party(&self) -> Arc<Party> {
        Arc::new(Party::new(&self.sandboxes, &self.commons))
    }

    /// How many lanes each is on.
    pub fn lanes(&self) -> usize {
        self.engines.lanes()
    }

    /// Whether one that has left memory comes back without being compiled again.
    pub fn come_back(&self) -> bool {
        self.cache.is_some()
    }

    /// The component in `file`, which has this `digest`; `compiling` is called when it
    /// has to be compiled, and what it returns is dropped after.
    pub fn load<P>(
        &self,
        digest: Digest,
        file: &[u8],
        compiling: impl FnOnce() -> P,
    ) -> Result<Arc<Component>, LoadError> {
        match self.present(&digest) {
            Some(component) => Ok(component),
            None => Ok(self.keep(digest, self.loader().load(file, compiling)?)),
        }
    }

    /// The component with that `digest`, whose file is at `path` should its code have
    /// to be made again.
    fn fetch(&self, digest: Digest, path: &Path) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.present(&digest) {
            return Ok(component);
        }
        if let Some(loaded) = self.loader().load_kept(&digest) {
            return Ok(self.keep(digest, loaded?));
        }
        let _compiling = self
            .compiling
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Another may have done it meanwhile.
        if let Some(component) = self.present(&digest) {
            return Ok(component);
        }
        let file = regular_file::read(path, regular_file::COMPONENT)
            .map_err(|error| LoadError::Unreadable(path.into(), error))?;
        if Digest::of(&file) != digest {
            return Err(LoadError::Damaged(path.into()));
        }
        Ok(self.keep(digest, self.loader().load(&file, || ())?))
    }

    fn loader(&self) -> Loader<'_> {
        Loader {
            engines: &self.engines,
            compiler: &self.compiler,
            cache: self.cache.as_ref(),
        }
    }

    fn present(&self, digest: &Digest) -> Option<Arc<Component>> {
        self.live().get(digest)?.upgrade()
    }

    fn keep(&self, digest: Digest, loaded: Loaded) -> Arc<Component> {
        let octets = (loaded.code() + BESIDE_CODE) * self.lanes() as u64;
        let component = Arc::new(Component {
            loaded,
            _share: self.residency.share(octets, 1),
        });
        let mut live = self.live();
        if live.len() == live.capacity() {
            live.retain(|_, component| component.strong_count() > 0);
        }
        live.insert(digest, Arc::downgrade(&component));
        component
    }

    fn live(&self) -> MutexGuard<'_, HashMap<Digest, Weak<Component>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Party {
    /// One more who shares `sandboxes`, and `commons`.
    pub fn new(sandboxes: &Arc<Sandboxes>, commons: &Arc<Commons>) -> Self {
        Party {
            sandboxes: sandboxes.party(),
            room: commons.room(),
        }
    }

    /// Takes a sandbox of this class on `lane`; none if it has its share of them.
    pub fn take(&self, lane: usize, class: SizeClass) -> Option<Seat> {
        self.sandboxes.take(lane, class as usize)
    }

    /// What its sandboxes take out of.
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }
}

impl Supply {
    /// The component, which is loaded if it is not there, and compiled if its code is
    /// not kept.
    pub fn fetch(&self) -> Result<Arc<Component>, LoadError> {
        self.components.fetch(self.digest, &self.path)
    }
}
