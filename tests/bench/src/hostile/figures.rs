//! The rows as a person reads them, and the marks.

use serde::Serialize;

use super::adversaries::{Adversary, By};
use super::measure::{Figures, Host, Side};
use crate::report::Table;

/// What is expected of each row.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// The victim's longest wait, in milliseconds.
    pub longest_ms: f64,
    /// Times that its p99 may be that of before, and the least that counts as too much, in
    /// milliseconds; none where milliseconds say nothing.
    pub p99: Option<(f64, f64)>,
    /// The part of its answers in a second that the victim has at least.
    pub answers: f64,
    /// The operator's longest call, in milliseconds.
    pub call_ms: f64,
}

/// The marks of issue 16, and seconds for the operator.
pub const STRICT: Marks = Marks {
    longest_ms: 100.0,
    p99: Some((2.0, 5.0)),
    answers: 0.5,
    call_ms: 10_000.0,
};

/// Those for a machine that does other things, and a build that is not optimized.
pub const SHORT: Marks = Marks {
    longest_ms: 2_000.0,
    p99: None,
    answers: 0.1,
    call_ms: 15_000.0,
};

/// One adversary and what came of it.
#[derive(Serialize)]
pub struct Row {
    name: &'static str,
    by: By,
    does: &'static str,
    /// None if it could not be measured.
    figures: Option<Figures>,
    /// What was missed; nothing if all is well.
    missed: Vec<String>,
}

impl Row {
    /// Judges what was measured of `adversary`.
    pub fn new(adversary: &Adversary, measured: anyhow::Result<Figures>, marks: &Marks) -> Self {
        let (figures, missed) = match measured {
            Ok(figures) => {
                let missed = judge(&figures, marks);
                (Some(figures), missed)
            }
            Err(error) => (None, vec![format!("{error:#}")]),
        };
        Row {
            name: adversary.name,
            by: adversary.by,
            does: adversary.does,
            figures,
            missed,
        }
    }

    /// Whether nothing was missed.
    pub fn is_met(&self) -> bool {
        self.missed.is_empty()
    }

    /// Whether there are figures.
    pub fn is_measured(&self) -> bool {
        self.figures.is_some()
    }

    /// The figures in one line.
    pub fn figures(&self) -> String {
        let [before, meanwhile, memory, threads, operator] = cells(self);
        format!(
            "{before} before, {meanwhile} ms; {memory} MiB; {threads} threads; operator {operator} ms"
        )
    }

    /// What was missed, in one line.
    pub fn verdict(&self) -> String {
        match (self.missed.is_empty(), &self.figures) {
            // What a server said may be of several lines.
            (false, _) => {
                let all = self.missed.join("; ");
                all.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            }
            (
                true,
                Some(Figures {
                    note: Some(note), ..
                }),
            ) => note.clone(),
            (true, _) => "met".to_owned(),
        }
    }
}

fn judge(figures: &Figures, marks: &Marks) -> Vec<String> {
    let Figures {
        before,
        meanwhile,
        after,
        operator,
        ..
    } = figures;
    let mut missed = Vec::new();
    if meanwhile.longest_ms >= marks.longest_ms {
        missed.push(format!("longest wait {}", ms(meanwhile.longest_ms)));
    }
    if let Some((times, least)) = marks.p99
        && meanwhile.p99_ms > (before.p99_ms * times).max(least)
    {
        missed.push(format!("p99 {}", ms(meanwhile.p99_ms)));
    }
    if meanwhile.per_second < before.per_second * marks.answers {
        let [some, all] = [meanwhile.per_second, before.per_second];
        missed.push(format!("{some:.0} of {all:.0} answers in a second"));
    }
    if meanwhile.failed > 0 {
        let why = meanwhile.failure.as_deref().unwrap_or_default();
        missed.push(format!("{} answers failed ({why})", meanwhile.failed));
    }
    if !figures.memory_is_back {
        missed.push(format!("memory {} after", mib(after.resident)));
    }
    if !figures.threads_are_back {
        missed.push(format!(
            "{} threads stay",
            after.threads - before.host.threads
        ));
    }
    if let Some(failure) = operator.failure() {
        missed.push(format!("operator could not {failure}"));
    }
    if operator.longest_ms() >= marks.call_ms {
        missed.push(format!("operator waited {}", ms(operator.longest_ms())));
    }
    missed.extend(figures.fault.clone());
    missed
}

