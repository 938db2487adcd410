//! Comma-separated values (RFC 4180) as people's programs write them: with a byte order mark or without, with commas,
//! semicolons or tabs, with line ends of any kind, and quoted fields that hold all of these.

use std::io::{self, BufRead, Read as _};

/// The longest row, in bytes.
const LONGEST: usize = 1024 * 1024;

/// A table, read row by row.
pub(super) struct Reader<R> {
    from: R,
    /// What stands between fields: the first row decides.
    separator: Option<u8>,
    line: usize,
    text: Vec<u8>,
}

/// A row, and the line that it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) fields: Vec<String>,
}

/// The table cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum CsvError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("line {0}: text after the closing quote of a field")]
    AfterQuote(usize),
    #[error("line {0}: text after the closing quote of a field, whose first quote is on line {1}")]
    AfterEarlierQuote(usize, usize),
    #[error("line {0}: the quote that begins here is never closed")]
    Open(usize),
    #[error("line {0}: the quote that begins here is not closed within {LONGEST} bytes")]
    FarOpen(usize),
    #[error("line {0}: longer than {LONGEST} bytes")]
    Long(usize),
    #[error("line {0}: not UTF-8: save the table in that encoding")]
    Encoding(usize),
}

/// Where in a row the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// A quote in a quoted field: its end, or the first of two that stand for one.
    Quote,
}

/// A row as far as it is read.
struct Fields {
    state: State,
    done: Vec<Vec<u8>>,
    field: Vec<u8>,
    /// The line of the quote that began last.
    quote: usize,
}

impl<R: BufRead> Reader<R> {
    /// Reads from the beginning.
    pub(super) fn new(from: R) -> Self {
        Self { from, separator: None, line: 0, text: Vec::new() }
    }

    /// The next row that is not empty.
    pub(super) fn row(&mut self) -> Result<Option<Row>, CsvError> {
        loop {
            let begins = self.line + 1;
            let mut row = Fields { state: State::Start, done: Vec::new(), field: Vec::new(), quote: begins };
            loop {
                if !self.next_line(begins)? {
                    match (row.state, row.is_empty()) {
                        (State::Quoted, _) => return Err(CsvError::Open(row.quote)),
                        (_, true) => return Ok(None),
                        (_, false) => break,
                    }
                }
                let separator = *self.separator.get_or_insert_with(|| separator(&self.text));
                row.read(&self.text, separator, self.line)?;
                if row.state != State::Quoted {
                    break;
                }
                if row.length() > LONGEST {
                    return Err(CsvError::FarOpen(row.quote));
                }
            }
            row.done.push(row.field);
            if row.done.iter().any(|field| !field.is_empty()) {
                let fields = row.done.into_iter().map(String::from_utf8).collect::<Result<_, _>>();
                return Ok(Some(Row { line: begins, fields: fields.map_err(|_| CsvError::Encoding(begins))? }));
            }
        }
    }

    fn next_line(&mut self, begins: usize) -> Result<bool, CsvError> {
        self.text.clear();
        let length = (&mut self.from).take(LONGEST as u64 + 1).read_until(b'\n', &mut self.text)?;
        if length > LONGEST {
            return Err(CsvError::Long(begins));
        }
        if self.line == 0 && self.text.starts_with(b"\xEF\xBB\xBF") {
            self.text.drain(..3);
        }
        self.line += 1;
        Ok(length > 0)
    }
}

/// What the header separates its names by: the commonest of the three outside of quotes.
fn separator(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| separator == byte && !quoted) {
            *count += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| separator)
}

