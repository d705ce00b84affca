//! Writes a file and reads it, and prints; an app of the SDK, with and without
//! its feature `files`.

use rhost_sdk::prelude::*;
use std::fs;

app!(index);

#[get("/")]
fn index() -> String {
    println!("to stdout");
    eprintln!("to stderr");
    let written = fs::write("/data/new", "new").map_err(|error| error.kind());
    let read = fs::read_to_string("/data/note").map_err(|error| error.kind());
    format!("written {written:?}, read {read:?}\n")
}
