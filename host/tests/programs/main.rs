//! Published programs of Python, unmodified, in sessions as people have with them: they log in,
//! post forms, upload and download. One file of `tests/programs` is one program; its README says
//! what is in it.
//!
//! All of them take a quarter of an hour, and a network the first time, so that `cargo test` runs
//! those few that say `short = true`. `RHOST_PROGRAMS=all cargo test --test programs` runs all, and
//! `RHOST_PROGRAMS=flask,radicale` those whose names contain one of these.

mod client;
mod program;
mod server;

use program::Program;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[test]
fn programs() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/programs");
    let chosen = std::env::var("RHOST_PROGRAMS").unwrap_or_default();
    let is_chosen = |program: &Program| match &*chosen {
        "" => program.short,
        "all" => true,
        names => names.split(',').any(|name| program.name.contains(name)),
    };
    let programs: Vec<_> = Program::all(&dir).into_iter().filter(is_chosen).collect();
    assert!(!programs.is_empty(), "there is no such program");
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for program in &programs {
        let Some(outcome) = met(program) else { return };
        let line = match (&outcome, &program.stops) {
            (Ok(()), None) => "passes".to_owned(),
            (Err(_), Some(why)) => format!("stops: {why}"),
            (Ok(()), Some(_)) => {
                wrong.push(format!("{}: it passes, and is said to stop", program.name));
                "PASSES".to_owned()
            }
            (Err(how), None) => {
                wrong.push(format!("{}: {how}", program.name));
                "FAILS".to_owned()
            }
        };
        eprintln!("{}: {line}", program.name);
        writeln!(table, "| {} | {line} |", program.name).unwrap();
    }
    println!("| program | |\n|---|---|\n{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// How the session with a program went; none on a machine that cannot build any.
fn met(program: &Program) -> Option<Result<(), String>> {
    let server = match server::Server::start(program) {
        Ok(server) => server,
        Err(said) if server::is_lacking(&said) => {
            assert!(
                std::env::var_os("RHOST_REQUIRE_PYTHON").is_none_or(|value| value != "1"),
                "{said}"
            );
            eprintln!("SKIPPED, since {said}");
            return None;
        }
        Err(said) => return Some(Err(said)),
    };
    let session = catch_unwind(AssertUnwindSafe(|| program.session(&server.addr)));
    Some(session.map_err(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        let why = why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
        format!("{}\n{}", why.unwrap_or_default(), server.said())
    }))
}
