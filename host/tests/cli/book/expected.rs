//! What a page shows of an output, against what came. `...` stands for anything: on
//! a line of its own for any lines, else for any part of a line. A size (`9.5 KiB`)
//! may be off by a quarter: toolchains differ, and a page that lies does not pass.

use regex::Regex;

/// Panics, with both texts, where they differ.
#[track_caller]
pub fn compare(shown: &str, came: &str) {
    assert!(
        is_shown(shown, came),
        "the page shows\n{shown}\nand this came\n{came}"
    );
}

/// Whether `came` is what is shown.
pub fn is_shown(shown: &str, came: &str) -> bool {
    let mut pattern = String::from("^");
    for line in shown.lines() {
        pattern.push_str(&match line {
            "..." => r"(?:.*\n)*?".to_owned(),
            line => of_line(line) + r"[ ]*\n",
        });
    }
    pattern.push('$');
    let ended = match came {
        "" => String::new(),
        came => came.trim_end_matches('\n').to_owned() + "\n",
    };
    let Some(found) = Regex::new(&pattern).unwrap().captures(&ended) else {
        return false;
    };
    let size = |text: &str| text.parse::<f64>().unwrap();
    let sizes = found.iter().skip(1).flatten().map(|it| size(it.as_str()));
    let mut told = Regex::new(SIZE).unwrap();
    let told: Vec<f64> = take(&mut told, shown).into_iter().map(size).collect();
    let pairs: Vec<_> = told.into_iter().zip(sizes).collect();
    pairs
        .iter()
        .all(|(told, came)| (0.75..=1.25).contains(&(came / told)))
}

const SIZE: &str = r"(\d+(?:\.\d+)?) [KM]iB";

fn take<'t>(size: &mut Regex, text: &'t str) -> Vec<&'t str> {
    let found = size.captures_iter(text);
    found.map(|it| it.get(1).unwrap().as_str()).collect()
}

/// The pattern of a line.
fn of_line(line: &str) -> String {
    let line = regex::escape(line).replace(r"\.\.\.", ".*");
    let size = Regex::new(r"\d+(?:\\\.\d+)? ([KM]iB)").unwrap();
    size.replace_all(&line, r"(\d+(?:\.\d+)?) $1").into_owned()
}

#[test]
fn what_is_shown_is_what_came() {
    for (shown, came) in [
        ("", ""),
        ("a\n", "a\n"),
        ("a\n", "a"),
        ("a ... c\n", "a b c\n"),
        ("...\nb\n", "a\na\nb\n"),
        ("...\nb\n", "b\n"),
        ("a\n...\n", "a\n"),
        ("10 KiB (x)\n", "12.1 KiB (x)\n"),
    ] {
        assert!(is_shown(shown, came), "{shown:?} {came:?}");
    }
    for (shown, came) in [
        ("", "a\n"),
        ("a\n", ""),
        ("a\n", "a\nb\n"),
        ("a.c\n", "abc\n"),
        ("a\n", "A\n"),
        ("...\nb\n", "b\nc\n"),
        ("10 KiB\n", "13 KiB\n"),
        ("10 KiB\n", "10 MiB\n"),
        ("7 s\n", "8 s\n"),
    ] {
        assert!(!is_shown(shown, came), "{shown:?} {came:?}");
    }
}
