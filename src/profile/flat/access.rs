//! What the phone's user may do with a parameter.

/// What the phone's user may do with a parameter (`ua`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAccess {
    /// Not see it.
    None,
    /// Read it.
    Read,
    /// Change it.
    Write,
}

impl UserAccess {
    /// By the attribute's value.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Read, Self::Write].into_iter().find(|access| access.as_str() == name)
    }

    /// As the attribute has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "na",
            Self::Read => "ro",
            Self::Write => "rw",
        }
    }
}
