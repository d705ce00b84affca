//! A configuration that is wrong is told with its line, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::python::{Manifest, PythonError};
use std::path::Path;

fuzz_target!(|text: &str| {
    if let Err(PythonError::Manifest { line, .. }) =
        Manifest::parse(text, Path::new("pyproject.toml"))
    {
        // An empty text has one line.
        assert!(line.is_none_or(|line| (1..=text.split('\n').count()).contains(&line)));
    }
});
