//! What a phone's macros hold at one moment.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::url::Url;
use super::{Cause, Phone};
use crate::profile::expansion::{Expansion, Scope};
use crate::profile::macros::Macro;
use crate::profile::rule::{Decision, Judgement, UrlError, Verdict};
use crate::profile::variable::{Lookup, Variable};

/// A phone with what is going on around it.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) phone: &'a Phone,
    pub(super) cause: Cause,
    /// The second since 1970; 0 where nobody asks for timers.
    pub(super) now: i64,
    /// DHCP option 66.
    pub(super) server: Option<&'a str>,
    /// The URL of the moment and its server's address.
    pub(super) url: Option<(&'a Url, Option<IpAddr>)>,
    /// `$ERR`.
    pub(super) err: &'a str,
}

impl<'a> Sight<'a> {
    /// A phone at rest.
    pub(super) fn of(phone: &'a Phone) -> Self {
        Self { phone, cause: Cause::Explicit, now: 0, server: None, url: None, err: "" }
    }

    /// A text with its macros expanded.
    pub(super) fn expand(&self, text: &str) -> String {
        Expansion::parse(text).expand(self, Scope::Text)
    }

    fn since(&self, then: Option<i64>) -> String {
        then.map_or(0, |then| self.now.saturating_sub(then).max(0)).to_string()
    }

    fn of_url(&self, part: impl Fn(&Url, Option<IpAddr>) -> String) -> Option<Cow<'_, str>> {
        self.url.map(|(url, address)| Cow::Owned(part(url, address)))
    }
}

impl Lookup for Sight<'_> {
    fn value(&self, variable: Variable) -> Option<Cow<'_, str>> {
        let unit = &self.phone.unit;
        if let Some(parameter) = variable.parameter() {
            return Some(Cow::Borrowed(self.phone.value(&parameter)));
        }
        let text = match variable {
            Variable::Macro(Macro::Ma) => unit.mac.ma(),
            Variable::Macro(Macro::Mau) => unit.mac.mau(),
            Variable::Macro(Macro::Mac) => unit.mac.mac(),
            Variable::Macro(Macro::Sn) => return Some(Cow::Borrowed(unit.serial.as_str())),
            Variable::Macro(Macro::Pn) => return Some(Cow::Borrowed(unit.model.as_str())),
            Variable::Macro(Macro::Psn) => return Some(Cow::Borrowed(unit.model.series())),
            Variable::UserId(line) => {
                return Some(Cow::Borrowed(self.phone.known(&format!("User_ID_{line}_"))?));
            }
            Variable::CCert if self.phone.identity.is_some() => "Installed".to_owned(),
            Variable::CCert => "Not Installed".to_owned(),
            Variable::Ip => unit.address?.to_string(),
            Variable::SwVer => return Some(Cow::Borrowed(&unit.firmware)),
            Variable::HwVer => return Some(Cow::Borrowed(&unit.hardware)),
            Variable::PrvSt => self.cause.prvst().to_owned(),
            Variable::UpgSt if self.phone.upgrade_error.is_empty() => "1".to_owned(),
            Variable::UpgSt => "2".to_owned(),
            Variable::UpgErr => return Some(Cow::Borrowed(&self.phone.upgrade_error)),
            Variable::PrvTmr => self.since(self.phone.state.resynced),
            Variable::UpgTmr => self.since(self.phone.state.upgrade_attempted),
            // No line registers, so none has lost its registration.
            Variable::RegTmr1 | Variable::RegTmr2 => "0".to_owned(),
            Variable::UpgCond => "true".to_owned(),
            Variable::Scheme | Variable::Meth => return self.of_url(|url, _| url.scheme.to_string()),
            Variable::Serv => return self.of_url(|url, _| url.host.clone()),
            Variable::ServIp => {
                return self
                    .of_url(|url, address| address.map_or_else(|| url.host.clone(), |address| address.to_string()));
            }
            Variable::Port => return self.of_url(|url, _| url.port.to_string()),
            Variable::Path => return self.of_url(|url, _| url.path.clone()),
            Variable::Err => return Some(Cow::Borrowed(self.err)),
            Variable::OrigType => "orig_mpp".to_owned(),
            Variable::AuthStatus => "none".to_owned(),
            Variable::Version => unit.version(),
            // Registers are parameters; the others are of things that a simulated phone has not.
            Variable::Macro(Macro::Register(_))
            | Variable::Special(_)
            | Variable::ExtIp
            | Variable::Ems
            | Variable::Muid
            | Variable::Mpwd
            | Variable::Pdom => return None,
        };
        Some(Cow::Owned(text))
    }

    fn server(&self) -> Option<&str> {
        self.server
    }
}

/// A decision for people, from values that are masked; `instead` is where it leads when that is not what the rule says.
pub(super) fn told(decision: &Decision, instead: Option<&str>) -> String {
    let mut text = String::new();
    for (place, verdict) in decision.verdicts.iter().enumerate() {
        let number = place + 1;
        match verdict {
            Verdict::Refused(judgements) => {
                let why = judgements.last().map(judged).unwrap_or_default();
                let _ = write!(text, "alternative {number} not taken, {why}; ");
            }
            Verdict::Taken(_) if decision.verdicts.len() == 1 && text.is_empty() => {}
            Verdict::Taken(judgements) if judgements.is_empty() => {
                let _ = write!(text, "alternative {number} taken; ");
            }
            Verdict::Taken(judgements) => {
                let why: Vec<String> = judgements.iter().map(judged).collect();
                let _ = write!(text, "alternative {number} taken, {}; ", why.join(", "));
            }
            Verdict::NotReached => {}
        }
    }
    if let Some(instead) = instead {
        return text + instead;
    }
    let fetches = decision.taken.iter().flat_map(|taken| &taken.fetches);
    let places: Vec<String> = fetches
        .map(|fetch| match &fetch.location {
            Ok(location) => location.to_string(),
            // A password before the server is none of a phone's, and not to be shown.
            Err(error @ UrlError::User) => error.to_string(),
            Err(_) => fetch.expanded.clone(),
        })
        .collect();
    text.push_str(if places.is_empty() { "nothing to fetch" } else { "" });
    text.push_str(&places.join(" and "));
    text
}

fn judged(judgement: &Judgement) -> String {
    if judgement.written == judgement.expanded {
        format!("`{}`", judgement.written)
    } else {
        format!("`{}` is `{}`", judgement.written, judgement.expanded)
    }
}
