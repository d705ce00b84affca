//! What was found: breaches of rules, each with the requests that showed it.

use super::rules::{Level, Rule};
use serde::Serialize;

/// Occurrences that are kept of one rule's breaches; the rest are counted.
const KEPT: usize = 500;

/// The breaches of one rule.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The rule.
    #[serde(flatten)]
    pub rule: &'static Rule,
    /// How often it was broken.
    pub count: usize,
    /// The first times.
    pub occurrences: Vec<Occurrence>,
}

/// A breach.
#[derive(Debug, Serialize)]
pub struct Occurrence {
    /// The request that showed it; none for one of the component itself.
    pub request: Option<String>,
    /// What happened; lines after the first say where, as a backtrace.
    pub happened: String,
    /// The last lines that the guest printed, of a request that failed.
    pub printed: Vec<String>,
}

/// All that was found, the worst first.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a breach of `rule`, shown by `request`.
    pub fn add(&mut self, rule: &'static Rule, request: Option<&str>, happened: String) {
        self.add_with(rule, request, happened, Vec::new());
    }

    /// The same, with what the guest `printed`.
    pub fn add_with(
        &mut self,
        rule: &'static Rule,
        request: Option<&str>,
        happened: String,
        printed: Vec<String>,
    ) {
        let known = self.0.iter().position(|it| it.rule.name == rule.name);
        let at = known.unwrap_or_else(|| {
            // Behind those that matter as much: in the order of their requests.
            let at = self.0.partition_point(|it| it.rule.level >= rule.level);
            let finding = Finding {
                rule,
                count: 0,
                occurrences: Vec::new(),
            };
            self.0.insert(at, finding);
            at
        });
        let finding = &mut self.0[at];
        finding.count += 1;
        if finding.occurrences.len() < KEPT {
            finding.occurrences.push(Occurrence {
                request: request.map(str::to_owned),
                happened,
                printed,
            });
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// How many rules of this level were broken.
    pub fn count(&self, level: Level) -> usize {
        self.iter().filter(|it| it.rule.level == level).count()
    }

    /// Whether none is worse than `tolerated`.
    pub fn are_within(&self, tolerated: Level) -> bool {
        self.iter().all(|it| it.rule.level <= tolerated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules::{gateway, http};

    #[test]
    fn the_worst_comes_first_and_each_rule_once() {
        let mut findings = Findings::default();
        findings.add(&http::AGAIN, Some("GET /"), "a".into());
        findings.add(&gateway::TRAP, Some("GET /"), "b".into());
        for _ in 0..=KEPT {
            findings.add(&http::NO_BODY, Some("GET /"), "c".into());
        }
        let names: Vec<_> = findings.iter().map(|it| it.rule.name).collect();
        assert_eq!(names, ["trap", "body-not-allowed", "again"]);
        let counted = findings.iter().nth(1).unwrap();
        assert_eq!((counted.count, counted.occurrences.len()), (KEPT + 1, KEPT));
        assert!(!findings.are_within(Level::Warning));
        assert_eq!(findings.count(Level::Note), 1);
    }
}
