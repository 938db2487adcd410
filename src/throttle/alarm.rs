//! What an operator should hear of.

use std::fmt;
use std::net::IpAddr;

/// An address that guesses. It is told once in a window, not once a request; programs read these lines too
/// (packaging/fail2ban).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// Many devices were asked for, and none was given.
    Scan {
        /// Who.
        peer: IpAddr,
        /// How many devices, so far.
        macs: usize,
        /// The first three octets that most of them have.
        prefix: [u8; 3],
        /// How many such prefixes there were.
        prefixes: usize,
        /// It came in datagrams, whose sender anybody can forge: nobody may be shut out for it.
        forgeable: bool,
    },
    /// Many passwords were wrong.
    Passwords {
        /// Who.
        peer: IpAddr,
        /// The budget that was spent.
        wrong: u32,
    },
}

impl Alarm {
    /// Who guesses.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        match self {
            Self::Scan { peer, .. } | Self::Passwords { peer, .. } => *peer,
        }
    }

    /// As logs have it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scan { forgeable: false, .. } => "scan",
            Self::Scan { forgeable: true, .. } => "datagrams",
            Self::Passwords { .. } => "passwords",
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan { peer, macs, prefix: [a, b, c], prefixes, forgeable } => {
                let who = if *forgeable { ", or who forges it over tftp," } else { "" };
                write!(f, "{peer}{who} has tried {macs} MACs of {a:02x}{b:02x}{c:02x}")?;
                match prefixes - 1 {
                    0 => Ok(()),
                    others => write!(f, " and {others} other prefixes"),
                }
            }
            Self::Passwords { peer, wrong } => write!(f, "{peer} has sent more than {wrong} wrong passwords"),
        }
    }
}
