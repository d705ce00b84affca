use super::*;
use crate::sandbox::Details;
use std::os::unix::fs::PermissionsExt;

/// The smallest component there is.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
/// What it is kept under here: any digest will do.
const EMPTY_DIGEST: Digest = Digest([0; 32]);

fn empty(engines: &Engines) -> Compiled {
    Compiled::make(&Compiler::Here, engines, EMPTY, |_| ()).unwrap()
}

#[test]
fn what_was_put_is_got() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(&home.path().join("a/rhost")).unwrap();
    let engines = Engines::new(1, Details::Names).unwrap();
    let engine = engines.compiler();
    let key = Key::new(engine, &EMPTY_DIGEST);
    assert!(cache.get(&key).is_none());
    cache.put(&key, &empty(&engines)).unwrap();
    cache.get(&key).unwrap().load(engine).unwrap();
    let mode = fs::metadata(home.path().join("a/rhost")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700);
    cache.remove(&key);
    assert!(cache.get(&key).is_none());
}

#[test]
fn the_same_is_kept_by_several_at_a_time() {
    let kept = Kept::new();
    let code = empty(&kept.engines);
    std::thread::scope(|scope| {
        let put = || (0..50).try_for_each(|_| kept.cache.put(&kept.key, &code));
        let all: Vec<_> = (0..4).map(|_| scope.spawn(put)).collect();
        for one in all {
            one.join().unwrap().unwrap();
        }
    });
    assert!(kept.is_trusted());
    // It, the secret, and nothing that is not whole.
    let there = fs::read_dir(kept.home.path().join("rhost")).unwrap();
    assert_eq!(there.count(), 2);
}

#[test]
fn a_directory_of_others_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let open = home.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Cache::open(&open), Err(CacheError::Shared { .. })));
    let own = home.path().join("own");
    Cache::open(&own).unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(&own, &link).unwrap();
    assert!(matches!(Cache::open(&link), Err(CacheError::Shared { .. })));
}

/// A cache with one file in it, and all of that.
struct Kept {
    home: tempfile::TempDir,
    cache: Cache,
    engines: Engines,
    key: Key,
    octets: Vec<u8>,
}

impl Kept {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("rhost")).unwrap();
        let engines = Engines::new(1, Details::Names).unwrap();
        let key = Key::new(engines.compiler(), &EMPTY_DIGEST);
        cache.put(&key, &empty(&engines)).unwrap();
        let octets = fs::read(cache.file(&key)).unwrap();
        Kept {
            home,
            cache,
            engines,
            key,
            octets,
        }
    }

    /// Puts `octets` in the place of the file.
    fn replace(&self, octets: &[u8]) {
        let file = self.cache.file(&self.key);
        let _ = fs::remove_file(&file);
        fs::write(&file, octets).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Whether it is taken for the host's own; what is not has to be gone.
    fn is_trusted(&self) -> bool {
        let trusted = self.cache.get(&self.key).is_some();
        assert_eq!(self.cache.file(&self.key).exists(), trusted);
        trusted
    }
}

#[test]
fn files_that_others_could_have_written_are_not_loaded() {
    let kept = Kept::new();
    let file = kept.cache.file(&kept.key);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!kept.is_trusted());
    kept.replace(&kept.octets);
    assert!(kept.is_trusted());
    let elsewhere = kept.home.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(kept.cache.get(&kept.key).is_none());
}

#[test]
fn a_file_is_not_written_again() {
    let kept = Kept::new();
    let mode = fs::metadata(kept.cache.file(&kept.key)).unwrap().mode();
    assert_eq!(mode & 0o777, 0o400);
    // But it can be replaced.
    kept.cache.put(&kept.key, &empty(&kept.engines)).unwrap();
    assert!(kept.is_trusted());
}

#[test]
fn no_octet_may_be_another() {
    let kept = Kept::new();
    for place in (0..kept.octets.len()).step_by(97) {
        let mut octets = kept.octets.clone();
        octets[place] ^= 1 << (place % 8);
        kept.replace(&octets);
        assert!(!kept.is_trusted(), "octet {place}");
    }
    let (code, tag) = kept.octets.split_at(kept.octets.len() - seal::LENGTH);
    for place in 0..tag.len() {
        let mut tag = tag.to_vec();
        tag[place] ^= 1;
        kept.replace(&[code, &tag].concat());
        assert!(!kept.is_trusted(), "octet {place} of the tag");
    }
}

#[test]
fn none_may_be_missing_or_more() {
    let kept = Kept::new();
    let length = kept.octets.len();
    for shorter in [0, 1, 31, 32, 33, length - 33, length - 32, length - 1] {
        kept.replace(&kept.octets[..shorter]);
        assert!(!kept.is_trusted(), "{shorter} octets");
    }
    kept.replace(&[&kept.octets[..], b"x"].concat());
    assert!(!kept.is_trusted());
    kept.replace(&kept.octets);
    assert!(kept.is_trusted());
}

#[test]
fn code_of_another_component_is_not_loaded() {
    let kept = Kept::new();
    let other = Key::new(kept.engines.compiler(), &Digest([1; 32]));
    fs::rename(kept.cache.file(&kept.key), kept.cache.file(&other)).unwrap();
    assert!(kept.cache.get(&other).is_none());
}

#[test]
fn code_of_another_host_is_not_loaded() {
    let (kept, other) = (Kept::new(), Kept::new());
    kept.replace(&other.octets);
    assert!(!kept.is_trusted());
}

#[test]
fn what_is_loaded_is_what_was_looked_at() {
    let kept = Kept::new();
    let compiled = kept.cache.get(&kept.key).unwrap();
    kept.replace(b"something else that has its name by now");
    compiled.load(kept.engines.compiler()).unwrap();
}

#[test]
fn keys_follow_the_component_and_the_engine() {
    let engine = |ticks: bool| {
        let mut config = wasmtime::Config::new();
        // Compiled in without a collector; see `sandbox::engine`.
        config
            .gc_support(false)
            .wasm_gc(false)
            .wasm_function_references(false)
            .wasm_exceptions(false)
            .epoch_interruption(ticks);
        Engine::new(&config).unwrap()
    };
    let (plain, ticking) = (engine(false), engine(true));
    assert_eq!(
        Key::new(&plain, &EMPTY_DIGEST),
        Key::new(&plain, &EMPTY_DIGEST)
    );
    assert_ne!(
        Key::new(&plain, &EMPTY_DIGEST),
        Key::new(&plain, &Digest([1; 32]))
    );
    assert_ne!(
        Key::new(&plain, &EMPTY_DIGEST),
        Key::new(&ticking, &EMPTY_DIGEST)
    );
}
