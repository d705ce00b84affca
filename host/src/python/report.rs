//! What the part of a build that runs in Python has to say.

use crate::failure::Octets;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The custom section of a component that has it, as JSON.
pub const SECTION: &str = "rhost:python";

/// How the build went, as `build.py` of the adapter writes it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Why it failed, and what to do.
    #[serde(skip_serializing)]
    pub error: Option<String>,
    /// Where, if that says more.
    #[serde(skip_serializing)]
    pub traceback: Option<String>,
    /// How many modules the import loaded.
    pub imported: usize,
    /// How many objects Python kept track of after it, and their octets.
    pub objects: (u64, u64),
    /// What was done while it was built.
    pub warm_up: Vec<WarmUp>,
    /// The same after that.
    pub warm_objects: (u64, u64),
    /// What every request will begin with.
    pub state: State,
    /// The program's own modules, by their files.
    pub files: Vec<PathBuf>,
}

/// What the program keeps from its import and its warm-up, by name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Random generators.
    pub generators: Vec<String>,
    /// Caches (`functools.lru_cache`) with something in them.
    pub caches: Vec<String>,
    /// Files that were left open.
    pub open: Vec<String>,
}

/// A request that was made while the program was built, or a call of its own
/// function.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarmUp {
    /// As `GET /`; empty for a function.
    pub request: String,
    /// As `shop.warm:fill`, if it was one.
    pub function: Option<String>,
    /// The status of the answer, if it began.
    pub status: Option<u16>,
    /// The modules that it loaded.
    pub modules: Vec<String>,
    /// The exception that it ended with.
    pub error: Option<String>,
}

impl Report {
    /// What the developer should know of a build that succeeded, in lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} modules imported", self.imported)];
        lines.extend(
            self.warm_up
                .iter()
                .filter_map(|done| done.line())
                .map(|line| {
                    // An exception's text may have several lines.
                    format!("the warm-up {}", line.replace('\n', " "))
                }),
        );
        let loaded: usize = self.warm_up.iter().map(|done| done.modules.len()).sum();
        if !self.warm_up.is_empty() {
            let ((objects, octets), (warm, warm_octets)) = (self.objects, self.warm_objects);
            lines.push(format!(
                "the warm-up took it from {} modules, {objects} objects, {} to {} modules, {warm} objects, {}",
                self.imported,
                Octets(octets),
                self.imported + loaded,
                Octets(warm_octets)
            ));
        }
        lines.extend(self.state.lines());
        lines
    }
}

impl WarmUp {
    /// How it went.
    fn line(&self) -> Option<String> {
        let more = match self.modules.len() {
            0 => String::new(),
            more => format!(", and imported {more} more"),
        };
        let request = &self.request;
        match (&self.function, &self.error, self.status) {
            (Some(function), ..) => Some(format!("{function} was called{more}")),
            (None, Some(error), _) => Some(format!(
                "{request} failed{more}: {error}; choose others with `warm-up` under [tool.rhost], or none: []"
            )),
            (None, None, Some(404)) => Some(format!(
                "{request} was answered 404, and warmed little; name a path that is there with `warm-up` under \
                 [tool.rhost], as warm-up = [\"/login\"]"
            )),
            (None, None, Some(status)) => Some(format!("{request} was answered {status}{more}")),
            (None, None, None) => None,
        }
    }
}

impl State {
    /// What to know of it, and to do about it.
    fn lines(&self) -> impl Iterator<Item = String> {
        let generators = self.generators.iter().map(|name| {
            format!(
                "{name} is a random.Random that was made once, so every request begins with the same numbers; use \
                 random.SystemRandom, or make it in the request"
            )
        });
        let caches = self.caches.iter().map(|name| {
            format!(
                "{name} is a cache with something in it, which every request will find there; if that must be fresh, \
                 call {name}.cache_clear() at the end of the warm-up"
            )
        });
        let open = self.open.iter().map(|name| {
            format!(
                "{name} was left open, and is open in no request; open it in the request, or read it whole and close it"
            )
        });
        generators.chain(caches).chain(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_build() {
        let report: Report = serde_json::from_str(
            r#"{"imported": 40, "seconds": 1, "objects": [900, 1048576], "warm_objects": [1000, 2097152], "warm_up": [
                {"request": "GET /", "status": 200, "modules": ["idna", "x"]},
                {"request": "GET /x", "status": null, "modules": [], "error": "KeyError: 'X'"},
                {"function": "warm:fill", "modules": ["y"]}],
                "state": {"generators": ["a.rng"], "caches": ["a.prices"], "open": ["/0/a.csv"]}}"#,
        )
        .unwrap();
        let lines = report.lines();
        assert_eq!(lines[0], "40 modules imported");
        assert_eq!(
            lines[1],
            "the warm-up GET / was answered 200, and imported 2 more"
        );
        assert!(lines[2].contains("GET /x failed: KeyError: 'X'") && lines[2].ends_with("[]"));
        assert_eq!(
            lines[3],
            "the warm-up warm:fill was called, and imported 1 more"
        );
        assert_eq!(
            lines[4],
            "the warm-up took it from 40 modules, 900 objects, 1 MiB to 43 modules, 1000 objects, 2 MiB"
        );
        assert!(lines[5].contains("a.rng") && lines[5].contains("SystemRandom"));
        assert!(lines[6].contains("a.prices.cache_clear()"));
        assert!(lines[7].contains("/0/a.csv was left open"));
        assert_eq!(lines.len(), 8);
    }
}