/// The rows in columns.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "adversary",
        "by",
        "p50/p99/longest ms before",
        "meanwhile",
        "MiB before/most/after",
        "threads",
        "operator ms",
        "",
    ]);
    for row in rows {
        let [before, meanwhile, memory, threads, operator] = cells(row);
        table.row([
            row.name.to_owned(),
            row.by.name().to_owned(),
            before,
            meanwhile,
            memory,
            threads,
            operator,
            if row.is_met() { "met" } else { "MISSED" }.to_owned(),
        ]);
    }
    let missed = rows.iter().filter(|row| !row.is_met());
    let missed = missed.map(|row| format!("  MISSED: {}: {}\n", row.name, row.verdict()));
    format!("{table}{}", missed.collect::<String>())
}

/// The rows as docs/benchmarks.md has them.
pub fn markdown(rows: &[Row]) -> String {
    let mut text =
        "| adversary | what it does | before | meanwhile | MiB | threads | operator | |\n\
                    |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let [before, meanwhile, memory, threads, operator] = cells(row);
        text += &format!(
            "| `{}` | {} | {before} | {meanwhile} | {memory} | {threads} | {operator} | {} |\n",
            row.name,
            row.does,
            row.verdict().replace(['|', '\n'], " "),
        );
    }
    text
}

/// The victim before and meanwhile, the host, and the operator.
fn cells(row: &Row) -> [String; 5] {
    let Some(figures) = &row.figures else {
        return ["-"; 5].map(str::to_owned);
    };
    let Figures {
        before,
        meanwhile,
        after,
        operator,
        ..
    } = figures;
    let waits = |side: &Side| {
        let [p50, p99, longest] = [side.p50_ms, side.p99_ms, side.longest_ms].map(ms_alone);
        format!("{p50} / {p99} / {longest}")
    };
    let host = |of: fn(&Host) -> String| {
        let [before, most, after] = [&before.host, &meanwhile.host, after].map(of);
        format!("{before} / {most} / {after}")
    };
    [
        waits(before),
        waits(meanwhile),
        host(|host| format!("{:.0}", host.resident as f64 / f64::from(1 << 20))),
        host(|host| host.threads.to_string()),
        ms_alone(operator.longest_ms()),
    ]
}

fn ms(milliseconds: f64) -> String {
    format!("{} ms", ms_alone(milliseconds))
}

fn ms_alone(milliseconds: f64) -> String {
    match milliseconds {
        ..10.0 => format!("{milliseconds:.1}"),
        _ => format!("{milliseconds:.0}"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::operator::Operations;

    fn figures(longest_ms: f64, resident: u64, threads: u64) -> Figures {
        let host = Host {
            resident: 10 << 20,
            threads: 3,
        };
        let side = |longest_ms| Side {
            p50_ms: 0.2,
            p99_ms: longest_ms / 2.0,
            longest_ms,
            per_second: 400.0,
            failed: 0,
            failure: None,
            host,
        };
        let mut operator = Operations::default();
        for calls in [
            &mut operator.list,
            &mut operator.deploy,
            &mut operator.live,
            &mut operator.stop,
        ] {
            calls.done = 1;
        }
        Figures {
            before: side(1.0),
            meanwhile: side(longest_ms),
            after: Host { resident, threads },
            memory_is_back: resident <= 11 << 20,
            threads_are_back: threads <= 3,
            operator,
            note: None,
            fault: None,
        }
    }

    #[test]
    fn each_mark_can_be_missed() {
        let missed = |figures: &Figures| judge(figures, &STRICT);
        let well = figures(9.0, 11 << 20, 3);
        assert!(missed(&well).is_empty(), "{:?}", missed(&well));
        let waited = figures(150.0, 10 << 20, 3);
        assert_eq!(missed(&waited), ["longest wait 150 ms", "p99 75 ms"]);
        assert!(judge(&waited, &SHORT).is_empty());
        assert_eq!(
            missed(&figures(9.0, 12 << 20, 5)),
            ["memory 12 MiB after", "2 threads stay"]
        );
        let mut refused = figures(9.0, 10 << 20, 3);
        refused.meanwhile.per_second = 30.0;
        refused.meanwhile.failed = 2;
        refused.meanwhile.failure = Some("503".to_owned());
        refused.operator.stop.done = 0;
        refused.operator.list.longest_ms = 20_000.0;
        refused.fault = Some("3 are left".to_owned());
        assert_eq!(
            missed(&refused),
            [
                "30 of 400 answers in a second",
                "2 answers failed (503)",
                "operator could not stop: it came to no such call",
                "operator waited 20000 ms",
                "3 are left"
            ]
        );
    }
}
