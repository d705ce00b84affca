//! Components that apps share, each in memory once, as long as any app uses it.

use crate::admission::{self, Stock};
use crate::commons::{Commons, Room};
use crate::compiled::{Cache, Pin, Reason};
use crate::compiler::queue::{Place, Queue, Ticket};
use crate::compiler::{CompileError, Compiler, Payer};
use crate::digest::Digest;
use crate::load::{LoadError, Loaded, Loader};
use crate::log_share::LogShare;
use crate::regular_file;
use crate::residency::{Residency, Share};
use crate::sandbox::{Engines, SizeClass};
use std::collections::HashMap;
use std::path::PathBuf;
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
    _used: Option<Arc<Pin>>,
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

    /// How many lanes each is on.
    pub fn lanes(&self) -> usize {
        self.engines.lanes()
    }

    /// Has the cache keep the code of the component of this digest for that `reason`, where
    /// code is kept at all.
    pub fn pin(&self, digest: Digest, reason: Reason) -> Option<Arc<Pin>> {
        let cache = self.cache.as_ref()?;
        Some(Arc::new(cache.pin(digest, reason)))
    }

    /// Whether one that has left memory comes back without being compiled again.
    pub fn come_back(&self) -> bool {
        self.cache.is_some()
    }

    /// The component with that `digest`, for a change of what is served. If it has to be
    /// compiled, that waits for the turn of `payer`. Only then `read` is called, for the
    /// bytes of its file, and `compiling`; what that returns is dropped after. So nothing
    /// of what waits is in memory.
    pub fn load<P, E: From<LoadError>>(
        &self,
        digest: Digest,
        payer: &Payer,
        read: impl FnOnce() -> Result<Vec<u8>, E>,
        compiling: impl FnOnce() -> P,
    ) -> Result<Arc<Component>, E> {
        if let Some(found) = self.find(&digest) {
            let component = found?;
            if !component.loaded.is_known() {
                // It came from code that was kept, without its file.
                component.loaded.know(&read()?);
            }
            return Ok(component);
        }
        let place = self.queue.enter(payer);
        let place = place.map_err(|why| LoadError::Compile(CompileError::Refused(why)))?;
        let read = || {
            let file = read()?;
            Ok((file, compiling()))
        };
        self.make(digest, read, place)
    }

    /// The component with that `digest`, if it is in memory or its code is kept.
    fn find(&self, digest: &Digest) -> Option<Result<Arc<Component>, LoadError>> {
        if let Some(component) = self.present(digest) {
            return Some(Ok(component));
        }
        let loaded = self.loader().load_kept(digest)?;
        Some(loaded.map(|loaded| self.keep(*digest, loaded)))
    }

    /// Compiles what `read` returns in that `place`, which is given back when nobody has to
    /// do it again.
    fn make<P, E: From<LoadError>>(
        &self,
        digest: Digest,
        read: impl FnOnce() -> Result<(Vec<u8>, P), E>,
        place: Place,
    ) -> Result<Arc<Component>, E> {
        // Another may have done it meanwhile.
        if let Some(found) = self.find(&digest) {
            return Ok(found?);
        }
        let (file, _compiling) = read()?;
        let charge = |spent| place.charge(spent);
        let loaded = self.loader().make(&digest, &file, charge)?;
        Ok(self.keep(digest, loaded))
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
            _used: self.pin(digest, Reason::InMemory),
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
    /// The component, if it is in memory or its code is kept.
    pub fn find(&self) -> Option<Result<Arc<Component>, LoadError>> {
        self.components.find(&self.digest)
    }

    /// A ticket for compiling it.
    pub fn line_up(&self) -> Ticket {
        self.components.queue.line_up(&self.payer)
    }

    /// The component, compiled from its file in that `place`.
    pub fn make(&self, place: Place) -> Result<Arc<Component>, LoadError> {
        let read = || {
            let file = regular_file::read(&self.path, regular_file::COMPONENT)
                .map_err(|error| LoadError::Unreadable(self.path.clone(), error))?;
            match Digest::of(&file) == self.digest {
                true => Ok((file, ())),
                false => Err(LoadError::Damaged(self.path.clone())),
            }
        };
        self.components.make(self.digest, read, place)
    }

    /// Sees to it that `component`, which is this one, comes back without being compiled
    /// again: its code may have gone from the cache while it was in memory.
    pub fn keep_code(&self, component: &Component) {
        self.components
            .loader()
            .keep(&self.digest, &component.loaded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commons::Sizes;
    use crate::compiled::Cache;
    use crate::residency::Budget;
    use crate::sandbox::Details;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    /// The smallest component there is. It is compiled, and is no app.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    /// Components whose code is kept in `home`, and what kept it.
    fn components(home: &tempfile::TempDir) -> (Components, Arc<Cache>) {
        let cache = Arc::new(Cache::open(&home.path().join("cache")).unwrap());
        let budget = Budget {
            octets: 1 << 30,
            components: 100,
        };
        let sizes = Sizes {
            memory: 0,
            files: 0,
        };
        let components = Components::new(
            Arc::new(Engines::new(1, Details::Names).unwrap()),
            Compiler::Here,
            Some(cache.clone()),
            Arc::new(Residency::within(budget)),
            Commons::new(sizes),
        );
        (components, cache)
    }

    fn acme() -> Payer {
        Payer::tenant("acme", Duration::from_secs(60))
    }

    /// Loads the smallest component, and counts how often it is read.
    fn load(components: &Components, payer: &Payer, reads: &AtomicUsize) -> LoadError {
        let read = || {
            reads.fetch_add(1, SeqCst);
            Ok(EMPTY.to_vec())
        };
        let loaded = components.load(Digest::of(EMPTY), payer, read, || ());
        loaded.map(drop).expect_err("it is no app")
    }

    #[test]
    fn what_waits_to_be_compiled_is_not_in_memory() {
        let home = tempfile::tempdir().unwrap();
        let (components, _) = components(&home);
        let (payer, reads) = (acme(), AtomicUsize::new(0));
        let place = components.queue.enter(&payer).unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| load(&components, &payer, &reads)))
                .collect();
            while components.queue.waiting() < all.len() {
                std::thread::yield_now();
            }
            assert_eq!(reads.load(SeqCst), 0);
            drop(place);
            for one in all {
                let error = one.join().unwrap();
                assert!(matches!(error, LoadError::Exports(_)), "{error}");
            }
        });
        // It was compiled once, for all of them.
        assert_eq!(reads.load(SeqCst), 1);
    }

    #[test]
    fn what_is_kept_takes_neither_a_turn_nor_a_quota() {
        let home = tempfile::tempdir().unwrap();
        let (components, cache) = components(&home);
        let (payer, reads) = (acme(), AtomicUsize::new(0));
        load(&components, &payer, &reads);
        let place = components.queue.enter(&payer).unwrap();
        place.charge(Duration::from_secs(100));
        let error = load(&components, &payer, &reads);
        assert!(matches!(error, LoadError::Exports(_)), "{error}");
        assert_eq!(reads.load(SeqCst), 1);
        cache.remove(&crate::compiled::Key::new(
            components.engines.compiler(),
            &Digest::of(EMPTY),
        ));
        let error = load(&components, &payer, &reads);
        let refused = matches!(error, LoadError::Compile(CompileError::Refused(_)));
        assert!(refused, "{error}");
        assert_eq!(reads.load(SeqCst), 1);
    }
}
