//! The text of a `Log_*_Msg` parameter, held against lines: `$PN $MAC -- Resync failed: $ERR`.
//!
//! A line is found by the template's longest text of its own; what stands before that is not looked at, so a priority, a
//! time, a host's name, a `Syslog_Identifier` and another dash do no harm. What stands behind it is read macro by macro.

/// A template that lines can be held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What is searched for.
    anchor: String,
    /// What follows it.
    rest: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Macro(String),
}

/// A template by which no line would be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has no text of its own: expected at least {LETTERS} letters in a row between two macros")]
pub struct TemplateError(String);

/// What a line says, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Captures {
    /// `$PATH`.
    pub(super) path: Option<String>,
    /// `$ERR`.
    pub(super) error: Option<String>,
}

/// Letters that tell a text from what may stand in any line.
const LETTERS: usize = 4;

impl Template {
    /// Reads a template, as it stands in a profile.
    ///
    /// # Errors
    /// Nothing in it would tell its lines from others.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = pieces(&plain(text));
        let letters = |piece: &Piece| match piece {
            Piece::Text(text) => text.chars().filter(|c| c.is_alphabetic()).count(),
            Piece::Macro(_) => 0,
        };
        // The first of the longest.
        let best = (0..pieces.len()).rev().max_by_key(|at| letters(&pieces[*at]));
        let best = best.filter(|at| letters(&pieces[*at]) >= LETTERS).ok_or_else(|| TemplateError(text.to_owned()))?;
        let rest = pieces.split_off(best + 1);
        let Some(Piece::Text(anchor)) = pieces.pop() else { return Err(TemplateError(text.to_owned())) };
        Ok(Self { anchor: anchor.trim_start_matches([' ', '-']).trim_end().to_owned(), rest })
    }

    /// What a line says by this template; `None` where it is of another. The line is [`plain`].
    pub(super) fn read(&self, line: &str) -> Option<Captures> {
        let at = line.find(&self.anchor)?;
        let mut left = line[at + self.anchor.len()..].trim_start();
        let mut captures = Captures::default();
        let address = left;
        for (at, piece) in self.rest.iter().enumerate() {
            let next = match self.rest.get(at + 1) {
                Some(Piece::Text(text)) => Some(text.trim()),
                Some(Piece::Macro(_)) | None => None,
            };
            match piece {
                Piece::Text(text) => match left.strip_prefix(text.trim()) {
                    Some(rest) => left = rest.trim_start(),
                    // The rest of the template may be missing.
                    None => break,
                },
                Piece::Macro(name) => {
                    let is_last = at + 1 == self.rest.len();
                    let (value, rest) = left.split_at(extent(name, left, next, is_last));
                    left = rest.trim_start();
                    captures.take(name, value.trim());
                }
            }
        }
        captures.path = captures.path.or_else(|| path_of_url(address));
        Some(captures)
    }
}

impl Captures {
    fn take(&mut self, name: &str, value: &str) {
        let value = Some(value.to_owned()).filter(|value| !value.is_empty());
        match name {
            "PATH" => self.path = value.filter(|path| path.starts_with('/')),
            "ERR" => self.error = value,
            _ => {}
        }
    }
}

/// A line as templates are: spaces, and dashes and colons that stand alone, are written in one way. Cisco's own pages print
/// `--`, `–-` and `–`; French has a space before a colon.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() && word != ":" {
            plain.push(' ');
        }
        let is_dash = word.chars().all(|c| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}'));
        plain.push_str(if is_dash { "--" } else { word });
    }
    plain
}

/// How much of what is left a macro's value takes (bytes).
fn extent(name: &str, left: &str, next: Option<&str>, is_last: bool) -> usize {
    let word = left.find(' ').unwrap_or(left.len());
    let host = left[..word].find('/').unwrap_or(word);
    match (name, next) {
        ("PATH", _) => word,
        ("PORT", _) => left.bytes().take_while(u8::is_ascii_digit).count(),
        // An IPv6 address has colons of its own.
        ("SERV" | "SERVIP", Some(next)) if !next.is_empty() => left[..host].rfind(next).unwrap_or(host),
        ("SERV" | "SERVIP", _) => host,
        (_, Some(next)) if !next.is_empty() => left.find(next).unwrap_or(left.len()),
        (_, _) if is_last => left.len(),
        (_, _) => word,
    }
}

