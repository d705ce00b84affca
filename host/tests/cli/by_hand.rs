//! Apps that are written by hand, so that they can do what no toolchain does.

use std::fs;
use std::path::{Path, PathBuf};

/// Begins an answer of 200.
pub const ANSWERS: &str = "(call $answer (i32.const 200))";

/// The text of an app with more fields in its core module, and what its `handle` does. It has a
/// memory of 1 MiB that grows, and functions `$answer` and `$spin`.
pub fn application(module: &str, handle: &str) -> String {
    include_str!("../../../tests/promises/hostile_guests/application.wat")
        .replace("(;module;)", module)
        .replace("(;handle;)", handle)
}

/// Writes the component that `text` says to the file `name` in `home`.
pub fn written(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    let component = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    fs::write(&path, component).unwrap();
    path
}
