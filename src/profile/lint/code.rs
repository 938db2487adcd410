//! The kinds of findings: the closed set that docs/lint.md explains.

use std::fmt;

/// What a finding is about. Its name is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file cannot be read as XML.
    NotWellFormed,
    /// A template gives no profile.
    NotRendered,
    /// The root is none that phones know, or holds no profile.
    WrongRoot,
    /// An element stands inside a parameter.
    ElementInElement,
    /// The file begins with a byte order mark.
    ByteOrderMark,
    /// Text stands between the elements.
    TextBetweenElements,
    /// XML forbids it, though it can be read past.
    UncleanXml,
    /// The file is larger than phones bear.
    TooLarge,
    /// The dictionary does not have the name.
    UnknownParameter,
    /// The name is known in other case.
    WrongCase,
    /// The name stands twice.
    DuplicateParameter,
    /// The parameter is one of other phones.
    OtherFamily,
    /// The parameter came with later firmware.
    NewerFirmware,
    /// The parameter is of a line, or a key, that no known phone has.
    NumberBeyond,
    /// The parameter is a phone's report about itself.
    ReadOnly,
    /// `ua` is none of its words.
    WrongAccess,
    /// The value is of another type.
    WrongType,
    /// The value is none of the words to choose from.
    UnlistedValue,
    /// The value lies outside of the numbers.
    OutOfRange,
    /// The value has more or fewer characters than it may.
    WrongLength,
    /// A character beyond ASCII that is no reference.
    NonAscii,
    /// An empty element where clearing and resetting differ.
    AmbiguousEmpty,
    /// The profile rule cannot be read.
    BadRule,
    /// The profile rule can be read, and hardly means this.
    DoubtfulRule,
    /// A secret in a file that goes out to anybody.
    SecretInClear,
    /// A password for a challenge that FIPS mode does not answer.
    DigestUnderFips,
    /// A key whose derivation FIPS mode does not have.
    KeyUnderFips,
    /// Phones ask more than once a minute.
    ShortResync,
    /// There are more findings than are told.
    TooMany,
}

/// What a finding means for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The phone does not take the file, or not this of it.
    Error,
    /// The phone takes it, but hardly as it is meant.
    Warning,
    /// Worth knowing; it may be right.
    Note,
}

impl Code {
    /// All of them, in the order of docs/lint.md.
    pub const ALL: [Self; 29] = [
        Self::NotWellFormed,
        Self::NotRendered,
        Self::WrongRoot,
        Self::ElementInElement,
        Self::ByteOrderMark,
        Self::TextBetweenElements,
        Self::UncleanXml,
        Self::TooLarge,
        Self::UnknownParameter,
        Self::WrongCase,
        Self::DuplicateParameter,
        Self::OtherFamily,
        Self::NewerFirmware,
        Self::NumberBeyond,
        Self::ReadOnly,
        Self::WrongAccess,
        Self::WrongType,
        Self::UnlistedValue,
        Self::OutOfRange,
        Self::WrongLength,
        Self::NonAscii,
        Self::AmbiguousEmpty,
        Self::BadRule,
        Self::DoubtfulRule,
        Self::SecretInClear,
        Self::DigestUnderFips,
        Self::KeyUnderFips,
        Self::ShortResync,
        Self::TooMany,
    ];

    /// Its name: `unknown-parameter`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotWellFormed => "not-well-formed",
            Self::NotRendered => "not-rendered",
            Self::WrongRoot => "wrong-root",
            Self::ElementInElement => "element-in-element",
            Self::ByteOrderMark => "byte-order-mark",
            Self::TextBetweenElements => "text-between-elements",
            Self::UncleanXml => "unclean-xml",
            Self::TooLarge => "too-large",
            Self::UnknownParameter => "unknown-parameter",
            Self::WrongCase => "wrong-case",
            Self::DuplicateParameter => "duplicate-parameter",
            Self::OtherFamily => "other-family",
            Self::NewerFirmware => "newer-firmware",
            Self::NumberBeyond => "number-beyond",
            Self::ReadOnly => "read-only",
            Self::WrongAccess => "wrong-access",
            Self::WrongType => "wrong-type",
            Self::UnlistedValue => "unlisted-value",
            Self::OutOfRange => "out-of-range",
            Self::WrongLength => "wrong-length",
            Self::NonAscii => "non-ascii",
            Self::AmbiguousEmpty => "ambiguous-empty",
            Self::BadRule => "bad-rule",
            Self::DoubtfulRule => "doubtful-rule",
            Self::SecretInClear => "secret-in-clear",
            Self::DigestUnderFips => "digest-under-fips",
            Self::KeyUnderFips => "key-under-fips",
            Self::ShortResync => "short-resync",
            Self::TooMany => "too-many",
        }
    }

    /// What it means where nothing makes it less.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NotWellFormed | Self::NotRendered | Self::WrongRoot | Self::ElementInElement | Self::BadRule => {
                Severity::Error
            }
            Self::ByteOrderMark
            | Self::TextBetweenElements
            | Self::UncleanXml
            | Self::TooLarge
            | Self::UnknownParameter
            | Self::WrongCase
            | Self::DuplicateParameter
            | Self::OtherFamily
            | Self::NewerFirmware
            | Self::WrongAccess
            | Self::WrongType
            | Self::UnlistedValue
            | Self::OutOfRange
            | Self::WrongLength
            | Self::NonAscii
            | Self::DoubtfulRule
            | Self::SecretInClear
            | Self::DigestUnderFips
            | Self::KeyUnderFips
            | Self::ShortResync => Severity::Warning,
            Self::NumberBeyond | Self::ReadOnly | Self::AmbiguousEmpty | Self::TooMany => Severity::Note,
        }
    }

    /// Why it matters, and who says so.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        super::explanation::reason(self)
    }

    /// Where that is documented.
    #[must_use]
    pub const fn source(self) -> &'static str {
        super::explanation::source(self)
    }

    /// What to do about it.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        super::explanation::mend(self)
    }
}

impl Severity {
    /// Its name, which is also SARIF's level.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
