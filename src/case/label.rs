//! What a client says of a file: its name, and words about it. For eyes, and no more.

use std::fmt;

/// The longest name (bytes): what file systems take.
const NAME: usize = 255;

/// What a client calls a file. It is shown, and is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

/// Words about a file, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remark(String);

/// What a client says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What it is called.
    pub name: FileName,
    /// What it is.
    pub description: Remark,
    /// Which kind of file the client thinks that it is.
    pub category: Remark,
}

/// A name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Nothing is left of it.
    #[error("the file has no name")]
    Nameless,
    /// Too long.
    #[error("the file's name is longer than {NAME} bytes")]
    Long,
}

impl FileName {
    /// Takes a name in any encoding. What would forge a line or move a cursor stands as U+FFFD.
    ///
    /// # Errors
    /// It is empty or longer than 255 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, LabelError> {
        if bytes.len() > NAME {
            return Err(LabelError::Long);
        }
        Self::shortened(bytes)
    }

    /// The same for a name that nobody can be asked to change: what is too long is cut.
    ///
    /// # Errors
    /// It is empty.
    pub fn shortened(bytes: &[u8]) -> Result<Self, LabelError> {
        let text = clean(&String::from_utf8_lossy(bytes), NAME);
        if text.is_empty() { Err(LabelError::Nameless) } else { Ok(Self(text)) }
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for a file on this host: the last part of a path, with nothing in it that a shell or a person could mistake.
    #[must_use]
    pub fn local(&self) -> String {
        let last = self.0.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = |c: char| if c.is_alphanumeric() || "-_.+=@,()".contains(c) { c } else { '_' };
        let text: String = last.trim_start_matches(['.', '-']).chars().map(plain).collect();
        cut(&text, 200).to_owned()
    }
}

impl Remark {
    /// At most so many bytes of a text, on one line.
    #[must_use]
    pub fn cut(bytes: &[u8], longest: usize) -> Self {
        Self(clean(&String::from_utf8_lossy(bytes), longest))
    }

    /// A description: at most 1000 bytes.
    #[must_use]
    pub fn description(bytes: &[u8]) -> Self {
        Self::cut(bytes, 1000)
    }

    /// A category: at most 100 bytes.
    #[must_use]
    pub fn category(bytes: &[u8]) -> Self {
        Self::cut(bytes, 100)
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Label {
    /// A name, and no words.
    #[must_use]
    pub fn named(name: FileName) -> Self {
        Self { name, description: Remark::default(), category: Remark::default() }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn clean(text: &str, longest: usize) -> String {
    let mark = |c: char| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c };
    let text: String = text.trim().chars().map(mark).collect();
    cut(&text, longest).trim_end().to_owned()
}

/// Control characters, separators of lines, marks of direction (Unicode Technical Report 36, section 2.2).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// As many whole characters as fit.
fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_shown_and_is_no_path() {
        let shown = |bytes: &[u8]| FileName::parse(bytes).map(|name| name.to_string());
        assert_eq!(shown(b" showtech.txt "), Ok("showtech.txt".into()));
        assert_eq!(shown(b"../../etc/passwd"), Ok("../../etc/passwd".into()));
        assert_eq!(shown(b"a\0b\nc\x1b[2J"), Ok("a\u{fffd}b\u{fffd}c\u{fffd}[2J".into()));
        assert_eq!(shown("x\u{202e}gpj.exe".as_bytes()), Ok("x\u{fffd}gpj.exe".into()));
        assert_eq!(shown(b"\xff\xfe"), Ok("\u{fffd}\u{fffd}".into()));
        assert_eq!((shown(b""), shown(b" \t")), (Err(LabelError::Nameless), Err(LabelError::Nameless)));
        assert_eq!(shown(&[b'a'; 4096]), Err(LabelError::Long));
        assert_eq!(FileName::shortened(&[b'a'; 4096]).map(|name| name.as_str().len()), Ok(255));
    }

    #[test]
    fn a_local_name_has_nothing_to_mistake() {
        let local = |text: &str| FileName::parse(text.as_bytes()).expect("a name").local();
        assert_eq!(local("../../etc/passwd"), "passwd");
        assert_eq!(local("..\\..\\boot.ini"), "boot.ini");
        assert_eq!(local("-rf ~; $(x)"), "rf_____(x)");
        assert_eq!(local(".bashrc"), "bashrc");
        assert_eq!((local(".."), local("a/")), (String::new(), String::new()));
        assert_eq!(local("Protokoll vom 3. März.txt"), "Protokoll_vom_3._März.txt");
    }

    proptest! {
        #[test]
        fn no_local_name_leads_out_of_its_folder(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
            if let Ok(name) = FileName::shortened(&bytes) {
                let local = name.local();
                prop_assert!(!local.contains(['/', '\\', '\0']) && !local.starts_with('.'), "{}", local);
                prop_assert!(local.len() <= 200 && name.as_str().len() <= 255);
            }
        }
    }
}