impl Fields {
    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.field.is_empty()
    }

    fn length(&self) -> usize {
        self.field.len() + self.done.iter().map(Vec::len).sum::<usize>()
    }

    /// Reads one line on, which has this number.
    fn read(&mut self, line: &[u8], separator: u8, number: usize) -> Result<(), CsvError> {
        let end = line.strip_suffix(b"\n").unwrap_or(line);
        let end = end.strip_suffix(b"\r").unwrap_or(end).len();
        for (at, byte) in line.iter().enumerate() {
            let ends = at >= end;
            self.state = match self.state {
                State::Quoted if *byte == b'"' => State::Quote,
                State::Quoted => {
                    self.field.push(*byte);
                    State::Quoted
                }
                State::Quote if *byte == b'"' => {
                    self.field.push(b'"');
                    State::Quoted
                }
                _ if ends => break,
                _ if *byte == separator => {
                    self.done.push(std::mem::take(&mut self.field));
                    State::Start
                }
                State::Quote if self.quote == number => return Err(CsvError::AfterQuote(number)),
                State::Quote => return Err(CsvError::AfterEarlierQuote(number, self.quote)),
                State::Start if *byte == b'"' => {
                    self.quote = number;
                    State::Quoted
                }
                State::Start | State::Plain => {
                    self.field.push(*byte);
                    State::Plain
                }
            };
        }
        Ok(())
    }
}

/// A field as it is written: quoted where it has to be.
pub(super) fn quoted(field: &str) -> String {
    let plain = !field.contains([',', ';', '\t', '"', '\n', '\r']) && field.trim() == field;
    if plain { field.to_owned() } else { format!("\"{}\"", field.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &[u8]) -> Result<Vec<(usize, Vec<String>)>, String> {
        let mut reader = Reader::new(text);
        let mut rows = Vec::new();
        while let Some(row) = reader.row().map_err(|error| error.to_string())? {
            rows.push((row.line, row.fields));
        }
        Ok(rows)
    }

    fn fields(fields: &[&str]) -> Vec<String> {
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(table in proptest::collection::vec(proptest::collection::vec("[a-z,;\"\r\n\t é]{0,8}", 2..5), 1..6)) {
            let written: String = table.iter().map(|row| row.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",") + "\n").collect();
            let text = format!("h,h,h\n{written}");
            let read: Vec<Vec<String>> = rows(text.as_bytes()).expect("a table").into_iter().skip(1).map(|(_, row)| row).collect();
            let full: Vec<Vec<String>> = table.into_iter().filter(|row| row.iter().any(|field| !field.is_empty())).collect();
            prop_assert_eq!(read, full);
        }

        #[test]
        fn anything_is_read_or_refused(text: Vec<u8>) {
            let _ = rows(&text);
        }
    }

    #[test]
    fn a_spreadsheets_table_is_read() {
        let text = b"\xEF\xBB\xBFmac;label\r\n000e08abcdef;\"Desk;\r\n\"\"2\"\"\"\r\n\r\n;\r\n000e08000002;x";
        let expected = vec![
            (1, fields(&["mac", "label"])),
            (2, fields(&["000e08abcdef", "Desk;\r\n\"2\""])),
            (6, fields(&["000e08000002", "x"])),
        ];
        assert_eq!(rows(text), Ok(expected));
        assert_eq!(rows(b"a\tb,c\td\n").expect("a table")[0].1, fields(&["a", "b,c", "d"]));
        assert_eq!(rows(b"5\" disk,x\n").expect("a table")[0].1, fields(&["5\" disk", "x"]));
    }

    #[test]
    fn what_is_no_table_says_where() {
        assert_eq!(rows(b"a,b\n\"x\"y,z\n"), Err("line 2: text after the closing quote of a field".into()));
        assert_eq!(rows(b"a\n\"x\n\n"), Err("line 2: the quote that begins here is never closed".into()));
        assert_eq!(
            rows(b"a,b,c\n\"x\ny\",1,\"z\n\n"),
            Err("line 3: the quote that begins here is never closed".into()),
            "and not where its row begins"
        );
        assert_eq!(
            rows(b"a,b\nx,\"open\ny,\"closed\"\n"),
            Err("line 3: text after the closing quote of a field, whose first quote is on line 2".into())
        );
        let far = format!("a,b\nx,\"{}", "y\n".repeat(LONGEST));
        assert!(rows(far.as_bytes()).expect_err("too long").starts_with("line 2: the quote that begins here is not"));
        assert_eq!(rows(b"a\n\xff\n"), Err("line 2: not UTF-8: save the table in that encoding".into()));
        assert!(rows(&vec![b'x'; LONGEST + 2]).expect_err("too long").starts_with("line 1: longer than"));
    }
}
