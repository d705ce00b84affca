//! What `rhost build` says.

use rhost::failure::Octets;
use rhost::imports;
use rhost::printable::{self, cut, list};
use rhost::profile::Value;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What was made, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it is.
    pub path: String,
    /// Octets that the linker gave, with the profile below.
    pub linked: u64,
    /// Octets of the component.
    pub size: u64,
    /// Octets of the sections that were taken off, by their names.
    pub removed: BTreeMap<String, u64>,
    /// How it was made.
    pub flags: Flags,
    /// Imports that rhost does not lend.
    pub not_lent: Vec<String>,
}

/// How it was compiled and linked, beyond what the crate says itself.
#[derive(Debug, Serialize)]
pub struct Flags {
    /// Octets of the guest's stack.
    pub stack: u64,
    /// Settings of cargo's profile `release`.
    pub profile: BTreeMap<&'static str, Value>,
}

impl Report {
    /// Says what was made: to people on standard error, to programs on standard
    /// output.
    pub fn tell(&self, quiet: bool, json: bool) {
        for name in &self.not_lent {
            eprintln!(
                "rhost: it imports {}, so `rhost serve` will refuse it: {}",
                cut(name, 200),
                imports::provider(name)
            );
        }
        if !quiet {
            let (linked, size) = (Octets(self.linked), Octets(self.size));
            let without = match self.removed.is_empty() {
                true => "nothing to strip".to_owned(),
                false => format!("{size} without {}", list(self.removed.keys(), 20)),
            };
            eprintln!("rhost: {linked} as linked, {without}");
        }
        let text = match json {
            true => printable::json(serde_json::to_string_pretty(self).expect("names are strings")),
            false => self.path.clone(),
        };
        // Whoever reads it may stop before its end.
        let _ = io::stdout().write_all((text + "\n").as_bytes());
    }
}
