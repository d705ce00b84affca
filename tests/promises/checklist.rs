//! The checklists in docs/http.md and docs/security.md name tests that exist, and leave
//! out no number of the gateway's, of HTTP's, of hostile clients' and of hostile guests'.

use std::path::{Path, PathBuf};

/// The rows of the tables whose first column is a number; statuses are none.
fn rows(book: &str) -> Vec<(u32, &str)> {
    book.lines()
        .filter_map(|line| {
            let mut columns = line.trim_matches(['|', ' ']).splitn(2, " | ");
            let number = columns.next()?.trim().parse().ok()?;
            (number < 100).then_some((number, columns.next()?))
        })
        .collect()
}

/// Where the test of a name is: a promise's by the promise alone, any other by its file
/// from the root of the repository.
fn place(file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    match file.ends_with(".rs") {
        true => here.join("..").join(file),
        false => here.join("promises").join(format!("{file}.rs")),
    }
}

/// Whether `code` has a test of this name: an attribute of one stands above it.
fn has_test(code: &str, function: &str) -> bool {
    let declared = format!("fn {function}() {{");
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| {
        let is_test = pair[0].starts_with("#[test]") || pair[0].starts_with("#[tokio::test");
        is_test && pair[1].trim_start_matches("async ") == declared
    })
}

/// Fails unless the tables of `book` have these numbers, and each a test that exists.
fn check(book: &str, expected: impl Iterator<Item = u32>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(path.join(book)).unwrap();
    let rows = rows(&text);
    let numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, expected.collect::<Vec<_>>(), "{book}");
    for (number, row) in rows {
        let tests: Vec<&str> = row.split('`').filter(|name| name.contains("::")).collect();
        assert!(
            !tests.is_empty() || row.contains("does not apply: "),
            "{book}: {number} has no test"
        );
        for test in tests {
            let (file, function) = test.rsplit_once("::").unwrap();
            let code = std::fs::read_to_string(place(file)).unwrap_or_default();
            assert!(has_test(&code, function), "{book}: {test} is no test");
        }
    }
}

#[test]
fn each_number_has_a_test_that_exists() {
    check("http.md", (1..=45).chain(40..=50));
    check("security.md", 1..=39);
}
