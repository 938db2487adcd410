//! Telling a phone to do something: run its rules, send a report, restart. By SIP NOTIFY, by its web page, or by an XML
//! object (Cisco "Provisioning Formats", "Third-party call control", "Phone features"). As a client: what the phone then
//! fetches is another matter.

mod notify;
pub mod sip;
mod web;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use self::notify::notify;
pub use self::web::{execute, visit};
pub use crate::phone::credentials::Credentials;
use crate::trust::{Secure, SecureError};

/// What a phone is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Run its profile rules, or this one.
    Resync(Option<String>),
    /// Send the report of `Report_Rule`.
    Report,
    /// Start again from nothing.
    Reboot,
    /// Start again without the hardware.
    Restart,
    /// Make and send a problem report.
    ProblemReport,
}

/// A phone that is told something.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it calls itself: the user of its line, or its MAC address.
    pub user: String,
    /// What answers its challenge.
    pub credentials: Option<Credentials>,
    /// How long it may take.
    pub patience: Duration,
    /// How its web page is spoken to, where that is by HTTPS.
    pub secure: Option<Secure>,
}

/// What NOTIFY goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// Datagrams, sent again until they are answered.
    Udp,
    /// A connection.
    Tcp,
}

/// The phone was not told.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The network.
    #[error("{address} is not reached: {error}")]
    Network {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// It was told nothing, because nobody knows who it is.
    #[error("{error}; push.web and push.web_trust say what is spoken, and who is believed")]
    Insecure {
        /// Why not.
        #[from]
        error: SecureError,
    },
    /// Nothing that answers.
    #[error("{0} does not answer")]
    Silent(SocketAddr),
    /// It wants a password.
    #[error("it asks for a password, and there is none for it: give the device the variables that [push] names")]
    NoCredentials,
    /// It wants another password.
    #[error("it does not take the password")]
    WrongCredentials,
    /// It asks in a way that is not known.
    #[error(
        "it asks for a password by {0}, which cannot be answered: expected Digest with MD5 or SHA-256, a nonce, and qop auth \
         or none; on its web page, Basic will do"
    )]
    Challenge(String),
    /// It would have the password in clear.
    #[error(
        "it asks for a password by Basic, which SIP does not know any more (RFC 3261, section 22): expected Digest"
    )]
    Basic,
    /// It says no.
    #[error("it answered {status} {reason}{}", hint(*status))]
    Refused {
        /// Its status.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// Not by this way.
    #[error("{0}")]
    Unsuitable(&'static str),
    /// No random numbers are to be had.
    #[error("no random numbers are to be had")]
    NoRandomNumbers,
}

impl Wish {
    /// The value of `Event:`; `None` for a rule that a header does not take.
    fn event(&self) -> Option<String> {
        match self {
            Self::Resync(None) => Some("resync".to_owned()),
            Self::Resync(Some(url)) => {
                let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"<>".contains(&byte));
                is_plain.then(|| format!("resync;profile={url}"))
            }
            Self::Report => Some("report".to_owned()),
            Self::Reboot => Some("reboot_now".to_owned()),
            Self::Restart => Some("restart_now".to_owned()),
            Self::ProblemReport => Some("prt-gen".to_owned()),
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resync(_) => "resync",
            Self::Report => "report",
            Self::Reboot => "reboot",
            Self::Restart => "restart",
            Self::ProblemReport => "prt",
        })
    }
}

/// What a status may mean on these phones.
fn hint(status: u16) -> &'static str {
    match status {
        403 | 404 => ": is the way open? `Resync_From_SIP`, `Enable_Direct_Action_Url` or `CISCO_XML_EXE_Enable`",
        489 => ": it does not know the event",
        _ => "",
    }
}

/// Random text for what must not be there twice.
fn token() -> Result<String, PushError> {
    let mut bytes = [0; 12];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| PushError::NoRandomNumbers)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
