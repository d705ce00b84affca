//! The cache of compiled code, which has a size.

use super::{Home, greeting};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SIZE: u64 = 1 << 20;

/// All code that is kept.
fn files(home: &Home) -> Vec<PathBuf> {
    let files = fs::read_dir(home.path("cache")).unwrap().flatten();
    let paths = files.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "cwasm"))
        .collect()
}

/// The sizes of all code that is kept.
fn kept(home: &Home) -> Vec<u64> {
    let files = files(home).into_iter();
    files.map(|path| path.metadata().unwrap().len()).collect()
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

/// However little the cache is to have, a start does not push out what it has just made.
#[test]
fn code_of_the_files_apps_stays_while_they_are_compiled() {
    let home = Home::new();
    const APPS: usize = 10;
    let apps = (0..APPS).map(|number| {
        let component = home.component(&format!("no. {number}"));
        format!("[apps.app{number}]\ncomponent = {component:?}\nhosts = \"app{number}.test\"\n")
    });
    home.write("rhost.toml", &apps.collect::<String>());
    let flags = ["--cache-dir", "cache", "--cache-size", "1MiB"];
    let serving = home.serve(&[&["-c", "rhost.toml"], &flags[..]].concat());
    let all = kept(&home);
    assert!(all.iter().sum::<u64>() > SIZE, "{all:?}");
    assert_eq!(all.len(), APPS, "{all:?}");
    assert_eq!(greeting(&serving, "app0"), "Hello, no. 0!");
}

/// What was loaded long ago may have lost its code since: it is kept again before the app
/// leaves memory, and nobody compiles it for the next request.
#[test]
fn code_that_is_lost_is_kept_again_when_its_app_leaves_memory() {
    let home = Home::new();
    home.write("rhost.toml", "[server]\nmemory-budget = \"1MiB\"\n");
    let serving = home.serve(&["-c", "rhost.toml", "--cache-dir", "cache"]);
    home.deploy("app0", "no. 0");
    assert_eq!(greeting(&serving, "app0"), "Hello, no. 0!");
    let code = files(&home);
    assert_eq!(code.len(), 1);
    fs::remove_file(&code[0]).unwrap();
    let begun = Instant::now();
    for number in 1..9 {
        home.deploy(&format!("app{number}"), &format!("no. {number}"));
    }
    while !code[0].exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?}",
            files(&home)
        );
        std::thread::yield_now();
    }
    assert_eq!(greeting(&serving, "app0"), "Hello, no. 0!");
}
