//! What a phone does, line by line, for whoever wants to know.

use std::fmt;
use std::net::SocketAddr;

use super::failure::Failure;
use super::wire::Agreed;
use crate::terminal::{Lines, OneLine};

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
    Failed {
        /// The parameter that led to it.
        name: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// A parameter of a profile that phones of this family do not have.
    Ignored {
        /// Its name in the profile.
        name: &'a str,
        /// Why, and what they have instead.
        why: &'a str,
    },
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

/// An event in words, with whatever is in its texts.
struct Told<'a>(&'a Event<'a>);

impl fmt::Display for Event<'_> {
    /// One line, whatever came from outside. The excerpt below a rule that cannot be read is indented, so that no line of it
    /// looks like an event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { failure: Failure::Rule(_), .. } => {
                let told = Lines(Told(self)).to_string();
                f.write_str(&told.replace('\n', &format!("\n{:11}", "")))
            }
            _ => write!(f, "{}", OneLine(Told(self))),
        }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Rule { name, decision } => write!(f, "{:<10} {name}: {decision}", "rule"),
            Event::Skipped { name, why } => write!(f, "{:<10} {name}: {why}", "skipped"),
            Event::Asked { method, url, peer, user_agent } => {
                write!(f, "{:<10} {method} {url} at {peer}", "asked")?;
                user_agent.map_or(Ok(()), |agent| write!(f, " as `{agent}`"))
            }
            Event::Secured(agreed) => {
                write!(f, "{:<10} {} {}, server {}", "tls", agreed.version, agreed.suite, agreed.server)
            }
            Event::Negotiated(options) => write!(f, "{:<10} {options}", "options"),
            Event::Answered { status, octets, headers } => {
                let space = if headers.is_empty() { "" } else { "; " };
                write!(f, "{:<10} {status}, {octets} octets{space}{headers}", "got")
            }
            Event::Redirected(url) => write!(f, "{:<10} to {url}", "redirected"),
            Event::Challenged(how) => write!(f, "{:<10} {how}", "challenged"),
            Event::Decrypted { scheme, octets } => write!(f, "{:<10} {scheme}: {octets} octets", "decrypted"),
            Event::Unpacked { what, octets } => write!(f, "{:<10} {what}: {octets} octets", "unpacked"),
            Event::Parsed { parameters: 1 } => write!(f, "{:<10} 1 parameter", "parsed"),
            Event::Parsed { parameters } => write!(f, "{:<10} {parameters} parameters", "parsed"),
            Event::Changed { name, old: None, new } => write!(f, "{:<10} {name} = `{new}`", "set"),
            Event::Changed { name, old: Some(old), new } => write!(f, "{:<10} {name}: `{old}` → `{new}`", "changed"),
            Event::Unchanged(count) => write!(f, "{:<10} {count} as they were", "unchanged"),
            Event::Assigned { name, value } => write!(f, "{:<10} {name} = `{value}`", "assigned"),
            Event::Logged { text, server: Some(server) } => write!(f, "{:<10} to {server}: {text}", "syslog"),
            Event::Logged { text, server: None } => write!(f, "{:<10} {text}", "log"),
            Event::Noted(text) => write!(f, "{:<10} {text}", "note"),
            Event::Failed { name, failure } => {
                write!(f, "{:<10} {name}, class {}: {failure}", "failed", failure.class())
            }
            Event::Ignored { name, why } => write!(f, "{:<10} {name}: {why}", "ignored"),
            Event::Ended(text) => write!(f, "{:<10} {text}", "end"),
            Event::Waiting { seconds, why } => write!(f, "{:<10} {seconds} s {why}", "waiting"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_an_event() {
        let forged = "x`\nend        class A, 1 profile\u{9b}1A";
        let event = Event::Changed { name: "GPP_A", old: None, new: forged };
        assert_eq!(event.to_string(), r"set        GPP_A = `x`\nend        class A, 1 profile\u{9b}1A`");
        let rule = Failure::Rule(format!("an alias `{forged}`"));
        let told = Event::Failed { name: "Profile_Rule", failure: &rule }.to_string();
        assert!(told.lines().skip(1).all(|line| line.starts_with("           ")) && !told.contains('\u{9b}'), "{told}");
    }
}
