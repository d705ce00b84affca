//! The cache of compiled code, which has a size.

use super::{Home, greeting};
use std::fs;

const SIZE: u64 = 1 << 20;

/// The sizes of all code that is kept.
fn kept(home: &Home) -> Vec<u64> {
    let files = fs::read_dir(home.path("cache")).unwrap().flatten();
    let code = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "cwasm"));
    code.map(|entry| entry.metadata().unwrap().len()).collect()
}

/// What was used least recently goes, and comes back when somebody asks for its app.
#[test]
fn compiled_code_has_its_size_and_apps_are_served_without_it() {
    let home = Home::new();
    let flags = ["--cache-dir", "cache", "--cache-size", "1MiB"];
    let serving = home.serve(&flags);
    home.deploy("app0", "no. 0");
    let one = kept(&home)[0];
    let apps = SIZE / one + 3;
    assert!(one < SIZE && apps < 10, "{one} bytes of code");
    for number in 1..apps {
        home.deploy(&format!("app{number}"), &format!("no. {number}"));
        let all = kept(&home);
        assert!(all.iter().sum::<u64>() <= SIZE, "{all:?}");
    }
    let greets = |serving: &crate::serving::Serving| {
        for number in 0..apps {
            let app = format!("app{number}");
            assert_eq!(greeting(serving, &app), format!("Hello, no. {number}!"));
        }
    };
    greets(&serving);
    drop(serving.stop());
    let serving = home.serve(&flags);
    greets(&serving);
    let all = kept(&home);
    assert!(all.iter().sum::<u64>() <= SIZE, "{all:?}");
    // A version that nobody serves any more goes before those that are served.
    assert!(all.len() as u64 >= SIZE / one - 1, "{all:?}");
}
