//! Many rows in few statements: one statement a row would take most of an import's time.

use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

/// Rows of one statement, and names of one `in (…)`: thirteen columns of so many rows are fewer parameters than the 32 766 that
/// SQLite takes in one statement, and the 65 535 of PostgreSQL. A server of databases is asked once for all of them.
pub(super) const CHUNK: usize = 2000;

/// How many names a list has in its place: few lengths, so that few statements are prepared.
const LENGTHS: [usize; 4] = [1, 16, 200, CHUNK];

/// What stands in a column.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Text, or nothing.
    Text(Option<String>),
    /// A number, a time or a truth.
    Number(i64),
    /// A number, or nothing.
    Maybe(Option<i64>),
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
            Self::Maybe(number) => query.bind(number),
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
        // Only parameters are put in.
        let places = places(Style::of(connection), chunk.len(), WIDTH);
        let text = AssertSqlSafe(format!("{} values {places}{}", around.0, around.1));
        let whole = chunk.len() == CHUNK;
        let query = sqlx::query(text).persistent(whole || chunk.len() == 1);
        let query = chunk.into_iter().flatten().fold(query, |query, cell| cell.bind(query));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// How parameters are written. SQLite takes `$1` for a name, and goes through all names for each one that it binds: the time
/// of a statement would grow with the square of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `?`, one after the other.
    Plain,
    /// `$1`.
    Numbered,
}

impl Style {
    /// That of a connection's database.
    pub(super) fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == "SQLite" { Self::Plain } else { Self::Numbered }
    }

    fn write(self, text: &mut String, number: usize) {
        let _ = match self {
            Self::Plain => write!(text, "?"),
            Self::Numbered => write!(text, "${number}"),
        };
    }
}

/// `($1, $2), ($3, $4)` for two rows of two.
pub(super) fn places(style: Style, rows: usize, width: usize) -> String {
    let mut text = String::new();
    for at in 0..rows * width {
        let (before, after) = (at % width == 0, (at + 1) % width == 0);
        let _ = match (before, at) {
            (true, 0) => write!(text, "("),
            (true, _) => write!(text, ", ("),
            (false, _) => write!(text, ", "),
        };
        style.write(&mut text, at + 1);
        if after {
            text.push(')');
        }
    }
    text
}

/// `$1, $2, $3`: as many names as there are, or some more.
pub(super) fn list(style: Style, count: usize) -> String {
    let mut text = String::new();
    for number in 1..=padded(count) {
        if number > 1 {
            text.push_str(", ");
        }
        style.write(&mut text, number);
    }
    text
}

/// The cells of such a list; the last one stands for the rest.
pub(super) fn pad(mut cells: Vec<Cell>) -> Vec<Cell> {
    if let Some(last) = cells.last().cloned() {
        cells.resize(padded(cells.len()), last);
    }
    cells
}

/// The next length that there is a statement for.
pub(super) fn padded(count: usize) -> usize {
    LENGTHS.into_iter().find(|length| count <= *length).unwrap_or(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through_all_rows() {
        assert_eq!(places(Style::Numbered, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(places(Style::Plain, 1, 3), "(?, ?, ?)");
        assert_eq!(list(Style::Numbered, 1), "$1");
        assert!(list(Style::Numbered, 2).ends_with(", $16") && list(Style::Numbered, 201).ends_with(", $2000"));
        assert!(list(Style::Plain, 2).starts_with("?, ?, ?"));
        assert_eq!((pad(vec![]).len(), pad(vec![Cell::Number(1), Cell::Number(2)]).len()), (0, 16));
    }
}
