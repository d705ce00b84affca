//! Answers what it is lent: its environment, its directories, whether it can
//! write there, and whether it gets anywhere else.
use rhost_test_guests::{Environ, Failure, Input, guest, ok};
use std::fs;

fn handle(_: Environ, _: Input) -> Result<(), Failure> {
    let mut env: Vec<_> = std::env::vars().collect();
    env.sort();
    let mut text = format!("env {env:?}\n");
    for path in [
        "/data/note",
        "/static/note",
        "/etc/passwd",
        "/data/../etc/passwd",
        "/data/link",
        "note",
    ] {
        text += &format!(
            "read {path}: {:?}\n",
            fs::read_to_string(path).map_err(|error| error.kind())
        );
    }
    for path in ["/data/new", "/static/new", "/tmp/new"] {
        text += &format!(
            "write {path}: {:?}\n",
            fs::write(path, "written").map_err(|error| error.kind())
        );
    }
    text += &format!(
        "connect: {:?}\n",
        std::net::TcpStream::connect("127.0.0.1:1")
            .map(drop)
            .map_err(|error| error.kind())
    );
    text += &format!(
        "listen: {:?}\n",
        std::net::TcpListener::bind("127.0.0.1:0")
            .map(drop)
            .map_err(|error| error.kind())
    );
    ok().write(text.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
