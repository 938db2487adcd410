//! The headers of a part, as far as they count: `Content-Disposition` (RFC 7578 section 4.2).

/// A part's header is none that a form has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MalformedHeader;

/// What a part's headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The field.
    pub(super) name: String,
    /// The client's name for the file, where it is one.
    pub(super) file: Option<String>,
}

impl Part {
    /// Reads the lines before a part's content.
    pub(super) fn parse(head: &[u8]) -> Result<Self, MalformedHeader> {
        let head = String::from_utf8_lossy(head);
        let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
        let (_, value) =
            headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition")).ok_or(MalformedHeader)?;
        let (kind, parameters) = value.split_once(';').ok_or(MalformedHeader)?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(MalformedHeader);
        }
        let name = parameter(parameters, "name").filter(|name| !name.is_empty()).ok_or(MalformedHeader)?;
        Ok(Self { name, file: parameter(parameters, "filename") })
    }
}

/// The value of a parameter in `; name="value"; other=token`.
pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, behind) = value(after.trim_start());
        if key.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = behind;
    }
}

/// A value, and what stands behind it. A backslash that is not before a quote or another one is a folder's.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.push(chars.next_if(|(_, next)| matches!(next, '"' | '\\')).map_or('\\', |(_, next)| next)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_quotes() {
        let part = |text: &str| Part::parse(text.as_bytes()).map(|part| (part.name, part.file));
        let file = |name: &str| Ok(("prt_file".to_owned(), Some(name.to_owned())));
        assert_eq!(part("content-disposition:form-data;name=prt_file;filename=a.gz"), file("a.gz"));
        assert_eq!(
            part("\r\nX: y\r\nContent-Disposition: form-data; filename=\"a;name=\\\"b\\\".gz\"; name=\"prt_file\""),
            file("a;name=\"b\".gz")
        );
        assert_eq!(part("Content-Disposition: form-data; name=\"prt_file\"; filename=\"C:\\x\\y\""), file("C:\\x\\y"));
        assert_eq!(part("Content-Disposition: form-data; name=\"a"), Ok(("a".to_owned(), None)));
        for text in ["", "Content-Type: text/xml", "Content-Disposition: form-data", "Content-Disposition: x; name=a"] {
            assert_eq!(part(text), Err(MalformedHeader), "{text}");
        }
    }
}
