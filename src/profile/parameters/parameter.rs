//! One row of the table.

use super::{Allowed, Families, Kind, Mismatch};

/// What is known of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    pattern: String,
    name: &'static str,
    kind: Kind,
    certainty: Certainty,
    allowed: Allowed,
    default: Default,
    models: &'static str,
    families: Families,
    group: &'static str,
    source: &'static str,
}

/// How much a type is to be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certainty {
    /// A document says it, or shows it by a default or by the words to choose from.
    Documented,
    /// It was inferred from the name and from values that were seen.
    Inferred,
}

/// What a phone has before anybody sets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// Nobody says.
    Unknown,
    /// The empty text.
    Blank,
    /// What a sample profile holds, which may be a setting of somebody's lab.
    Sampled(&'static str),
    /// What a guide says.
    Documented(&'static str),
}

/// The row is none of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{row}` is not a parameter: expected {expected}")]
pub struct RowError {
    row: &'static str,
    expected: &'static str,
}

impl Parameter {
    /// Reads a row: name, type, allowed, default, models, group and source with tabs between them.
    pub(super) fn parse(row: &'static str) -> Result<Self, RowError> {
        let wrong = |expected| RowError { row, expected };
        let columns: Vec<&'static str> = row.split('\t').collect();
        let [name, kind, allowed, default, models, group, source] = columns[..] else {
            return Err(wrong("seven columns"));
        };
        let (kind, certainty) = match kind.strip_suffix('?') {
            Some(kind) => (kind, Certainty::Inferred),
            None => (kind, Certainty::Documented),
        };
        Ok(Self {
            pattern: name.replace("<u>", "<n>").replace("<k>", "<n>"),
            name,
            kind: Kind::named(kind).ok_or(wrong("a known type in the second column"))?,
            certainty,
            allowed: Allowed::parse(allowed).ok_or(wrong("`is`, `from`, `length` or `n` in the third column"))?,
            default: Default::parse(default),
            models,
            families: Families::parse(models).ok_or(wrong("models of known families in the fifth column"))?,
            group,
            source,
        })
    }

    /// Its name, with `<n>`, `<u>` and `<k>` where a number stands.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name with every number written `<n>`.
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// What its values are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether that is documented.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Which values it takes.
    #[must_use]
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// What a phone has before anybody sets it.
    #[must_use]
    pub fn default(&self) -> Default {
        self.default
    }

    /// Where it is documented or was seen.
    #[must_use]
    pub fn models(&self) -> &'static str {
        self.models
    }

    /// The families of those models.
    #[must_use]
    pub fn families(&self) -> Families {
        self.families
    }

    /// The firmware that has it first, where that is documented: `11.2(3)`.
    #[must_use]
    pub fn since(&self) -> Option<&'static str> {
        let (_, rest) = self.models.split_once(">= ")?;
        rest.split(',').next()
    }

    /// Its heading on the phone's web page; `?` where nobody says.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// Where all this was read; the table's head explains the codes.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Holds a value against the type and against what is allowed. The empty value is always one.
    ///
    /// # Errors
    /// The value is of another type, out of range, not one of the words, or too long.
    pub fn check(&self, value: &str) -> Result<(), Mismatch> {
        super::value::check(self, value)
    }
}

impl Default {
    fn parse(text: &'static str) -> Self {
        match text {
            "?" | "-" => Self::Unknown,
            "(blank)" | "~(blank)" => Self::Blank,
            // Families differ, and the text says so.
            _ if text.contains(" ; ") || text.contains(" (") => Self::Unknown,
            _ => text.strip_prefix('~').map_or(Self::Documented(text), Self::Sampled),
        }
    }
}
