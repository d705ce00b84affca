//! Cases of a suite that are not met, each with the reason.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The file of a suite.
#[derive(Deserialize)]
pub struct Triage {
    #[serde(default)]
    unmet: Vec<Group>,
    /// Cases in which two ends race, and either may win.
    #[serde(default)]
    unsure: Vec<Group>,
}

/// Cases with the same reason.
#[derive(Deserialize)]
struct Group {
    reason: String,
    cases: Vec<String>,
}

impl Triage {
    /// Reads the file.
    pub fn parse(text: &str) -> Self {
        let triage: Triage = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        for group in triage.unmet.iter().chain(&triage.unsure) {
            assert!(!group.reason.trim().is_empty(), "a reason is missing");
        }
        triage
    }

    /// Compares with what came out: `unmet` has the cases that were not met, and
    /// how; `all` has every case there is.
    pub fn check(&self, all: &BTreeSet<String>, unmet: &BTreeMap<String, String>) {
        let mut listed = BTreeSet::new();
        let mut faults = String::new();
        let unsure = |case| self.unsure.iter().any(|group| group.cases.contains(case));
        for case in self.unmet.iter().flat_map(|group| &group.cases) {
            if !listed.insert(case.clone()) {
                faults += &format!("{case} is listed twice\n");
            }
            if !all.contains(case) {
                faults += &format!("{case} is listed and is no case\n");
            } else if !unmet.contains_key(case) {
                faults += &format!("{case} is listed and is met\n");
            }
        }
        for (case, how) in unmet {
            if !listed.contains(case) && !unsure(case) {
                faults += &format!("{case} is not met: {how}\n");
            }
        }
        assert!(faults.is_empty(), "\n{faults}");
    }
}

#[test]
fn a_triage_is_neither_short_nor_stale() {
    let triage = Triage::parse(
        "[[unmet]]\nreason = 'policy'\ncases = ['a']\n[[unsure]]\nreason = 'race'\ncases = ['c']\n",
    );
    let set = |cases: &[&str]| cases.iter().map(|case| case.to_string()).collect();
    let map = |cases: &[&str]| {
        let pair = |case: &&str| (case.to_string(), "so".to_owned());
        cases.iter().map(pair).collect()
    };
    triage.check(&set(&["a", "b", "c"]), &map(&["a"]));
    triage.check(&set(&["a", "b", "c"]), &map(&["a", "c"]));
    for (all, unmet) in [
        (&["a", "b"][..], &["a", "b"][..]),
        (&["a", "b"], &[]),
        (&["b"], &[]),
    ] {
        let (all, unmet) = (set(all), map(unmet));
        let checked = std::panic::catch_unwind(|| triage.check(&all, &unmet));
        assert!(checked.is_err(), "{all:?} {unmet:?}");
    }
}
