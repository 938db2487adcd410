//! Many rows in few statements: one statement a row would take most of an import's time.

use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

/// Rows of one statement, and names of one `in (…)`. SQLite takes 32 766 parameters in one statement, PostgreSQL 65 535.
pub(super) const CHUNK: usize = 500;

/// What stands in a column.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Text, or nothing.
    Text(Option<String>),
    /// A number, a time or a truth.
    Number(i64),
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl Cell {
    /// Adds it to a statement's parameters.
    pub(super) fn bind(self, query: Query<'_, Any, AnyArguments>) -> Query<'_, Any, AnyArguments> {
        match self {
            Self::Text(text) => query.bind(text),
            Self::Number(number) => query.bind(number),
        }
    }
}

/// Inserts rows of `WIDTH` columns; `around` is what stands before and after the values.
pub(super) async fn insert<const WIDTH: usize>(
    connection: &mut AnyConnection,
    around: (&'static str, &'static str),
    rows: Vec<[Cell; WIDTH]>,
) -> Result<(), sqlx::Error> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<[Cell; WIDTH]> = rows.by_ref().take(CHUNK).collect();
        // Only numbers of parameters are put in.
        let text = AssertSqlSafe(format!("{} values {}{}", around.0, places(chunk.len(), WIDTH), around.1));
        let whole = chunk.len() == CHUNK;
        let query = sqlx::query(text).persistent(whole || chunk.len() == 1);
        let query = chunk.into_iter().flatten().fold(query, |query, cell| cell.bind(query));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)` for two rows of two.
fn places(rows: usize, width: usize) -> String {
    let mut text = String::new();
    for at in 0..rows * width {
        let (before, after) = (at % width == 0, (at + 1) % width == 0);
        let _ = match (before, at) {
            (true, 0) => write!(text, "("),
            (true, _) => write!(text, ", ("),
            (false, _) => write!(text, ", "),
        };
        let _ = write!(text, "${}", at + 1);
        if after {
            text.push(')');
        }
    }
    text
}

/// `$1, $2, $3`: as many names as there are, or a whole chunk, so that few statements are prepared.
pub(super) fn list(count: usize) -> String {
    let numbers: Vec<String> = (1..=padded(count)).map(|number| format!("${number}")).collect();
    numbers.join(", ")
}

/// The cells of such a list; the last one stands for the rest.
pub(super) fn pad(mut cells: Vec<Cell>) -> Vec<Cell> {
    if let Some(last) = cells.last().cloned() {
        cells.resize(padded(cells.len()), last);
    }
    cells
}

fn padded(count: usize) -> usize {
    if count <= 1 { count } else { CHUNK.max(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through_all_rows() {
        assert_eq!(places(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(places(1, 3), "($1, $2, $3)");
        assert_eq!(list(1), "$1");
        assert!(list(2).ends_with(", $500"));
        assert_eq!(pad(vec![Cell::Number(1), Cell::Number(2)]).len(), CHUNK);
    }
}
