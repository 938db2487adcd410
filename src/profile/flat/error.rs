//! Why a file cannot be read as a profile.

use super::place::Place;

/// The file is not a profile, and where that shows. No value is quoted: it may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {wrong}")]
pub struct FlatError {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The file is too large to be looked at.
    #[error("more than {limit} bytes: no phone bears a profile of that size")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// What `openssl enc` writes at the beginning.
    #[error("the file is encrypted: a phone opens it with the rule's `--key`, a person with `phoneprov decrypt`")]
    Encrypted,
    /// What gzip writes at the beginning.
    #[error("the file is gzip: `zcat` reads it")]
    Gzip,
    /// A byte order mark, or the zero bytes, of UTF-16 or UTF-32.
    #[error("the text is UTF-16 or UTF-32: phones read UTF-8, `iconv -f UTF-16 -t UTF-8` converts it")]
    Utf16,
    /// A byte that UTF-8 does not have here; most often Latin-1.
    #[error(
        "byte 0x{byte:02x} is not UTF-8: save the file as UTF-8 (`iconv -f LATIN1 -t UTF-8`), or write the character \
         as a reference like `&#233;`"
    )]
    NotUtf8 {
        /// The byte.
        byte: u8,
    },
    /// A control character, which XML does not have.
    #[error("character U+{:04X} is not allowed in XML", u32::from(*character))]
    Character {
        /// The character.
        character: char,
    },
    /// A document type declaration.
    #[error("`<!DOCTYPE` is refused: phones know no entities of a file's own, and a few lines of them fill a memory")]
    Doctype,
    /// An ampersand that begins nothing known.
    #[error(
        "`&` begins no reference that phones know: expected &amp; &lt; &gt; &apos; &quot; or a number like &#233; \
         (`&` itself is written `&amp;`)"
    )]
    Reference,
    /// A numeric reference to what is no character of XML.
    #[error("the reference names no character that XML allows")]
    ReferenceCharacter,
    /// `]]>` outside of a CDATA section.
    #[error("`]]>` is not allowed in text: write `]]&gt;`")]
    SectionEnd,
    /// Markup that the tokenizer cannot end.
    #[error("{0}")]
    Syntax(String),
    /// Markup whose name is none.
    #[error(
        "no name of an element: expected a letter or `_`, then letters, digits, `_`, `-`, `.` (`<` itself is `&lt;`)"
    )]
    Name,
    /// An attribute that is not written as one.
    #[error("{0}")]
    Attribute(&'static str),
    /// The same attribute twice.
    #[error("the attribute `{0}` stands twice in one element")]
    AttributeTwice(String),
    /// The file ends inside of an element.
    #[error("`<{0}>` is not closed")]
    Unclosed(String),
    /// The end of another element than the open one.
    #[error("`</{found}>` closes nothing here: `<{open}>` of line {line} is open")]
    Mismatch {
        /// The element that is open.
        open: String,
        /// Its line.
        line: usize,
        /// The name in the end tag.
        found: String,
    },
    /// An end without a beginning.
    #[error("`</{0}>` closes nothing: no element is open")]
    Unopened(String),
    /// Elements within elements beyond reason.
    #[error("elements stand within elements more than {limit} deep: a profile has at most five")]
    TooDeep {
        /// Elements around an element.
        limit: usize,
    },
    /// More pieces than a profile has.
    #[error("more than {limit} elements, texts and comments: no phone bears a profile of that size")]
    TooMany {
        /// Elements, texts, comments, instructions.
        limit: usize,
    },
    /// No element at all.
    #[error("no element: expected `<flat-profile>`")]
    Blank,
    /// The root is not one that holds parameters.
    #[error(
        "the root is `<{0}>`: expected `<flat-profile>`, alone, in another element, or with `<router-configuration>`"
    )]
    Root(String),
    /// A root that may hold a profile does not.
    #[error("`<{0}>` holds no `<flat-profile>`")]
    NoProfile(String),
    /// A second `<flat-profile>` or `<router-configuration>`.
    #[error("a second `<{0}>`: a file has one")]
    Second(String),
    /// An element inside of a parameter.
    #[error("`<{inner}>` stands inside `<{outer}>`: a parameter holds text only; is `</{outer}>` missing before it?")]
    Nested {
        /// The parameter.
        outer: String,
        /// What is in it.
        inner: String,
    },
}
