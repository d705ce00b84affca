//! The table of `rhost top`.

use super::super::table::table;
use super::rates::{Rate, Rates};
use rhost::failure::Octets;
use rhost::log::escape_into;
use std::time::Duration;

/// To the upper left corner, and all away (ECMA-48, CUP and ED).
const CLEAR: &str = "\x1b[H\x1b[2J";
/// Lines that are no apps'.
const OTHER_LINES: usize = 4;

/// What shows it.
pub struct Screen {
    /// Whether each table takes the place of the last.
    is_live: bool,
    /// How many apps are shown, if that was said.
    lines: Option<usize>,
}

impl Screen {
    /// A terminal if it `is_live`, else tables one after the other.
    pub fn new(is_live: bool, lines: Option<usize>) -> Self {
        Screen { is_live, lines }
    }

    /// What is shown until there is something to be compared.
    pub fn waiting(&self, interval: Duration) -> String {
        let interval = humantime::format_duration(interval);
        format!("{CLEAR}looking for {interval}; Ctrl-C stops\n")
    }

    /// All of it.
    pub fn show(&self, rates: &Rates) -> String {
        let room = match (self.lines, self.is_live) {
            (Some(lines), _) => lines,
            (None, true) => usize::from(console::Term::stdout().size().0)
                .saturating_sub(OTHER_LINES)
                .max(1),
            (None, false) => usize::MAX,
        };
        let begin = if self.is_live { CLEAR } else { "" };
        let all = rates.apps.len();
        let mut text = format!(
            "{begin}{} req/s, {} CPU, {all} {} asked for\n",
            number(rates.requests),
            percent(rates.cpu),
            if all == 1 { "app" } else { "apps" },
        );
        if all == 0 {
            return text;
        }
        let rows: Vec<_> = rates.apps.iter().take(room).map(row).collect();
        text.push('\n');
        text += &table(
            &[
                "APP", "TENANT", "REQ/S", "P50", "P99", "CPU", "MEMORY", "RUNNING", "QUEUED",
                "ERR/S", "SHED/S",
            ],
            &rows,
        );
        if all > room {
            text += &format!("and {} more; -n shows others\n", all - room);
        }
        text
    }
}

fn row(app: &Rate) -> Vec<String> {
    vec![
        plain(&app.app),
        app.tenant.as_deref().map_or_else(|| "-".into(), plain),
        number(app.requests),
        millis(app.p50),
        millis(app.p99),
        percent(app.cpu),
        Octets(app.memory_peak).to_string(),
        app.running.to_string(),
        app.queued.to_string(),
        number(app.errors),
        number(app.shed),
    ]
}

/// Without what could move the cursor.
fn plain(text: &str) -> String {
    let mut line = Vec::new();
    escape_into(&mut line, text);
    String::from_utf8_lossy(&line).into_owned()
}

/// With a digit behind the point where that says something.
fn number(number: f64) -> String {
    match number {
        0.0 => "0".into(),
        ..10.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

fn percent(part: f64) -> String {
    number(part * 100.0) + "%"
}

fn millis(time: Option<f64>) -> String {
    match time {
        None => "-".into(),
        Some(time @ ..10.0) => format!("{time:.2}ms"),
        Some(time @ ..10_000.0) => format!("{time:.0}ms"),
        Some(time) => format!("{:.0}s", time / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(app: &str) -> Rate {
        Rate {
            app: app.into(),
            tenant: None,
            requests: 1234.5,
            errors: 0.0,
            shed: 0.5,
            p50: Some(0.123),
            p99: None,
            cpu: 1.5,
            memory_peak: 3 << 20,
            running: 1,
            queued: 0,
        }
    }

    #[test]
    fn a_table_has_what_there_is_room_for() {
        let rates = Rates {
            apps: vec![rate("a\x1b[2J"), rate("b"), rate("c")],
            requests: 3703.5,
            cpu: 4.5,
        };
        let shown = Screen::new(false, Some(2)).show(&rates);
        let expected = [
            "3704 req/s, 450% CPU, 3 apps asked for",
            "",
            "APP         TENANT  REQ/S  P50     P99  CPU   MEMORY  RUNNING  QUEUED  ERR/S  SHED/S",
            "a\\u{1b}[2J  -       1234   0.12ms  -    150%  3 MiB   1        0       0      0.5",
            "b           -       1234   0.12ms  -    150%  3 MiB   1        0       0      0.5",
            "and 1 more; -n shows others",
            "",
        ];
        assert_eq!(shown, expected.join("\n"));
        assert!(Screen::new(true, None).show(&rates).starts_with(CLEAR));
    }

    #[test]
    fn times_are_short() {
        let times = [Some(0.5), Some(12.3), Some(1234.0), Some(65_000.0)];
        assert_eq!(times.map(millis), ["0.50ms", "12ms", "1234ms", "65s"]);
    }
}
