//! One line of the log, field by field, in the shape that tracing's own lines have.

use std::fmt::Display;
use std::io::Write;

use jiff::Timestamp;
use tracing::Level;

use super::sink;
use crate::config::Format;
use crate::terminal::Json;

/// A line that is being put together.
pub(super) struct Line {
    text: Vec<u8>,
    format: Format,
}

impl Line {
    /// A line with its time, level and target, and no field yet.
    pub(super) fn new(format: Format, level: Level, target: &str) -> Self {
        let mut line = Self { text: Vec::with_capacity(512), format };
        let now = Timestamp::now();
        match format {
            Format::Text => line.print(format_args!("{now:.6} {level:>5} {target}:")),
            Format::Json => {
                line.print(format_args!(r#"{{"timestamp":"{now:.6}","level":"{level}","target":"{target}""#));
            }
        }
        line
    }

    /// A field whose value is text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        if value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
            self.text.push(b'"');
            self.text.extend_from_slice(value.as_bytes());
            self.text.push(b'"');
            return;
        }
        match self.format {
            Format::Text => self.print(format_args!("{value:?}")),
            Format::Json => {
                // A text is always JSON; what JSON leaves as it is, a terminal may not (C1, marks of direction).
                let quoted = serde_json::to_string(value).unwrap_or_default();
                self.print(format_args!("{}", Json(quoted)));
            }
        }
    }

    /// A field whose value prints without quotes: an address, an identity. It holds no character that would need them.
    pub(super) fn plain(&mut self, name: &str, value: impl Display) {
        self.name(name);
        match self.format {
            Format::Text => self.print(format_args!("{value}")),
            Format::Json => self.print(format_args!("\"{value}\"")),
        }
    }

    /// A field whose value is a number.
    pub(super) fn number(&mut self, name: &str, value: impl Display) {
        self.name(name);
        self.print(format_args!("{value}"));
    }

    /// Ends the line and hands it over.
    pub(super) fn write(mut self) {
        let end: &[u8] = match self.format {
            Format::Text => b"\n",
            Format::Json => b"}\n",
        };
        self.text.extend_from_slice(end);
        sink::push(&self.text);
    }

    fn name(&mut self, name: &str) {
        let (before, after): (&[u8], &[u8]) = match self.format {
            Format::Text => (b" ", b"="),
            Format::Json => (b",\"", b"\":"),
        };
        self.text.extend_from_slice(before);
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(after);
    }

    fn print(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a Vec does not fail.
        let _ = self.text.write_fmt(arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: Format) -> String {
        let mut line = Line::new(format, Level::INFO, "phoneprov::request");
        line.text("path", "/a\"b\nc\u{1b}[2J");
        line.plain("peer", "127.0.0.1:5");
        line.number("bytes", 7);
        String::from_utf8(line.text).expect("text")
    }

    #[test]
    fn a_text_line_stays_one_line_whatever_a_client_sends() {
        let line = line(Format::Text);
        let (time, rest) = line.split_once(' ').expect("a time");
        assert!(time.parse::<Timestamp>().is_ok(), "{time}");
        assert_eq!(rest, " INFO phoneprov::request: path=\"/a\\\"b\\nc\\u{1b}[2J\" peer=127.0.0.1:5 bytes=7");
    }

    #[test]
    fn a_json_line_moves_no_cursor_either() {
        let mut line = Line::new(Format::Json, Level::INFO, "t");
        line.text("path", "/\u{9b}2J\u{7f}\u{202e}gpj\u{e9}");
        let text = String::from_utf8(line.text).expect("text") + "}";
        assert!(text.contains(r"/\u009b2J\u007f\u202egpjé"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["path"], "/\u{9b}2J\u{7f}\u{202e}gpj\u{e9}");
    }

    #[test]
    fn a_json_line_is_json() {
        let line = line(Format::Json) + "}";
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["path"], "/a\"b\nc\u{1b}[2J");
        assert_eq!((&value["peer"], &value["bytes"]), (&"127.0.0.1:5".into(), &7.into()));
        assert_eq!((&value["level"], &value["target"]), (&"INFO".into(), &"phoneprov::request".into()));
    }
}
