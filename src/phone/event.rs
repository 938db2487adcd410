//! What a phone does, line by line, for whoever wants to know.

use std::fmt;
use std::net::SocketAddr;

use super::failure::Failure;
use super::wire::Agreed;

/// One step of a resync. Texts borrow from it; nothing is built unless somebody prints it.
///
/// Values of parameters are as they are: who prints them decides which are secrets. Keys, passwords and expanded options
/// are in none of these.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A rule begins.
    Rule {
        /// Its parameter.
        name: &'a str,
        /// What was decided about its alternatives, one line each.
        decision: &'a str,
    },
    /// A rule has nothing to fetch.
    Skipped {
        /// Its parameter.
        name: &'a str,
        /// Why.
        why: &'a str,
    },
    /// A request goes out.
    Asked {
        /// `GET`, `POST`, `PUT`, `RRQ`, `WRQ`.
        method: &'a str,
        /// For what.
        url: &'a str,
        /// To which address.
        peer: SocketAddr,
        /// What the phone calls itself; TFTP has no such thing.
        user_agent: Option<&'a str>,
    },
    /// TLS was agreed upon and the server is who it should be.
    Secured(&'a Agreed),
    /// The options of a TFTP transfer.
    Negotiated(&'a str),
    /// A server answered.
    Answered {
        /// `200`, `404`, or what TFTP calls it.
        status: &'a str,
        /// The octets that came.
        octets: u64,
        /// Headers that matter, as `Content-Encoding: aes128gcm`.
        headers: &'a str,
    },
    /// The server sent the phone elsewhere.
    Redirected(&'a str),
    /// The server wants a password; this is how it is answered.
    Challenged(&'a str),
    /// A file was opened.
    Decrypted {
        /// `AES-256-CBC` or `aes128gcm`.
        scheme: &'a str,
        /// What came out.
        octets: usize,
    },
    /// A file, or an answer, was unpacked.
    Unpacked {
        /// `gzip` of the file, or the answer's coding.
        what: &'a str,
        /// What came out.
        octets: usize,
    },
    /// A profile was read.
    Parsed {
        /// How many parameters it has.
        parameters: usize,
    },
    /// A parameter has another value now.
    Changed {
        /// Its name.
        name: &'a str,
        /// What it was; `None` was never set.
        old: Option<&'a str>,
        /// What it is.
        new: &'a str,
    },
    /// What did not change.
    Unchanged(usize),
    /// An assignment of a rule was made.
    Assigned {
        /// The parameter.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// A log message, and where it went.
    Logged {
        /// The text.
        text: &'a str,
        /// `None` where no server is set.
        server: Option<&'a str>,
    },
    /// Something that a person should know about how the phone sees it.
    Noted(&'a str),
    /// A file was not had or not usable.
    Failed(&'a Failure),
    /// What came of it all.
    Ended(&'a str),
    /// The wait until the next resync, in the phone's time.
    Waiting {
        /// How long.
        seconds: u64,
        /// For what.
        why: &'a str,
    },
}

/// Who hears of events. `()` hears nothing.
pub trait Events: Send {
    /// Takes one event, at once.
    fn tell(&mut self, event: Event<'_>);

    /// Whether anybody wants to know; what only a person reads is not even made otherwise.
    fn listens(&self) -> bool {
        true
    }
}

impl Events for () {
    fn tell(&mut self, _: Event<'_>) {}

    fn listens(&self) -> bool {
        false
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { name, decision } => write!(f, "{:<10} {name}: {decision}", "rule"),
            Self::Skipped { name, why } => write!(f, "{:<10} {name}: {why}", "skipped"),
            Self::Asked { method, url, peer, user_agent } => {
                write!(f, "{:<10} {method} {url} at {peer}", "asked")?;
                user_agent.map_or(Ok(()), |agent| write!(f, " as `{agent}`"))
            }
            Self::Secured(agreed) => {
                write!(f, "{:<10} {} {}, server {}", "tls", agreed.version, agreed.suite, agreed.server)
            }
            Self::Negotiated(options) => write!(f, "{:<10} {options}", "options"),
            Self::Answered { status, octets, headers } => {
                let space = if headers.is_empty() { "" } else { "; " };
                write!(f, "{:<10} {status}, {octets} octets{space}{headers}", "got")
            }
            Self::Redirected(url) => write!(f, "{:<10} to {url}", "redirected"),
            Self::Challenged(how) => write!(f, "{:<10} {how}", "challenged"),
            Self::Decrypted { scheme, octets } => write!(f, "{:<10} {scheme}: {octets} octets", "decrypted"),
            Self::Unpacked { what, octets } => write!(f, "{:<10} {what}: {octets} octets", "unpacked"),
            Self::Parsed { parameters: 1 } => write!(f, "{:<10} 1 parameter", "parsed"),
            Self::Parsed { parameters } => write!(f, "{:<10} {parameters} parameters", "parsed"),
            Self::Changed { name, old: None, new } => write!(f, "{:<10} {name} = `{new}`", "set"),
            Self::Changed { name, old: Some(old), new } => write!(f, "{:<10} {name}: `{old}` → `{new}`", "changed"),
            Self::Unchanged(count) => write!(f, "{:<10} {count} as they were", "unchanged"),
            Self::Assigned { name, value } => write!(f, "{:<10} {name} = `{value}`", "assigned"),
            Self::Logged { text, server: Some(server) } => write!(f, "{:<10} to {server}: {text}", "syslog"),
            Self::Logged { text, server: None } => write!(f, "{:<10} {text}", "log"),
            Self::Noted(text) => write!(f, "{:<10} {text}", "note"),
            Self::Failed(failure) => write!(f, "{:<10} class {}: {failure}", "failed", failure.class()),
            Self::Ended(text) => write!(f, "{:<10} {text}", "end"),
            Self::Waiting { seconds, why } => write!(f, "{:<10} {seconds} s {why}", "waiting"),
        }
    }
}
