//! The rules, each with where it stands and what to do about a breach.

pub mod component;
pub mod gateway;
pub mod http;

use serde::Serialize;

/// How much a breach matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; it may well be meant.
    Note,
    /// A recommendation is not followed, or clients may be surprised.
    Warning,
    /// A requirement is broken, or a request failed.
    Error,
}

/// A rule.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// What it is called in reports; it stays the same from version to version.
    #[serde(rename = "rule")]
    pub name: &'static str,
    /// How much a breach matters.
    pub level: Level,
    /// What it says.
    pub says: &'static str,
    /// Where it stands.
    pub source: &'static str,
    /// What to do about a breach.
    pub advice: &'static str,
}

const fn error(
    name: &'static str,
    says: &'static str,
    source: &'static str,
    advice: &'static str,
) -> Rule {
    Rule {
        name,
        level: Level::Error,
        says,
        source,
        advice,
    }
}

const fn warning(
    name: &'static str,
    says: &'static str,
    source: &'static str,
    advice: &'static str,
) -> Rule {
    Rule {
        level: Level::Warning,
        ..error(name, says, source, advice)
    }
}

const fn note(
    name: &'static str,
    says: &'static str,
    source: &'static str,
    advice: &'static str,
) -> Rule {
    Rule {
        level: Level::Note,
        ..error(name, says, source, advice)
    }
}
