//! The lines of a source file around the place of a failure.

use crate::backtrace::{Backtrace, Place};
use crate::regular_file;
use html_escape::encode_text;
use std::fmt::Write;
use std::path::Path;

/// Lines shown before and after the one that is meant.
const AROUND: usize = 4;
/// A longer file is not source that anyone wrote.
const LONGEST: u64 = 4 << 20;

/// The heading and the lines, as HTML, of the innermost frame whose file lies in
/// `source`. A component says itself where its source is, so no other file is
/// read, whatever it says.
pub fn of(backtrace: &Backtrace, source: &Path) -> Option<(String, String)> {
    let source = source.canonicalize().ok()?;
    let mut places = backtrace
        .frames
        .iter()
        .filter_map(|frame| frame.place.as_ref());
    places.find_map(|place| {
        let file = Path::new(&place.file).canonicalize().ok()?;
        let name = file.strip_prefix(&source).ok()?.display().to_string();
        let text = regular_file::read_text(&file, LONGEST).ok()?;
        Some((format!("{name}:{}", place.line), lines(&text, place)?))
    })
}

fn lines(text: &str, place: &Place) -> Option<String> {
    let meant = (place.line as usize).checked_sub(1)?;
    let first = meant.saturating_sub(AROUND);
    let mut html = String::new();
    let shown = text.lines().enumerate().skip(first);
    for (number, line) in shown.take_while(|(number, _)| *number <= meant + AROUND) {
        let line = format!("{:>5}  {}", number + 1, encode_text(line));
        let _ = match number == meant {
            true => write!(html, "<mark>{line}</mark>"),
            false => writeln!(html, "{line}"),
        };
    }
    (text.lines().count() > meant).then_some(html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtrace::Call;
    use std::fs;

    fn at(file: &Path, line: u32) -> Backtrace {
        Backtrace::of([Call {
            name: Some("f"),
            index: 0,
            place: Some((&file.display().to_string(), line, None)),
        }])
    }

    #[test]
    fn only_files_of_the_source_are_read() {
        let home = tempfile::tempdir().unwrap();
        let source = home.path().join("crate");
        fs::create_dir_all(source.join("src")).unwrap();
        let own = source.join("src/lib.rs");
        fs::write(&own, "one\n<two>\nthree\n").unwrap();
        let secret = home.path().join("secret");
        fs::write(&secret, "password\n").unwrap();

        let (heading, html) = of(&at(&own, 2), &source).unwrap();
        assert_eq!(heading, "src/lib.rs:2");
        assert!(html.contains("<mark>    2  &lt;two&gt;</mark>"), "{html}");
        assert!(html.starts_with("    1  one\n") && html.ends_with("    3  three\n"));

        assert!(of(&at(&secret, 1), &source).is_none());
        assert!(of(&at(&source.join("src/../../secret"), 1), &source).is_none());
        std::os::unix::fs::symlink(&secret, source.join("src/link.rs")).unwrap();
        assert!(of(&at(&source.join("src/link.rs"), 1), &source).is_none());
        let long = source.join("src/long.rs");
        fs::write(&long, "x\n".repeat(LONGEST as usize)).unwrap();
        assert!(of(&at(&long, 1), &source).is_none());
        assert!(of(&at(&source.join("src"), 1), &source).is_none());
        assert!(of(&at(&own, 0), &source).is_none());
        assert!(of(&at(&own, 9), &source).is_none());
    }
}
