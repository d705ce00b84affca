//! Figures as a person reads them.

use std::fmt;

/// A table in columns: the first is text, the others numbers.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|&heading| heading.to_owned());
        Table {
            rows: vec![headings.collect()],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::from(" ");
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    line += &format!(" {cell:<width$}");
                } else {
                    line += &format!("  {cell:>width$}");
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// 1234567.8 as 1,234,568.
pub fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio; a dash when there is nothing to compare with.
pub fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"))
}

/// Octets in MiB.
pub fn mib(octets: u64) -> String {
    format!("{:.2} MiB", octets as f64 / f64::from(1 << 20))
}

/// Whether a figure is what it should be.
pub fn mark(what: &str, met: bool) -> String {
    format!("  {} {what}", if met { "met:   " } else { "MISSED:" })
}

/// The middle one; of two, the lower.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        length => figures[(length - 1) / 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(count(7.4), "7");
        assert_eq!(count(999.6), "1,000");
        assert_eq!(count(1_234_567.8), "1,234,568");
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(mib(3 << 19), "1.50 MiB");
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["server", "req/s"]);
        table.row(["rhost".into(), "40,000".into()]);
        assert_eq!(table.to_string(), "  server   req/s\n  rhost   40,000\n");
    }
}
