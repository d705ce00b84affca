//! What programs of Python ask of the system that they run on, through the command: each path of
//! one program asks for another kind of it.

use crate::python::{cache, failing};
use crate::serving::{Serving, rhost};
use std::fs;
use std::path::Path;

const PROGRAM: &str = include_str!("my-app.py");

/// A table of one row, as SQLite 3 writes it.
fn database(path: &Path) {
    let script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as shipped:\n    \
                  shipped.executescript('CREATE TABLE t (x); INSERT INTO t VALUES (7)')\n";
    let mut python = std::process::Command::new("python3");
    assert!(
        python
            .args(["-c", script])
            .arg(path)
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn programs_find_what_they_ask_for() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    fs::create_dir_all(site.join("data")).unwrap();
    // Where nothing can be built, this says so.
    fs::write(home.path().join("broken.py"), "import nowhere\n").unwrap();
    if failing(home.path(), "broken:app").is_none() {
        return;
    }
    fs::write(site.join("my-app.py"), PROGRAM).unwrap();
    fs::write(site.join("shipped.txt"), "shipped").unwrap();
    fs::write(site.join("gunicorn.conf.py"), "workers = 4\n").unwrap();
    database(&site.join("shipped.db"));
    let mut command = rhost();
    command.current_dir(home.path()).env_remove("VIRTUAL_ENV");
    let (data, cache) = (site.join("data"), cache());
    let data = format!("{}:/data", data.display());
    // As gunicorn has it: the module without its application, and where it is.
    let flags = [
        "my-app",
        "--chdir",
        "site",
        "--dir",
        &data,
        "--cpu",
        "60s",
        "--timeout",
        "120s",
    ];
    let more = [
        "--env",
        "GIVEN=by the server",
        "--max-response-body",
        "1GiB",
        "--cache-dir",
    ];
    let mut flags = [&flags[..], &more].concat();
    flags.push(cache.to_str().unwrap());
    let mut serving = Serving::start(command, &flags);
    assert!(
        serving.said.contains("gunicorn.conf.py is not read"),
        "{}",
        serving.said
    );
    for path in [
        "keys",
        "absent",
        "files",
        "databases",
        "threads",
        "loops",
        "world",
        "recursion",
        "printed",
    ] {
        let answer = serving.get(&format!("/{path}"));
        assert!(answer.ends_with("\r\n\r\nok"), "{path}: {answer}");
    }
    let left = serving.get("/left");
    assert!(left.ends_with("[] [(0,)]"), "{left}");
    // More than the guest may have of memory.
    let large = serving.get("/large");
    assert!(large.len() > 600 << 20, "{} octets", large.len());
    serving.until("thread in-line ran to its end when it was started");
    serving.until("thread worker was ended where it waits for another");
    serving.until("thread pinging was ended where it sleeps 60 seconds");
    // Whatever the host takes at once.
    serving.until("xxx and has an end");
}
