//! What is damaged costs the app that it is of.

use super::{Home, greeting, heard};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn a_damaged_component_costs_its_app_and_another_deploy_mends_it() {
    let home = Home::new();
    let cache = ["--cache-dir", "cache"];
    let serving = home.serve(&cache);
    for (app, name) in [("a", "first"), ("b", "other"), ("c", "third")] {
        home.deploy(app, name);
    }
    let component = |app: &str| {
        let shown = home.done(&["app", "show", app, "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let component = shown["component"].as_str().unwrap().to_owned();
        home.path(&format!("state/components/{component}.wasm"))
    };
    let (of_a, of_b) = (component("a"), component("b"));
    drop(serving.stop());
    // It is a component, and not the one that was deployed.
    fs::copy(&of_b, &of_a).unwrap();
    fs::remove_file(&of_b).unwrap();
    // As long as there is code of theirs, nobody needs them.
    let serving = home.serve(&cache);
    assert_eq!(greeting(&serving, "a"), "Hello, first!");
    drop(serving.stop());
    fs::remove_dir_all(home.path("cache")).unwrap();
    let mut serving = home.serve(&cache);
    for (app, file) in [("a", &of_a), ("b", &of_b)] {
        assert_eq!(greeting(&serving, app), "503");
        heard(&mut serving, file.file_name().unwrap().to_str().unwrap());
    }
    assert_eq!(greeting(&serving, "c"), "Hello, third!");
    home.deploy("a", "first");
    home.deploy("b", "other");
    assert_eq!(greeting(&serving, "a"), "Hello, first!");
    assert_eq!(greeting(&serving, "b"), "Hello, other!");
    // A version whose component is damaged is not gone back to.
    home.deploy("c", "newer");
    let of_third = fs::read_dir(home.path("state/components")).unwrap();
    for entry in of_third {
        let path = entry.unwrap().path();
        if memchr::memmem::find(&fs::read(&path).unwrap(), b"Hello, third!").is_some() {
            fs::write(path, b"").unwrap();
        }
    }
    let said = home.refused(&["rollback", "c"], 1);
    assert!(
        said.contains("is damaged") && said.contains("deploy it again"),
        "{said}"
    );
    assert_eq!(greeting(&serving, "c"), "Hello, newer!");
}

#[test]
fn what_was_acknowledged_is_served_after_a_kill() {
    let home = Home::new();
    for round in 0..3 {
        let serving = home.serve(&[]);
        if round > 0 {
            assert_eq!(
                greeting(&serving, "shop"),
                format!("Hello, no. {}!", round - 1)
            );
        }
        home.deploy("shop", &format!("no. {round}"));
        serving.signal(Signal::KILL);
        drop(serving.end());
    }
}

/// A `store.redb` that was damaged is a line and the exit code 1, or serves as before.
#[test]
fn a_damaged_store_is_a_line_and_the_end() {
    let home = Home::new();
    let serving = home.serve(&[]);
    for app in ["a", "b", "c"] {
        home.deploy(app, "first");
    }
    drop(serving.stop());
    let file = home.path("state/store.redb");
    let good = fs::read(&file).unwrap();
    let mut refused = 0;
    for way in 0..40 {
        let mut rng = fastrand::Rng::with_seed(way);
        let mut octets = good.clone();
        match way % 4 {
            // The beginning, which all else is found by.
            0 => octets[way as usize * 8] ^= 1 << rng.u8(..8),
            1 => octets.truncate(rng.usize(..good.len())),
            2 => {
                let at = rng.usize(..good.len() - 4096);
                rng.fill(&mut octets[at..at + 4096]);
            }
            _ => {
                for _ in 0..64 {
                    let at = rng.usize(..good.len());
                    octets[at] ^= 1 << rng.u8(..8);
                }
            }
        }
        fs::write(&file, octets).unwrap();
        let mut command = home.command();
        command.args(["serve", "--state", "state", "--addr", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let serves = lines.map(Result::unwrap).any(|line| {
            said.push(line);
            said.last()
                .is_some_and(|line| line.starts_with("rhost: serving "))
        });
        if serves {
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            refused += 1;
            assert_eq!(child.wait().unwrap().code(), Some(1), "{way}: {said:?}");
            assert_eq!(said.len(), 1, "{way}: {said:?}");
            assert!(
                said[0].starts_with("rhost: state/store.redb: "),
                "{way}: {said:?}"
            );
            assert!(said[0].contains("put a copy of it back"), "{way}: {said:?}");
        }
    }
    assert!(refused > 10, "{refused}");
    fs::write(&file, good).unwrap();
    let serving = home.serve(&[]);
    assert_eq!(greeting(&serving, "a"), "Hello, first!");
}