/// The path of the first URL in a text.
fn path_of_url(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let url = rest.split(' ').next()?;
    url.find('/').map(|at| url[at..].to_owned())
}

/// Texts and macros, `$NAME` or `$(NAME:…)`.
fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut left, mut literal) = (Vec::new(), text, String::new());
    while let Some(at) = left.find('$') {
        literal.push_str(&left[..at]);
        let after = &left[at + 1..];
        let braced = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let unbraced = || after.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
        let (name, length) = braced.map_or_else(
            || (&after[..unbraced()], unbraced()),
            |(inner, _)| (inner.split(':').next().unwrap_or_default(), inner.len() + 2),
        );
        if name.is_empty() {
            literal.push('$');
        } else {
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Macro(name.to_owned()));
        }
        left = &after[length..];
    }
    literal.push_str(left);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(template: &str, line: &str) -> Option<(Option<String>, Option<String>)> {
        let captures = Template::parse(template).expect("a template").read(&plain(line))?;
        Some((captures.path, captures.error))
    }

    #[test]
    fn a_line_is_found_by_the_templates_own_text() {
        let template = "$PN $MAC -- Requesting resync $SCHEME://$SERVIP:$PORT$PATH";
        let found = Some((Some("/8851-3PCC.xml".to_owned()), None));
        for line in [
            "CP-8851-3PCC 14:a2:a0:e0:83:7a -- Requesting resync tftp://192.168.150.20:69/8851-3PCC.xml",
            "<133>Nov  2 03:04:05 14A2A0E0837A CP-8851-3PCC \u{2013}- Requesting resync tftp://192.0.2.1:69/8851-3PCC.xml",
            "x \u{2013} Requesting resync tftp://[2001:db8::1]:69/8851-3PCC.xml and more",
            "Requesting resync tftp://$SERVIP:69/8851-3PCC.xml",
            "Requesting resync tftp://h/8851-3PCC.xml",
        ] {
            assert_eq!(read(template, line), found, "{line}");
        }
        assert_eq!(read(template, "Requesting resync"), Some((None, None)));
        assert_eq!(read(template, "Requesting a resync"), None);
    }

    #[test]
    fn templates_of_operators_are_read_as_they_are_written() {
        let success = "$PN $MAC Resynchronisation réussie $SCHEME://$SERVIP:$PORT$PATH";
        let line = "CP-8841-3PCC 00:0e:08:ab:cd:ef Resynchronisation réussie https://192.0.2.1:443/a--b.cfg";
        assert_eq!(read(success, line), Some((Some("/a--b.cfg".to_owned()), None)));
        let failure = "$(MAU:6) gave up on [$PATH]: $ERR ($SWVER)";
        let line = "ABCDEF gave up on [/x.cfg]: Download failed (sip88xx.11-0-1MPP-376)";
        // The longest text is `gave up on [`; a path ends at a space.
        assert_eq!(read(failure, line).map(|(path, _)| path), Some(Some("/x.cfg]:".to_owned())));
        let upgrade = "Successful upgrade $SCHEME://$SERVIP:$PORT$PATH -- $ERR";
        let line = "Successful upgrade http://h:80/f.loads -- ok";
        assert_eq!(read(upgrade, line), Some((Some("/f.loads".to_owned()), Some("ok".to_owned()))));
    }

    #[test]
    fn a_template_without_words_is_refused() {
        for text in ["", "$PN $MAC -- $ERR", "$MAC: no", "-- -- --"] {
            assert!(Template::parse(text).expect_err("refused").to_string().starts_with(&format!("`{text}` has no")));
        }
    }

    proptest! {
        #[test]
        fn no_template_stumbles_over_a_line(template in "[ $A-Z():/a-e\u{e9}-]{0,40}", line in "\\PC{0,80}") {
            if let Ok(template) = Template::parse(&template) {
                let _ = template.read(&plain(&line));
            }
        }

        #[test]
        fn what_a_phone_writes_is_read_back(path in "/[a-zA-Z0-9._/-]{0,30}", error in "[a-z]{1,8}( [a-z]{1,8}){0,3}") {
            let line = format!("CP-8841-3PCC 00:0e:08:ab:cd:ef -- Successful upgrade http://192.0.2.1:80{path} -- {error}");
            let template = "$PN $MAC -- Successful upgrade $SCHEME://$SERVIP:$PORT$PATH -- $ERR";
            prop_assert_eq!(read(template, &line), Some((Some(path), Some(error))));
        }
    }
}
