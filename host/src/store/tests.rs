//! A store on disks that fail, with records that are damaged, and after its end.

mod damage;

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

/// A disk whose operations from a certain one on fail, for so many.
#[derive(Debug, Default)]
struct Failing(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// Operations that still succeed; none if all do.
    left: Option<usize>,
    /// How many fail after those.
    failures: usize,
    failed: usize,
}

impl Failing {
    fn after(&self, left: usize, failures: usize) {
        let failed = 0;
        *self.0.lock().unwrap() = Plan {
            left: Some(left),
            failures,
            failed,
        };
    }

    /// Whether an operation has failed.
    fn has_failed(&self) -> bool {
        self.0.lock().unwrap().failed > 0
    }

    fn operate(&self) -> io::Result<()> {
        let mut plan = self.0.lock().unwrap();
        match plan.left {
            None => Ok(()),
            Some(0) if plan.failed == plan.failures => Ok(()),
            Some(0) => {
                plan.failed += 1;
                Err(io::Error::other("the disk is broken"))
            }
            Some(left) => {
                plan.left = Some(left - 1);
                Ok(())
            }
        }
    }
}

impl Disk for Failing {
    fn write(&self, file: &File, octets: &[u8], offset: u64) -> io::Result<()> {
        self.operate()?;
        Real.write(file, octets, offset)
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        self.operate()?;
        Real.set_length(file, length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.operate()?;
        Real.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate()?;
        Real.rename(from, to)
    }
}

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    (home, path)
}

/// Deploys `octets` as the server does.
fn deploy(store: &Store, name: &str, octets: &[u8]) -> Result<Version, StoreError> {
    let failed = |error| StoreError::Io {
        path: PathBuf::new(),
        error,
    };
    let mut upload = store.components().upload().map_err(failed)?;
    upload.write(octets).map_err(failed)?;
    let uploaded = upload.finish();
    let (digest, octets) = (uploaded.digest, uploaded.octets);
    store.put(uploaded)?;
    store.deploy(name, digest, octets, "hosts = \"a.test\"", 10)
}

/// What is served of an app.
fn served(store: &Store, name: &str) -> Vec<u8> {
    let chosen = store.app(name).unwrap().unwrap();
    let octets = fs::read(store.components().path(&chosen.version.component)).unwrap();
    assert_eq!(Digest::of(&octets), chosen.version.component);
    octets
}

fn components(path: &Path) -> usize {
    fs::read_dir(path.join("components")).unwrap().count()
}

#[test]
fn what_was_deployed_is_there_when_it_is_opened_again() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(deploy(&store, "shop", b"one").unwrap().number, 1);
    assert_eq!(deploy(&store, "shop", b"two").unwrap().number, 2);
    assert_eq!(deploy(&store, "blog", b"one").unwrap().number, 1);
    store.choose("shop", 1).unwrap();
    store.enable("blog", false).unwrap();
    let (id, secret) = store
        .make_token(&Scope::Tenant("acme".into()), "for CI")
        .unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(served(&store, "shop"), b"one");
    assert!(store.app("shop").unwrap().unwrap().is_enabled);
    assert!(!store.app("blog").unwrap().unwrap().is_enabled);
    assert_eq!(
        store.tokens().scope(&secret).map(|(scope, _)| scope),
        Some(Scope::Tenant("acme".into()))
    );
    // The secret is nowhere in the file.
    let file = fs::read(path.join(DATABASE)).unwrap();
    assert!(memchr::memmem::find(&file, id.as_bytes()).is_some());
    assert!(memchr::memmem::find(&file, secret.as_bytes()).is_none());
    store.revoke_token(&id).unwrap();
    assert!(store.revoke_token(&id).is_err());
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(store.tokens().scope(&secret).is_none());
    // A component goes with the last version that needs it.
    assert_eq!(components(&path), 2);
    store.delete("shop").unwrap();
    assert_eq!(
        (components(&path), served(&store, "blog")),
        (1, b"one".to_vec())
    );
    store.delete("blog").unwrap();
    assert_eq!(components(&path), 0);
    assert!(store.app("blog").unwrap().is_none());
}

#[test]
fn so_many_versions_are_kept_and_no_number_is_given_twice() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    for number in 1..=13 {
        let octets = format!("component {number}");
        assert_eq!(
            deploy(&store, "shop", octets.as_bytes()).unwrap().number,
            number
        );
    }
    let numbers: Vec<u32> = store
        .versions("shop")
        .unwrap()
        .iter()
        .map(|it| it.number)
        .collect();
    assert_eq!(numbers, (4..=13).rev().collect::<Vec<_>>());
    assert_eq!(components(&path), 10);
}

#[test]
fn one_process_has_it_and_nobody_else_may() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Locked(_))));
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    let said = Store::open(&path).unwrap_err().to_string();
    assert!(
        said.contains("its mode is 750") && said.contains("chmod 700"),
        "{said}"
    );
}

