//! Suites that are fetched, and kept from one run to the next.

use std::path::{Path, PathBuf};

/// Where suites are kept: beside what cargo builds.
pub fn directory(suite: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("suites")
        .join(suite)
}

/// Says that a suite is not there.
///
/// # Panics
///
/// If suites are required.
pub fn is_missing(suite: &str, why: &str) {
    let required = std::env::var_os("RHOST_REQUIRE_SUITES").is_some_and(|value| value == "1");
    assert!(!required, "{suite} cannot be run: {why}");
    // Past the capture of the test's output: nobody is to believe that it was run.
    let line = format!("\n*** {suite} was NOT run: {why}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), line.as_bytes());
}
