//! Table of results.

use std::fmt;

#[derive(Default)]
pub struct Table(Vec<[String; 4]>);

impl Table {
    /// Adds a row and prints it to stderr at once.
    pub fn row(&mut self, shape: &str, figure: &str, value: String, remark: String) {
        eprintln!("  {figure}: {value} ({remark})");
        self.0
            .push([shape.to_owned(), figure.to_owned(), value, remark]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| shape | figure | value | remarks |\n|---|---|---|---|")?;
        self.0
            .iter()
            .try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}