/// Each operation of a deploy fails in turn, once or from there on: that is said, what
/// was deployed before is there when the store is opened again, and the other deploy
/// is there whole or not at all.
#[test]
fn a_disk_that_fails_is_told_and_loses_nothing() {
    for failures in [1, usize::MAX] {
        let mut left = 0;
        loop {
            let (_home, path) = home();
            let disk = Arc::new(Failing::default());
            let store = Store::open_on(&path, disk.clone()).unwrap();
            deploy(&store, "shop", b"one").unwrap();
            disk.after(left, failures);
            let deployed = deploy(&store, "shop", b"two");
            let has_failed = disk.has_failed();
            assert!(!has_failed || deployed.is_err(), "{left} {failures}");
            drop(store);
            let store = Store::open(&path).unwrap();
            let version = store.app("shop").unwrap().unwrap().version;
            let octets = served(&store, "shop");
            match (version.number, deployed.is_ok()) {
                (1, false) => assert_eq!(octets, b"one"),
                (2, _) => assert_eq!(octets, b"two"),
                other => panic!("{other:?} at {left}"),
            }
            assert_eq!(
                deploy(&store, "shop", b"three").unwrap().number,
                version.number + 1
            );
            if !has_failed {
                break;
            }
            left += 1;
        }
        assert!(left > 5, "{left}");
    }
}

/// The same of its first start.
#[test]
fn a_disk_that_fails_at_the_first_start_leaves_nothing_in_the_way() {
    let mut left = 0;
    loop {
        let (_home, path) = home();
        let disk = Arc::new(Failing::default());
        disk.after(left, usize::MAX);
        let opened = Store::open_on(&path, disk.clone()).map(drop);
        let has_failed = disk.has_failed();
        drop(opened);
        let store = Store::open(&path).unwrap();
        deploy(&store, "shop", b"one").unwrap();
        if !has_failed {
            break;
        }
        left += 1;
    }
    assert!(left > 5, "{left}");
}

#[test]
fn tokens_are_not_made_by_a_disk_that_fails() {
    let (_home, path) = home();
    let disk = Arc::new(Failing::default());
    let store = Store::open_on(&path, disk.clone()).unwrap();
    disk.after(0, usize::MAX);
    assert!(store.make_token(&Scope::All, "").is_err());
    assert!(store.tokens().all().is_empty());
    drop(store);
    assert!(Store::open(&path).unwrap().tokens().all().is_empty());
}

#[test]
fn a_damaged_record_costs_its_app_only() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    for name in ["a", "b", "c", "d"] {
        deploy(&store, name, b"one").unwrap();
    }
    let change = store.database.get().begin_write().unwrap();
    change
        .open_table(APPS)
        .unwrap()
        .insert("b", &b"\xff"[..])
        .unwrap();
    change
        .open_table(VERSIONS)
        .unwrap()
        .insert(("c", 1), &b"{}"[..])
        .unwrap();
    change
        .open_table(TOKENS)
        .unwrap()
        .insert("odd", &b"{}"[..])
        .unwrap();
    change.commit().unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let all = store.apps().unwrap();
    let is_right: Vec<_> = all
        .iter()
        .map(|(name, app)| (&**name, app.is_ok()))
        .collect();
    assert_eq!(
        is_right,
        [("a", true), ("b", false), ("c", false), ("d", true)]
    );
    let said = store.app("c").unwrap_err().to_string();
    assert!(
        said.starts_with("app `c`: version 1: its record is damaged"),
        "{said}"
    );
    // Another deploy mends both.
    assert_eq!(deploy(&store, "b", b"two").unwrap().number, 2);
    assert_eq!(deploy(&store, "c", b"two").unwrap().number, 2);
    assert!(store.apps().unwrap().iter().all(|(_, app)| app.is_ok()));
}

#[test]
fn what_a_process_left_behind_is_swept() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    deploy(&store, "shop", b"one").unwrap();
    drop(store);
    let orphan = format!("{}.wasm", Digest::of(b"orphan"));
    for name in [".upload-abc", &orphan, "note.txt"] {
        fs::write(path.join("components").join(name), b"orphan").unwrap();
    }
    let store = Store::open(&path).unwrap();
    // What is none of its own it leaves alone.
    assert_eq!(components(&path), 2);
    assert_eq!(served(&store, "shop"), b"one");
    // One that is dropped leaves nothing.
    let mut upload = store.components().upload().unwrap();
    upload.write(b"half").unwrap();
    assert_eq!(components(&path), 3);
    drop(upload);
    assert_eq!(components(&path), 2);
}

/// What is known of sizes is what a walk through all versions finds.
#[test]
fn sizes_are_those_of_what_is_kept() {
    let (_home, path) = home();
    let check = |store: &Store, counts: [usize; 3]| {
        for (name, count) in ["shop", "blog", "none"].into_iter().zip(counts) {
            let versions = store.versions(name).unwrap();
            let sizes = store.sizes(name);
            assert_eq!((sizes.len(), versions.len()), (count, count), "{name}");
            for (size, version) in sizes.iter().zip(versions) {
                assert_eq!(size.component, version.component);
                assert_eq!(size.octets, version.octets);
                assert_eq!(size.settings, version.settings.len() as u64);
            }
        }
    };
    let store = Store::open(&path).unwrap();
    for number in 1..=13 {
        deploy(&store, "shop", format!("component {number}").as_bytes()).unwrap();
    }
    deploy(&store, "blog", b"one").unwrap();
    check(&store, [10, 1, 0]);
    drop(store);
    let store = Store::open(&path).unwrap();
    check(&store, [10, 1, 0]);
    deploy(&store, "shop", b"more").unwrap();
    store.delete("blog").unwrap();
    check(&store, [10, 0, 0]);
    // One that cannot be read is counted nowhere.
    let change = store.database.get().begin_write().unwrap();
    let damaged = ("shop", 10);
    let mut versions = change.open_table(VERSIONS).unwrap();
    versions.insert(damaged, &b"{}"[..]).unwrap();
    drop(versions);
    change.commit().unwrap();
    drop(store);
    check(&Store::open(&path).unwrap(), [9, 0, 0]);
}
