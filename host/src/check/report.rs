//! What a check tells: to people, and to programs.

use super::Outcome;
use super::findings::{Finding, Findings, Occurrence};
use super::rules::Level;
use super::session::Exchange;
use crate::printable::escaped as plain;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Write;

/// What people are shown of a finding: ways in which it happened, and of each as
/// many requests again.
const SHOWN: usize = 3;
/// Columns for the request, in the list of them.
const COLUMN: usize = 48;

/// The result of a check, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What the app is called.
    pub app: String,
    /// Whether it passed.
    pub passed: bool,
    /// Rules of level error that were broken.
    pub errors: usize,
    /// ... of level warning.
    pub warnings: usize,
    /// ... of level note.
    pub notes: usize,
    /// What was asked, and answered, in order.
    pub requests: Vec<Exchange>,
    /// Requests that were left out, since those before took all their time.
    pub skipped: usize,
    /// What was found, the worst first.
    pub findings: Findings,
}

impl Report {
    /// A report on the app called `app`, which passes if nothing is worse than
    /// `tolerated`.
    pub fn new(app: String, outcome: Outcome, tolerated: Level) -> Self {
        let Outcome {
            exchanges,
            skipped,
            findings,
        } = outcome;
        Report {
            app,
            passed: findings.are_within(tolerated),
            errors: findings.count(Level::Error),
            warnings: findings.count(Level::Warning),
            notes: findings.count(Level::Note),
            requests: exchanges,
            skipped,
            findings,
        }
    }

    /// It all, for people, with the escapes of a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for exchange in &self.requests {
            line(&mut text, exchange);
        }
        if self.skipped > 0 {
            let _ = writeln!(
                text,
                "{} requests were left out, since those before used up their time (--cpu, --timeout)",
                self.skipped
            );
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text + &self.found() + &self.summary()
    }

    /// What was found, for people; empty for nothing.
    pub fn found(&self) -> String {
        let mut text = String::new();
        self.findings
            .iter()
            .for_each(|finding| group(&mut text, finding));
        text
    }

    /// The last line.
    pub fn summary(&self) -> String {
        let (verdict, colour) = match self.passed {
            true => ("passed", AnsiColor::Green),
            false => ("failed", AnsiColor::Red),
        };
        format!(
            "{}: {}, {}, {}, {}: {}\n",
            plain(&self.app),
            counted(self.requests.len(), "request"),
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            counted(self.notes, "note"),
            styled(verdict, colour.on_default().bold()),
        )
    }
}

fn line(text: &mut String, exchange: &Exchange) {
    let request = plain(&exchange.request);
    let _ = write!(text, "{request:<COLUMN$} ");
    let status = match exchange.status {
        Some(status) => status.to_string(),
        None => "---".to_owned(),
    };
    let status = match exchange.failed {
        true => styled(&status, AnsiColor::Red.on_default()),
        false => status,
    };
    let _ = write!(text, "{status} {:>9}", exchange.octets);
    let _ = match (exchange.failed, exchange.left) {
        (true, _) => writeln!(text, "  failed"),
        (false, true) => writeln!(text, "  the client left"),
        (false, false) => writeln!(text),
    };
}

fn group(text: &mut String, finding: &Finding) {
    let rule = finding.rule;
    let (level, colour) = match rule.level {
        Level::Error => ("error", AnsiColor::Red),
        Level::Warning => ("warning", AnsiColor::Yellow),
        Level::Note => ("note", AnsiColor::Cyan),
    };
    let level = styled(level, colour.on_default().bold());
    let name = styled(rule.name, Style::new().bold());
    let _ = writeln!(text, "{level}: {name}: {}", rule.says);
    let _ = writeln!(text, "  rule: {}", rule.source);
    let mut told = 0;
    for (first, requests) in alike(finding).iter().take(SHOWN) {
        let Occurrence {
            happened, printed, ..
        } = first;
        told += requests.len();
        let mut lines = happened.lines();
        let first = plain(lines.next().unwrap_or_default());
        let _ = match requests.first() {
            Some(Some(request)) => writeln!(text, "  {}: {first}", plain(request)),
            _ => writeln!(text, "  {first}"),
        };
        for line in printed {
            let _ = writeln!(text, "    | {}", plain(line));
        }
        for more in lines {
            let _ = writeln!(text, "    {}", plain(more));
        }
        let others: Vec<_> = requests.iter().skip(1).flatten().take(SHOWN).collect();
        if !others.is_empty() {
            let rest = match requests.len() - 1 - others.len() {
                0 => "",
                _ => ", ...",
            };
            let others: Vec<_> = others.into_iter().map(|request| plain(request)).collect();
            let _ = writeln!(text, "  the same: {}{rest}", others.join(", "));
        }
    }
    if finding.count > told {
        let _ = writeln!(text, "  and {} times more", finding.count - told);
    }
    let _ = writeln!(text, "  do: {}\n", rule.advice);
}

/// The first of each kind of occurrence, with the requests that showed the same.
fn alike(finding: &Finding) -> Vec<(&Occurrence, Vec<Option<&str>>)> {
    let mut kinds: Vec<(&Occurrence, Vec<Option<&str>>)> = Vec::new();
    for occurrence in &finding.occurrences {
        let request = occurrence.request.as_deref();
        let kind = kinds
            .iter_mut()
            .find(|(first, _)| first.happened == occurrence.happened);
        match kind {
            Some((_, requests)) => requests.push(request),
            None => kinds.push((occurrence, vec![request])),
        }
    }
    kinds
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn styled(text: &str, style: Style) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}
