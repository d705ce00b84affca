//! The command, as a person meets it.

use std::process::Command;

fn said(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rhost-bench"))
        .args(arguments)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn help_names_the_benchmarks() {
    let help = said(&["--help"]);
    for name in ["compare", "noisy", "overload", "hostile"] {
        assert!(help.contains(&format!("\n  {name} ")), "{name}: {help}");
    }
}

#[test]
fn every_adversary_says_what_it_does() {
    let list = said(&["hostile", "--list"]);
    let rows: Vec<&str> = list.lines().filter(|row| !row.is_empty()).collect();
    assert!(rows.len() >= 40, "{list}");
    for row in rows {
        assert!(row.split_whitespace().count() >= 3, "{row}");
    }
}
