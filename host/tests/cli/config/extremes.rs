//! The largest and the smallest that each key takes, and what lies beyond: what is
//! checked and what is served agree, and nothing panics.

use super::Home;
use crate::serving::get;
use rhost::config::{Config, Key, Kind, catalogue};
use rustix::process::Signal;
use std::fmt::Write;

/// What a table is called, its keys, and what it needs beside them.
const TABLES: [(&str, &[Key], &str); 4] = [
    (
        "server",
        catalogue::SERVER,
        "trusted-proxy = \"10.0.0.1\"\n",
    ),
    ("defaults", catalogue::DEFAULTS, ""),
    ("tenants.t", catalogue::TENANT, ""),
    (
        "apps.a",
        catalogue::APP,
        "component = \"hello.wasm\"\ntenant = \"t\"\n",
    ),
];

/// Values as TOML has them: one that a kind just takes at each end.
fn ends(kind: Kind) -> Option<[String; 2]> {
    let number = |number: u64| number.to_string();
    Some(match kind {
        Kind::Count(least, most) => [number(least), number(most)],
        Kind::Size(least, most) => [format!("\"{least}\""), format!("\"{most}\"")],
        Kind::Time => ["\"1ns\"".into(), "\"100y\"".into()],
        Kind::Ratio => [number(0), number(1)],
        _ => return None,
    })
}

/// Values that a kind with ends does not take, whatever they are.
fn beyond(kind: Kind) -> Vec<String> {
    let mut values: Vec<String> = [
        "-1",
        "-9223372036854775808",
        "18446744073709551616",
        "\"18446744073709551616s\"",
        "\"18446744073709551615s\"",
        "\"9223372036854775807y\"",
        "\"101y\"",
        "\"-1s\"",
        "\"\"",
        "\"much\"",
        "inf",
        "-inf",
        "nan",
        "[]",
        "{}",
        "true",
    ]
    .map(str::to_owned)
    .into();
    match kind {
        Kind::Count(least, most) => {
            values.extend(least.checked_sub(1).map(|number| number.to_string()));
            values.extend(most.checked_add(1).map(|number| number.to_string()));
        }
        Kind::Size(least, most) => {
            values.extend(least.checked_sub(1).map(|size| format!("\"{size}\"")));
            values.extend(most.checked_add(1).map(|size| format!("\"{size}\"")));
        }
        _ => values.extend(["0", "1", "\"0s\"", "\"1\""].map(str::to_owned)),
    }
    if kind == Kind::Ratio {
        values.retain(|value| value.trim_matches('"').parse::<u8>().is_err());
    }
    values
}

/// A file with `value` for each key that has one.
fn file(value: impl Fn(&str, &Key) -> Option<String>) -> String {
    let mut text = String::new();
    for (table, keys, beside) in TABLES {
        writeln!(text, "[{table}]\n{beside}").unwrap();
        for key in keys {
            if let Some(value) = value(table, key) {
                writeln!(text, "{} = {value}", key.name).unwrap();
            }
        }
    }
    text
}

/// One value at a time, of each key.
#[test]
fn each_key_takes_its_ends_and_nothing_beyond() {
    let home = Home::new("");
    let path = home.path("rhost.toml");
    let mut wrong = String::new();
    for (table, keys, _) in TABLES {
        for key in keys {
            let Some(ends) = ends(key.kind) else { continue };
            let read = |value: &str| {
                let is_it = |of: &str, other: &Key| of == table && other.name == key.name;
                let text = file(|of, other| is_it(of, other).then(|| value.to_owned()));
                // Some need others beside them, and an app has to fit its memory.
                let needs = match key.name {
                    "queue" | "queue-timeout" => "concurrency = 1\n",
                    "reuse-for" => "reuse = 2\n",
                    _ => "",
                };
                let table = format!("[{table}]\n");
                Config::parse(&path, &text.replace(&table, &format!("{table}{needs}")))
            };
            for end in ends {
                match read(&end) {
                    Ok(_) => {}
                    Err(problems)
                        if problems.iter().all(|it| it.text.contains("it starts with")) => {}
                    Err(problems) => {
                        writeln!(wrong, "{table}.{} = {end}: {problems:?}", key.name).unwrap()
                    }
                }
            }
            for value in beyond(key.kind) {
                if read(&value).is_ok() {
                    writeln!(wrong, "{table}.{} = {value} is taken", key.name).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// All at once, by the command: what check says is what serve says.
#[test]
fn what_is_beyond_is_refused_alike_by_check_and_by_serve() {
    for number in 0..16 {
        let text = file(|_, key| {
            ends(key.kind)?;
            let values = beyond(key.kind);
            Some(values[number % values.len()].clone())
        });
        let home = Home::new(&text);
        let said = |arguments: &[&str]| {
            let output = home.run(arguments);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(!said.contains("panicked"), "{said}");
            said
        };
        let checked = said(&["config", "check"]);
        let keys = TABLES.iter().flat_map(|(_, keys, _)| *keys);
        let keys = keys.filter(|key| ends(key.kind).is_some()).count();
        assert!(checked.lines().count() > keys, "{checked}");
        assert_eq!(said(&["serve", "-c", "rhost.toml"]), checked);
    }
}

/// A server with the largest, and one with the smallest, of nearly everything.
#[test]
fn the_largest_and_the_smallest_are_served_with() {
    // Threads are made, and nothing is compiled without memory or time; hello starts with
    // more than the least memory and table, and that is its own test.
    let left_out = [
        "threads",
        "compile-memory",
        "compile-cpu",
        "memory",
        "table-elements",
    ];
    for end in [1, 0] {
        let text = file(|_, key| {
            let value = ends(key.kind)?[end].clone();
            let is_out = match end {
                // An instance serves one request then, and has no age.
                0 => left_out.contains(&key.name) || key.name == "reuse-for",
                _ => key.name == "threads",
            };
            (!is_out).then_some(value)
        });
        let home = Home::new(&text);
        let checked = home.run(&["config", "check"]);
        assert!(checked.status.success(), "{text}{checked:?}");
        let mut serving = home.serve(&["--cache-dir", "cache"]);
        for _ in 0..3 {
            // The least may well be too little to be answered with.
            let answer = std::panic::catch_unwind(|| get(&serving.addr, "/", "host: a\r\n"));
            if end == 1 {
                assert!(answer.unwrap().ends_with("Hello, world!\n"));
            }
        }
        home.write(&text.replace("\ncomponent =", "\nenv = { A = \"b\" }\ncomponent ="));
        serving.signal(Signal::HUP);
        let said = serving.until("rhost.toml is ");
        assert!(said.contains("rhost.toml is applied"), "{said}");
        let before = serving.said.clone();
        let (code, _, said) = serving.stop();
        assert_eq!(code, Some(0), "{said}");
        assert!(!(before + &said).contains("panicked"), "{said}");
    }
}
