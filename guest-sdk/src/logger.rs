//! What the `log` crate is given, as lines of the log: `WARN shop::cart: text`.

use std::env;
use std::fmt::{self, Write};
use std::sync::OnceLock;

use env_filter::{Builder, Filter};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::log::line;

/// The variable that says what is written.
const VARIABLE: &str = "RUST_LOG";

/// The most octets of a line, its end included: so many leave a component in one
/// call (`wasi:io/streams`). What came in a second call could pass for a line of
/// its own.
const MOST: usize = 4096;

/// Where a line was cut.
const CUT: &str = "…";

/// Takes what is logged from here on, unless something else does already, as in a
/// test that has a logger of its own.
///
/// It sets two variables: what is to be written is found out by the first record,
/// so that a request that logs nothing does not ask the server for the
/// environment.
pub(crate) fn install() {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(LevelFilter::Trace);
    }
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        filter().enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if filter().matches(record) {
            line(write(record));
        }
    }

    /// Nothing is held back.
    fn flush(&self) {}
}

/// What is to be written, and from here on what is not costs a comparison.
fn filter() -> &'static Filter {
    static FILTER: OnceLock<Filter> = OnceLock::new();
    FILTER.get_or_init(|| {
        let filter = parse(&env::var(VARIABLE).unwrap_or_default());
        log::set_max_level(filter.filter());
        filter
    })
}

/// Info where nothing is said, and where what is said is malformed.
fn parse(directives: &str) -> Filter {
    let mut builder = Builder::new();
    if !directives.trim().is_empty() {
        match builder.try_parse(directives) {
            Ok(builder) => return builder.build(),
            Err(error) => {
                line(write(
                    &Record::builder()
                        .level(Level::Warn)
                        .target(module_path!())
                        .args(format_args!("{VARIABLE} is malformed: {error}"))
                        .build(),
                ));
            }
        }
    }
    Builder::new().filter_level(LevelFilter::Info).build()
}

/// The line of a record, without its end.
fn write(record: &Record<'_>) -> String {
    let mut line = Line(String::new());
    // It fails where the line is full, and the rest need not be formatted.
    if write!(
        line,
        "{} {}: {}",
        record.level(),
        record.target(),
        record.args()
    )
    .is_err()
    {
        line.0.push_str(CUT);
    }
    line.0
}

/// Text of one line: ends of lines and other control characters are written as in
/// a literal of Rust's, so that nothing that a user sent is a line of its own.
struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\t' => self.push(c),
            c if c.is_control() => c.escape_default().try_for_each(|c| self.push(c)),
            c => self.push(c),
        })
    }
}

impl Line {
    fn push(&mut self, c: char) -> fmt::Result {
        if self.0.len() + c.len_utf8() + CUT.len() + "\n".len() > MOST {
            return Err(fmt::Error);
        }
        self.0.push(c);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use log::{Level, LevelFilter, Record};

    use super::{MOST, parse, write};

    fn written(level: Level, target: &str, text: &str) -> String {
        write(
            &Record::builder()
                .level(level)
                .target(target)
                .args(format_args!("{text}"))
                .build(),
        )
    }

    #[test]
    fn a_record_is_one_line() {
        for (target, text, line) in [
            ("shop::cart", "two left", "WARN shop::cart: two left"),
            ("a", "é\t\\n \"b\"", "WARN a: é\t\\n \"b\""),
            (
                "a",
                "b\r\nERROR shop: forged",
                "WARN a: b\\r\\nERROR shop: forged",
            ),
            (
                "a\nb",
                "\u{1b}[31m\0\u{85}",
                "WARN a\\nb: \\u{1b}[31m\\u{0}\\u{85}",
            ),
            ("a", "", "WARN a: "),
        ] {
            assert_eq!(written(Level::Warn, target, text), line);
        }
    }

    #[test]
    fn a_line_has_its_end() {
        for text in ["x".repeat(MOST), "é".repeat(MOST), "\n".repeat(MOST)] {
            let line = written(Level::Info, "a", &text);
            assert!(line.ends_with('…') && line.len() < MOST, "{}", line.len());
            assert!(line.len() > MOST - 16, "{}", line.len());
        }
        let room = MOST - "INFO a: ".len() - "…\n".len();
        assert!(!written(Level::Info, "a", &"x".repeat(room)).ends_with('…'));
        assert!(written(Level::Info, "a", &"x".repeat(room + 1)).ends_with('…'));
    }

    #[test]
    fn malformed_directives_are_as_good_as_none() {
        for (directives, level) in [
            ("", LevelFilter::Info),
            (" ", LevelFilter::Info),
            ("warn,shop=trace", LevelFilter::Trace),
            ("off", LevelFilter::Off),
            ("shop=loud", LevelFilter::Info),
            ("a=b=c", LevelFilter::Info),
            ("debug/a/b", LevelFilter::Info),
        ] {
            assert_eq!(parse(directives).filter(), level, "{directives:?}");
        }
    }
}
