use super::super::{Compiled, Origin};
use super::*;

/// A cache of 1,000 bytes of code, and the files in it.
struct Home(tempfile::TempDir, Cache);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("rhost")).unwrap();
        Home(home, cache.within(1000))
    }

    /// Puts 300 bytes of code, and its tag, under the digest of so many.
    fn put(&self, number: u8) {
        let code = Compiled(Origin::Made(vec![number; 300]));
        self.1.put(&key(number), &code).unwrap();
    }

    /// Those that are there, which were used in this order.
    fn there(&self) -> Vec<u8> {
        let there = |number: &u8| self.1.file(&key(*number)).exists();
        (0..10).filter(there).collect()
    }

    /// Says that it was used so many hours ago.
    fn aged(&self, number: u8, hours: u32) {
        let file = File::open(self.1.file(&key(number))).unwrap();
        let then = SystemTime::now() - Duration::from_secs(3600) * hours;
        file.set_modified(then).unwrap();
    }
}

fn key(number: u8) -> Key {
    Key(format!("{}-0123456789abcdef", digest(number)))
}

fn digest(number: u8) -> Digest {
    Digest([number; 32])
}

#[test]
fn what_was_used_least_recently_goes() {
    let home = Home::new();
    for number in 0..3 {
        home.put(number);
        home.aged(number, 10 - u32::from(number));
    }
    assert_eq!(home.there(), [0, 1, 2]);
    // It is used, which counts more than when it was made.
    assert!(home.1.get(&key(0)).is_some());
    home.put(3);
    assert_eq!(home.there(), [0, 2, 3]);
    home.put(4);
    assert_eq!(home.there(), [0, 3, 4]);
    let abandoned = home.0.path().join("rhost/x.1.new");
    fs::write(&abandoned, "x").unwrap();
    File::open(&abandoned)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    home.put(5);
    assert!(!abandoned.exists());
}

#[test]
fn what_an_app_has_goes_last_or_not_at_all() {
    let home = Home::new();
    let of_file = home.1.pin(digest(0), Reason::OfFile);
    let deployed = home.1.pin(digest(1), Reason::Deployed(None));
    for number in 0..6 {
        home.put(number);
        home.aged(number, 100 - u32::from(number));
    }
    assert_eq!(home.there(), [0, 1, 5]);
    let also = home.1.pin(digest(5), Reason::OfFile);
    home.put(6);
    assert_eq!(home.there(), [0, 5, 6]);
    drop((of_file, deployed, also));
    home.put(7);
    assert_eq!(home.there(), [5, 6, 7]);
}

fn of(tenant: &str) -> Reason {
    Reason::deployed(Some(tenant))
}

#[test]
fn code_of_another_engine_goes_first_whoever_has_its_component() {
    let home = Home::new();
    let _pins = [
        home.1.pin(digest(0), Reason::OfFile),
        home.1.pin(digest(1), of("acme")),
    ];
    for number in 0..2 {
        let code = Compiled(Origin::Made(vec![number; 300]));
        let before = Key(format!("{}-fedcba9876543210", digest(number)));
        home.1.put(&before, &code).unwrap();
    }
    // Used before all of that.
    home.put(2);
    home.aged(2, 100);
    let before = |number| {
        let key = Key(format!("{}-fedcba9876543210", digest(number)));
        home.1.file(&key).exists()
    };
    home.put(3);
    assert_eq!(home.there(), [2, 3]);
    assert_eq!(
        [before(0), before(1)]
            .iter()
            .filter(|there| **there)
            .count(),
        1
    );
    home.put(4);
    assert_eq!(home.there(), [2, 3, 4]);
    assert!(!before(0) && !before(1));
}

#[test]
fn who_has_more_than_its_share_makes_room() {
    let home = Home::new();
    let victims = home.1.pin(digest(0), of("victim"));
    home.put(0);
    home.aged(0, 1000);
    let _operators = home.1.pin(digest(1), Reason::Deployed(None));
    home.put(1);
    home.aged(1, 900);
    let mut pins = Vec::new();
    for number in 2..9 {
        pins.push(home.1.pin(digest(number), of("greedy")));
        home.put(number);
        home.aged(number, 100 - u32::from(number));
        assert_eq!(home.there(), [0, 1, number]);
    }
    // What another has as well is not lost by the greed of one.
    drop(victims);
    let _also = home.1.pin(digest(8), of("victim"));
    for number in [9, 7] {
        pins.push(home.1.pin(digest(number), of("greedy")));
        home.put(number);
    }
    assert_eq!(home.there(), [1, 7, 8]);
}

#[test]
fn what_the_files_apps_have_is_no_part_of_the_shares() {
    let home = Home::new();
    let _of_file = home.1.pin(digest(0), Reason::OfFile);
    home.put(0);
    let _pins = [
        home.1.pin(digest(1), of("victim")),
        home.1.pin(digest(2), of("greedy")),
        home.1.pin(digest(3), of("greedy")),
    ];
    for number in 1..4 {
        home.put(number);
        home.aged(number, 100 - u32::from(number));
    }
    assert_eq!(home.there(), [0, 1, 3]);
}

#[test]
fn what_is_in_memory_is_used_now() {
    let home = Home::new();
    let _pins: Vec<_> = (0..5)
        .map(|number| home.1.pin(digest(number), of("acme")))
        .collect();
    for number in 0..3 {
        home.put(number);
        home.aged(number, 100 - u32::from(number));
    }
    let in_memory = home.1.pin(digest(0), Reason::InMemory);
    home.put(3);
    assert_eq!(home.there(), [0, 2, 3]);
    // Its file says so from here on.
    drop(in_memory);
    home.put(4);
    assert_eq!(home.there(), [0, 3, 4]);
}

#[test]
fn what_is_larger_than_the_cache_is_not_kept() {
    let home = Home::new();
    home.put(0);
    let code = Compiled(Origin::Made(vec![1; 1000]));
    let said = home.1.put(&key(1), &code).unwrap_err().to_string();
    assert!(said.contains("--cache-size"), "{said}");
    assert_eq!(home.there(), [0]);
}
