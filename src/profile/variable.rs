//! Every macro variable that phones know, and where its value comes from.
//!
//! A [`Macro`] is what a file name on the server may hold. Rules, log templates and user agents may name more: the
//! firmware, timers, the state of provisioning. Names: Cisco MPP administration guide, "Macro Expansion Variables";
//! SPA Provisioning Guide, table 4-4.

use std::borrow::Cow;
use std::fmt;

use super::macros::Macro;

/// A variable that a phone expands. In parentheses the example of the guides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Variable {
    /// One that names of files may hold too: `$MA`, `$PN`, `$A` …
    Macro(Macro),
    /// `$SA` … `$SD`: what the phone holds in `GPP_SA` … `GPP_SD`. Arguments of `--key`, `--uid`, `--pwd` only.
    Special(Special),
    /// `$UID1` …: the `User_ID` of a line.
    UserId(u8),
    /// `$CCERT`: `Installed` or `Not Installed`.
    CCert,
    /// `$IP`: the address within the local network.
    Ip,
    /// `$EXTIP`: the public address, where the phone knows it.
    ExtIp,
    /// `$SWVER`: the firmware (`sip88xx.11-3-2MPP0001-609`).
    SwVer,
    /// `$HWVER`: the hardware (`1.88.1`).
    HwVer,
    /// `$PRVST`: why this resync: -1 explicit, 0 power-up, 1 periodic, 2 retry.
    PrvSt,
    /// `$UPGST`: why this upgrade: 1 first, 2 retry.
    UpgSt,
    /// `$UPGERR`: the result of the previous upgrade (`http_get failed`).
    UpgErr,
    /// `$PRVTMR`: seconds since the last resync attempt.
    PrvTmr,
    /// `$UPGTMR`: seconds since the last upgrade attempt.
    UpgTmr,
    /// `$REGTMR1`: seconds since line 1 lost its registration.
    RegTmr1,
    /// `$REGTMR2`: the same of line 2.
    RegTmr2,
    /// `$UPGCOND`: a legacy name, `true` since firmware 2.0.6.
    UpgCond,
    /// `$SCHEME`: of the current URL.
    Scheme,
    /// `$METH`: a deprecated name of `$SCHEME` (SPA).
    Meth,
    /// `$SERV`: the host of the current URL.
    Serv,
    /// `$SERVIP`: its address.
    ServIp,
    /// `$PORT`: its port.
    Port,
    /// `$PATH`: its path.
    Path,
    /// `$ERR`: the result, for log templates.
    Err,
    /// `$EMS`: the state of extension mobility (`mobile`).
    Ems,
    /// `$MUID`: its user.
    Muid,
    /// `$MPWD`: its password.
    Mpwd,
    /// `$PDOM`: seen beside `$MUID` in a sample, documented nowhere.
    Pdom,
    /// `$ORIGTYPE`: where the phone's licence comes from (`orig_mpp`).
    OrigType,
    /// `$AUTHSTATUS`: the state of its licence (`classic`).
    AuthStatus,
    /// `$VERSION`: product and firmware, in names of user agents.
    Version,
}

/// One of the four special purpose parameters, which hold keys and passwords.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Special {
    /// `GPP_SA`.
    A,
    /// `GPP_SB`.
    B,
    /// `GPP_SC`.
    C,
    /// `GPP_SD`.
    D,
}

/// Those with a name of their own; registers and `$UIDn` are counted.
const NAMES: [(Variable, &str); 36] = [
    (Variable::Macro(Macro::Ma), "MA"),
    (Variable::Macro(Macro::Mau), "MAU"),
    (Variable::Macro(Macro::Mac), "MAC"),
    (Variable::Macro(Macro::Pn), "PN"),
    (Variable::Macro(Macro::Psn), "PSN"),
    (Variable::Macro(Macro::Sn), "SN"),
    (Variable::Special(Special::A), "SA"),
    (Variable::Special(Special::B), "SB"),
    (Variable::Special(Special::C), "SC"),
    (Variable::Special(Special::D), "SD"),
    (Variable::CCert, "CCERT"),
    (Variable::Ip, "IP"),
    (Variable::ExtIp, "EXTIP"),
    (Variable::SwVer, "SWVER"),
    (Variable::HwVer, "HWVER"),
    (Variable::PrvSt, "PRVST"),
    (Variable::UpgSt, "UPGST"),
    (Variable::UpgErr, "UPGERR"),
    (Variable::PrvTmr, "PRVTMR"),
    (Variable::UpgTmr, "UPGTMR"),
    (Variable::RegTmr1, "REGTMR1"),
    (Variable::RegTmr2, "REGTMR2"),
    (Variable::UpgCond, "UPGCOND"),
    (Variable::Scheme, "SCHEME"),
    (Variable::Meth, "METH"),
    (Variable::Serv, "SERV"),
    (Variable::ServIp, "SERVIP"),
    (Variable::Port, "PORT"),
    (Variable::Path, "PATH"),
    (Variable::Err, "ERR"),
    (Variable::Ems, "EMS"),
    (Variable::Muid, "MUID"),
    (Variable::Mpwd, "MPWD"),
    (Variable::Pdom, "PDOM"),
    (Variable::OrigType, "ORIGTYPE"),
    (Variable::AuthStatus, "AUTHSTATUS"),
];

