//! An event as it is kept.

use jiff::Timestamp;
use serde::Serialize;

/// Something that happened, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number: later ones are greater, on whatever node they happened.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// The number of the device of the store that it is of.
    #[serde(skip)]
    pub device: Option<i64>,
    /// What the device is called; of a line that counts for nobody, what it says it is of; of one that says nothing, the
    /// only device at its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether that is more than somebody's word or inferred: proven by a certificate or password, or a line that names the
    /// device and is from the address that it was served at. Of a file: whether who brought it was let in.
    pub certain: bool,
    /// Where it came from.
    pub address: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How it ended; of a line, what it says.
    pub outcome: String,
    /// The version that was given or confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The line, or the reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The request that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<i64>,
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A request of a phone, or of somebody else.
    Request,
    /// A line by syslog.
    Syslog,
    /// An address that guesses.
    Alarm,
    /// A phone that was told something.
    Push,
    /// A file that was handed in.
    Upload,
    /// A report of a phone's, kept or not.
    Report,
    /// A problem report, kept or not.
    Prt,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Request, Self::Syslog, Self::Alarm, Self::Push, Self::Upload, Self::Report, Self::Prt];

    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Syslog => "syslog",
            Self::Alarm => "alarm",
            Self::Push => "push",
            Self::Upload => "upload",
            Self::Report => "report",
            Self::Prt => "prt",
        }
    }
}
