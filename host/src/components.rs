//! Components that apps share, each in memory once, as long as any app uses it.

use crate::admission::{self, Stock};
use crate::commons::{Commons, Room};
use crate::compiled::{Cache, Pin};
use crate::compiler::queue::{Place, Queue};
use crate::compiler::{CompileError, Compiler, Payer};
use crate::digest::Digest;
use crate::load::{LoadError, Loaded, Loader};
use crate::log_share::LogShare;
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
    log: Arc<LogShare>,
}

/// The components of a host.
pub struct Components {
    engines: Arc<Engines>,
    compiler: Compiler,
    cache: Option<Arc<Cache>>,
    residency: Arc<Residency>,
    sandboxes: Arc<Sandboxes>,
    commons: Arc<Commons>,
    live: Mutex<HashMap<Digest, Weak<Component>>>,
    /// Whose turn it is to compile.
    queue: Queue,
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
    /// On whose account it is compiled.
    pub payer: Payer,
    /// Keeps its code.
    pub pin: Option<Arc<Pin>>,
}

impl Components {
    /// None yet. They are loaded for `engines`, and count towards `residency`; their
    /// sandboxes have `commons` together.
    pub fn new(
        engines: Arc<Engines>,
        compiler: Compiler,
        cache: Option<Arc<Cache>>,
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
            queue: Queue::new(std::thread::available_parallelism().map_or(1, usize::from)),
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

    /// Whose turn it is to compile.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How many lanes each is on.
    pub fn lanes(&self) -> usize {
        self.engines.lanes()
    }

    /// Keeps the code of the component of this digest, where code is kept at all.
    /// `is_made_again` says whether its file is kept as well.
    pub fn pin(&self, digest: Digest, is_made_again: bool) -> Option<Arc<Pin>> {
        let cache = self.cache.as_ref()?;
        Some(Arc::new(cache.pin(digest, is_made_again)))
    }

    /// Whether one that has left memory comes back without being compiled again.
    pub fn come_back(&self) -> bool {
        self.cache.is_some()
    }

    /// The component in `file`, which has this `digest`. If it has to be compiled, that
    /// waits for the turn of `payer`; then `compiling` is called, and what it returns is
    /// dropped after.
    pub fn load<P>(
        &self,
        digest: Digest,
        file: &[u8],
        payer: &Payer,
        compiling: impl FnOnce() -> P,
    ) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.present(&digest) {
            // It may have come from code that was kept, without its file.
            component.loaded.know(file);
            return Ok(component);
        }
        let enter = || {
            let place = self.queue.enter(payer);
            let place = place.map_err(|why| LoadError::Compile(CompileError::Refused(why)))?;
            Ok((compiling(), place))
        };
        let charge = |(_, place): &(P, Place<'_>), spent| place.charge(spent);
        let loaded = self.loader().load_in_turn(file, enter, charge)?;
        Ok(self.keep(digest, loaded))
    }

    /// The component with that `digest`, whose file is at `path` should its code have
    /// to be made again, on the account of `payer`.
    fn fetch(
        &self,
        digest: Digest,
        path: &Path,
        payer: &Payer,
    ) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.present(&digest) {
            return Ok(component);
        }
        if let Some(loaded) = self.loader().load_kept(&digest) {
            return Ok(self.keep(digest, loaded?));
        }
        let file = regular_file::read(path, regular_file::COMPONENT)
            .map_err(|error| LoadError::Unreadable(path.into(), error))?;
        if Digest::of(&file) != digest {
            return Err(LoadError::Damaged(path.into()));
        }
        self.load(digest, &file, payer, || ())
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
            log: Arc::default(),
        }
    }

    /// Takes a sandbox of this class on `lane`; none if it has its share of them.
    pub fn take(&self, lane: usize, class: SizeClass) -> Option<Seat> {
        self.sandboxes.take(lane, class as usize)
    }

    /// What it may write to the log.
    pub fn log(&self) -> &Arc<LogShare> {
        &self.log
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
        self.components.fetch(self.digest, &self.path, &self.payer)
    }
}
