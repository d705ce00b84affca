//! The checklist in docs/http.md names tests that exist, and leaves out no number of
//! the gateway's and HTTP's.

use std::path::Path;

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

#[test]
fn each_number_has_a_test_that_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let book = std::fs::read_to_string(here.join("../docs/http.md")).unwrap();
    let rows = rows(&book);
    let numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
    let expected: Vec<u32> = (1..=45).chain(40..=50).collect();
    assert_eq!(numbers, expected);
    for (number, row) in rows {
        let tests: Vec<&str> = row.split('`').filter(|name| name.contains("::")).collect();
        assert!(
            !tests.is_empty() || row.contains("does not apply: "),
            "{number} has no test"
        );
        for test in tests {
            let (file, function) = test.split_once("::").unwrap();
            let path = here.join("promises").join(format!("{file}.rs"));
            let code = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                code.contains(&format!("fn {function}()")),
                "{test} is no test"
            );
        }
    }
}
