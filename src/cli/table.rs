//! Rows for people: columns as wide as what is in them.

use std::io::{self, Write};

use crate::terminal::OneLine;

/// Prints a head and rows of as many cells. What a cell has that moves a cursor is shown as what it is.
pub(super) fn print(out: &mut impl Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let shown = |row: &Vec<String>| row.iter().map(|cell| OneLine(cell).to_string()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).fold(head[at].chars().count(), usize::max);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(head.to_vec())?;
    for row in &rows {
        line(row.iter().map(String::as_str).collect())?;
    }
    Ok(())
}