/// Where the values of variables come from: a phone's parameters, or what a person gives on the command line.
pub trait Lookup {
    /// What the variable holds; `None` when that is not known, which expands to nothing, as an empty parameter does.
    fn value(&self, variable: Variable) -> Option<Cow<'_, str>>;

    /// The server of DHCP option 66, in any of its forms: `host`, `scheme://host:port`, with a path or without.
    fn server(&self) -> Option<&str> {
        None
    }
}

/// The same values for people to read: keys and passwords that are there are `••••`.
pub struct Masked<'a>(pub &'a dyn Lookup);

impl Lookup for Masked<'_> {
    fn value(&self, variable: Variable) -> Option<Cow<'_, str>> {
        let value = self.0.value(variable)?;
        let hidden = variable.is_secret() && !value.is_empty();
        Some(if hidden { Cow::Borrowed("••••") } else { value })
    }

    fn server(&self) -> Option<&str> {
        self.0.server()
    }
}

impl Variable {
    /// The variable with this name, written without `$`; names are in upper case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == "VERSION" {
            return Some(Self::Version);
        }
        if let Some(line) = name.strip_prefix("UID").filter(|line| !line.starts_with('0')) {
            return line.parse().ok().map(Self::UserId);
        }
        let named = NAMES.iter().find(|(_, other)| *other == name).map(|(variable, _)| *variable);
        named.or_else(|| Macro::named(name).map(Self::Macro))
    }

    /// Whether the value is a key or a password.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Special(_) | Self::Mpwd)
    }

    /// The parameter that holds the value (`GPP_B`, `GPP_SA`), for those that are registers.
    #[must_use]
    pub fn parameter(self) -> Option<String> {
        match self {
            Self::Macro(Macro::Register(register)) => Some(register.parameter()),
            Self::Special(_) => Some(format!("GPP_{}", self.name())),
            _ => None,
        }
    }

    /// The variable that a parameter is reached by: `GPP_B` by `$B`.
    #[must_use]
    pub fn of_parameter(name: &str) -> Option<Self> {
        let letters = name.strip_prefix("GPP_")?;
        Self::named(letters).filter(|variable| variable.parameter().is_some())
    }

    /// The name without `$`.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Macro(Macro::Register(register)) => Cow::Owned(register.letter().to_string()),
            Self::UserId(line) => Cow::Owned(format!("UID{line}")),
            Self::Version => Cow::Borrowed("VERSION"),
            _ => {
                let named = NAMES.iter().find(|(variable, _)| *variable == self);
                Cow::Borrowed(named.map_or("", |(_, name)| name))
            }
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_found_by_its_name() {
        let counted = ["A", "P", "UID1", "UID12", "VERSION"];
        for name in NAMES.iter().map(|(_, name)| *name).chain(counted) {
            let variable = Variable::named(name).expect(name);
            assert_eq!(variable.name(), name);
            assert_eq!(variable.to_string(), format!("${name}"));
        }
    }

    #[test]
    fn what_phones_do_not_know_is_no_variable() {
        for name in ["", "swver", "STRANGE", "UID", "UID0", "UID01", "UIDx", "UID999", "Q", "SE", "GPP_A"] {
            assert_eq!(Variable::named(name), None, "{name}");
        }
    }

    #[test]
    fn registers_are_reached_by_their_parameters() {
        let of = |name| Variable::of_parameter(name).map(|variable| variable.to_string());
        assert_eq!(of("GPP_B").as_deref(), Some("$B"));
        assert_eq!(of("GPP_SA").as_deref(), Some("$SA"));
        assert_eq!([of("GPP_MA"), of("GPP_Q"), of("B")], [None, None, None]);
        assert_eq!(Variable::named("SD").and_then(Variable::parameter).as_deref(), Some("GPP_SD"));
    }
}
